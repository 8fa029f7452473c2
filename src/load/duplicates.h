#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "load/coverage.h"
#include "load/key_pass.h"
#include "vecload/loader.h"
#include "vecload/source.h"

namespace vecload::load {

// Which rows give way to another row with the same key, one row of each key being chosen over the
// whole manifest before anything is sent. So it does not matter in which order batches arrive, how
// often they are sent again, or which of the rows a resumed load still has to read.
//
// The key alone decides: a chosen row may be rejected for its vector, and its key then has no other
// row. Rows whose key cannot be sent take no part.
//
// Memory: while it is made, see Options; then one bit a row of the manifest in a temporary file
// that is mapped, 125 MB for 10^9 rows. Immutable, so thread-safe.
class DuplicateRows {
 public:
  struct Options {
    OnDuplicate policy = OnDuplicate::kLast;  // not kAny
    uint64_t sort_bytes_max = 0;              // what does not fit is spilled (key_sorter.h)
    const std::atomic<bool>* stop = nullptr;  // may be null
  };
  // Reads the keys of all files. kInvalidArgument: the policy is kError and a key comes twice:
  // names it; kCancelled: `stop`; kIo: no room for temporary files. Else what the source says.
  static Result<std::unique_ptr<const DuplicateRows>> Find(Source* source, const Options& options);

  [[nodiscard]] bool IsSuperseded(RowId id) const;
  [[nodiscard]] uint64_t count() const { return count_; }
  // What was written to temporary files to find them.
  [[nodiscard]] uint64_t temporary_bytes() const { return temporary_bytes_; }

 private:
  DuplicateRows(std::vector<uint64_t> first_rows, RowBits superseded)
      : first_rows_(std::move(first_rows)), superseded_(std::move(superseded)) {}
  Status Search(Source* source, const Options& options);
  // What the policy kError says of the first row whose key came before.
  [[nodiscard]] Status Repeated(Source* source, uint64_t original, uint64_t repeated) const;
  void Supersede(uint64_t row);
  [[nodiscard]] RowId At(uint64_t row) const;

  // A row's number over all files is its file's first one and its own in the file.
  std::vector<uint64_t> first_rows_;  // one a file, and one behind the last
  RowBits superseded_;
  uint64_t count_ = 0;
  uint64_t temporary_bytes_ = 0;
};

}  // namespace vecload::load
