#include "load/rows_from.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <string_view>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "wire/row_reference.h"

namespace vecload::load {
namespace {

using journal::RowRange;

// A rejected key stands in its line whole, whatever its length; a file with longer lines is no
// list of rows.
constexpr std::streamsize kLineBytesMax = 16 << 20;

class RowsByFile {
 public:
  explicit RowsByFile(const Manifest& manifest)
      : manifest_(manifest), rows_(manifest.files.size()) {
    for (uint32_t file = 0; file < manifest.files.size(); ++file) {
      numbers_.emplace(AbsoluteUri(manifest.files[file].uri), file);
    }
  }

  Status Add(std::string_view line) {
    VECLOAD_ASSIGN_OR_RETURN(const wire::RowReference named, wire::ParseRowReference(line));
    const auto found = numbers_.find(AbsoluteUri(named.file));
    if (found == numbers_.end()) {
      return Status::InvalidArgument(
          fmt::format("file \"{}\" is not among the sources; name it too, or start from the folder "
                      "that the path was relative to",
                      named.file));
    }
    const uint64_t rows = manifest_.files[found->second].rows;
    if (named.row >= rows) {
      return Status::InvalidArgument(
          fmt::format("there is no row {} in {}, which has {} rows", named.row, named.file, rows));
    }
    // Lines mostly ascend, so that ranges grow here rather than rows pile up.
    std::vector<RowRange>& ranges = rows_[found->second];
    if (!ranges.empty() && ranges.back().end == named.row) {
      ++ranges.back().end;
    } else {
      ranges.push_back({named.row, named.row + 1});
    }
    any_ = true;
    return Status::Ok();
  }

  [[nodiscard]] bool any() const { return any_; }
  std::vector<std::vector<RowRange>> Take() { return std::move(rows_); }

 private:
  const Manifest& manifest_;
  std::unordered_map<std::string, uint32_t> numbers_;
  std::vector<std::vector<RowRange>> rows_;
  bool any_ = false;
};

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
    text_bytes += row.key.size() + row.metadata.size() + row.fault_detail.size();
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
  const std::string context = "--rows-from " + path;
  std::ifstream file(path, std::ios::binary);
  std::string buffer(kLineBytesMax, '\0');
  RowsByFile rows(manifest);
  for (uint64_t number = 1; file.getline(buffer.data(), kLineBytesMax); ++number) {
    const auto read = static_cast<size_t>(file.gcount());
    const std::string_view line(buffer.data(), file.eof() ? read : read - 1);
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    const Status added = rows.Add(line);
    if (!added.ok()) return added.WithContext(fmt::format("{}, line {}", context, number));
  }
  if (!file.eof()) {
    return Status::Io(fmt::format("{}: cannot be read: {}", context,
                                  file.gcount() > 0 ? "a line is too long" : std::strerror(errno)));
  }
  if (!rows.any()) return Status::InvalidArgument(context + ": lists no row, so nothing is to do");
  return ReadingPlan::OfRows(rows.Take());
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
