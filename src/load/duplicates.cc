#include "load/duplicates.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"
#include "base/json_text.h"
#include "load/key_sorter.h"

namespace vecload {

std::string_view OnDuplicateName(OnDuplicate policy) {
  switch (policy) {
    case OnDuplicate::kAny:
      return "";
    case OnDuplicate::kError:
      return "error";
    case OnDuplicate::kFirst:
      return "first";
    case OnDuplicate::kLast:
      return "last";
  }
  return "";
}

namespace load {
namespace {

Result<std::string> ShownKey(Source* source, RowId id) {
  std::string key;
  const auto take = [&](const RowBlock& block) {
    key = block.rows.front().key;
    return Status::Ok();
  };
  VECLOAD_RETURN_IF_ERROR(source->Read(KeysOf(id.file, id.row, id.row + 1), take));
  return Quoted(key);
}

}  // namespace

Result<std::unique_ptr<const DuplicateRows>> DuplicateRows::Find(Source* source,
                                                                 const Options& options) {
  CHECK(options.policy != OnDuplicate::kAny);
  std::vector<uint64_t> first_rows = FirstRows(source->manifest());
  VECLOAD_ASSIGN_OR_RETURN(RowBits superseded, RowBits::Make(first_rows.back()));
  std::unique_ptr<DuplicateRows> rows(
      new DuplicateRows(std::move(first_rows), std::move(superseded)));
  VECLOAD_RETURN_IF_ERROR(rows->Search(source, options));
  return std::unique_ptr<const DuplicateRows>(std::move(rows));
}

Status DuplicateRows::Search(Source* source, const Options& options) {
  // Of the policy kError: the first row whose key came before, and where it came.
  uint64_t repeated = UINT64_MAX;
  uint64_t original = 0;
  const Keep keep = options.policy == OnDuplicate::kLast ? Keep::kLast : Keep::kFirst;
  KeySorter sorter(keep, std::min(SortEntries(options.sort_bytes_max), first_rows_.back()),
                   [&](uint64_t loser, uint64_t preferred) {
                     Supersede(loser);
                     if (loser >= repeated) return;
                     repeated = loser;
                     original = preferred;
                   });
  VECLOAD_RETURN_IF_ERROR(ReadKeys(source, first_rows_, options.stop,
                                   [&](const RowBlock& block, size_t i, uint64_t row) {
                                     return sorter.Add(EntryOf(block.rows[i], row));
                                   }));
  VECLOAD_RETURN_IF_ERROR(sorter.Finish(options.stop));
  temporary_bytes_ = superseded_.file_bytes() + sorter.spilled_bytes();
  if (options.policy != OnDuplicate::kError || count_ == 0) return Status::Ok();
  return Repeated(source, original, repeated);
}

Status DuplicateRows::Repeated(Source* source, uint64_t original, uint64_t repeated) const {
  VECLOAD_ASSIGN_OR_RETURN(const std::string key, ShownKey(source, At(repeated)));
  const auto name = [&](uint64_t row) {
    const RowId id = At(row);
    return fmt::format("row {} of {}", id.row, source->manifest().files[id.file].uri);
  };
  return Status::InvalidArgument(fmt::format(
      "key {} stands in {} and again in {} (rows count from 0); {} of {} rows have the key of an "
      "earlier row; nothing was sent: remove them from the source, or choose one row per key with "
      "--on-duplicate first or last",
      key, name(original), name(repeated), count_, first_rows_.back()));
}

void DuplicateRows::Supersede(uint64_t row) {
  CHECK(row < first_rows_.back());
  superseded_.Set(row);
  ++count_;
}

bool DuplicateRows::IsSuperseded(RowId id) const {
  const uint64_t row = first_rows_[id.file] + id.row;
  CHECK(row < first_rows_[id.file + 1]);
  return superseded_.Has(row);
}

RowId DuplicateRows::At(uint64_t row) const {
  // The last file that begins at or before it; empty files begin where the next one does.
  const auto behind = std::ranges::upper_bound(first_rows_, row);
  const auto file = static_cast<uint32_t>(behind - first_rows_.begin() - 1);
  return {file, row - first_rows_[file]};
}

}  // namespace load
}  // namespace vecload
