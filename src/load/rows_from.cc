#include "load/rows_from.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "source/listed_rows.h"

namespace vecload::load {
namespace {

using journal::RowRange;

// The rows [begin, end) of a block as a block of their own.
RowBlock CopyRows(const RowBlock& block, uint64_t begin, uint64_t end) {
  struct Owned {
    std::string text;
    std::vector<float> floats;
  };
  const std::span<const SourceRow> rows(block.rows.data() + (begin - block.row_begin), end - begin);
  const auto owned = std::make_shared<Owned>();
  size_t text_bytes = 0;
  size_t floats = 0;
  for (const SourceRow& row : rows) {
    text_bytes +=
        row.key.size() + row.metadata.size() + row.fault_detail.size() + row.shard_value.size();
    floats += row.vector.size();
  }
  // Reserved, so that the views that point into them stay.
  owned->text.reserve(text_bytes);
  owned->floats.reserve(floats);
  const auto keep_text = [&](std::string_view text) {
    const size_t at = owned->text.size();
    owned->text += text;
    return std::string_view(owned->text).substr(at);
  };
  RowBlock copy{.file = block.file, .row_begin = begin, .rows = {rows.begin(), rows.end()}};
  for (SourceRow& row : copy.rows) {
    row.key = keep_text(row.key);
    row.metadata = keep_text(row.metadata);
    row.fault_detail = keep_text(row.fault_detail);
    row.shard_value = keep_text(row.shard_value);
    const size_t at = owned->floats.size();
    owned->floats.insert(owned->floats.end(), row.vector.begin(), row.vector.end());
    row.vector = std::span<const float>(owned->floats).subspan(at);
  }
  copy.bytes = text_bytes + floats * sizeof(float) + rows.size() * sizeof(SourceRow);
  copy.owner = owned;
  return copy;
}

}  // namespace

Result<ReadingPlan> ReadRowsFrom(const std::string& path, const Manifest& manifest) {
  std::vector<std::vector<RowRange>> rows(manifest.files.size());
  bool any = false;
  VECLOAD_RETURN_IF_ERROR(
      source::ReadListedRows("--rows-from", path, manifest, [&](uint32_t file, uint64_t row) {
        // Lines mostly ascend, so that ranges grow here rather than rows pile up.
        std::vector<RowRange>& ranges = rows[file];
        if (!ranges.empty() && ranges.back().end == row) {
          ++ranges.back().end;
        } else {
          ranges.push_back({row, row + 1});
        }
        any = true;
      }));
  if (!any) {
    return Status::InvalidArgument("--rows-from " + path + ": lists no row, so nothing is to do");
  }
  return ReadingPlan::OfRows(std::move(rows));
}

Status SelectedRows::ReadAll(std::span<const ReadRequest> requests,
                             const std::function<Status(RowBlock)>& deliver) {
  return source_->ReadAll(requests, [&](const RowBlock& block) -> Status {
    const std::vector<RowRange>& ranges = plan_->OfFile(block.file);
    const uint64_t block_end = block.row_begin + block.rows.size();
    auto range = std::ranges::upper_bound(ranges, block.row_begin, {}, &RowRange::end);
    for (; range != ranges.end() && range->begin < block_end; ++range) {
      VECLOAD_RETURN_IF_ERROR(deliver(CopyRows(block, std::max(range->begin, block.row_begin),
                                               std::min(range->end, block_end))));
    }
    return Status::Ok();
  });
}

}  // namespace vecload::load
