#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/temporary_file.h"
#include "load/key_sorter.h"
#include "source/row_check.h"
#include "vecload/source.h"

// What choosing one row a key (duplicates.h) and naming keys that come twice (repeated_keys.h) have
// in common: a pass over the keys of all files, rows numbered over all of them.
namespace vecload::load {

// The number of each file's first row, and one behind the last.
std::vector<uint64_t> FirstRows(const Manifest& manifest);

// Asks for keys alone.
ReadRequest KeysOf(uint32_t file, uint64_t row_begin, uint64_t row_end);

// The entry of a row: with --shard-by two rows of one key have indexes of their own where their
// values differ.
inline KeyEntry EntryOf(const SourceRow& row, uint64_t number) {
  return row.has_shard_value ? KeyEntry::Of(row.shard_value, row.key, number)
                             : KeyEntry::Of(row.key, number);
}

// How many entries a sort within that much memory holds at once.
size_t SortEntries(uint64_t bytes_max);

// Calls `take(block, i, row)` with every row whose key can be sent, `row` being its number over all
// files. kCancelled: `stop`, which may be null.
template <typename Take>
Status ReadKeys(Source* source, std::span<const uint64_t> first_rows, const std::atomic<bool>* stop,
                Take take) {
  std::vector<ReadRequest> requests;
  for (uint32_t file = 0; file < source->manifest().files.size(); ++file) {
    requests.push_back(KeysOf(file, 0, source->manifest().files[file].rows));
  }
  return source->ReadAll(requests, [&](const RowBlock& block) -> Status {
    if (stop != nullptr && *stop) return Status::Cancelled("stopped on request; nothing was sent");
    for (size_t i = 0; i < block.rows.size(); ++i) {
      if (source::CheckKey(block.rows[i]) != RejectRule::kNone) continue;
      VECLOAD_RETURN_IF_ERROR(take(block, i, first_rows[block.file] + block.row_begin + i));
    }
    return Status::Ok();
  });
}

// One bit for each row, in a mapped temporary file.
class RowBits {
 public:
  static Result<RowBits> Make(uint64_t rows);

  void Set(uint64_t row) { bits_[row / 8] |= std::byte{1} << (row % 8); }
  [[nodiscard]] bool Has(uint64_t row) const {
    return (bits_[row / 8] >> (row % 8) & std::byte{1}) != std::byte{0};
  }
  [[nodiscard]] uint64_t file_bytes() const { return file_.size(); }

 private:
  explicit RowBits(TemporaryFile file) : file_(std::move(file)) {}

  TemporaryFile file_;
  std::span<std::byte> bits_;
};

}  // namespace vecload::load
