#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "source/vector_rows.h"
#include "vecload/status.h"

namespace vecload::source {

// Where a row group is in its file.
struct RowGroupPlace {
  uint64_t begin = 0;  // bytes of the file
  uint64_t end = 0;
  uint64_t rows = 0;

  friend bool operator==(const RowGroupPlace&, const RowGroupPlace&) = default;
};

// A Parquet file of vectors that can be gone on with after a crash. A Parquet file can be read only
// with its footer, which is last; so that what is written does not depend on this process, each row
// group is followed by a footer of its own, and Finish makes of those it is given the footer of
// the whole. A row group that is left out there is as if it had never been. Readers follow the
// footer, so that some hundred bytes between row groups, and those left out, disturb nobody.
// Not thread-safe. Failures name the file; those of the disk are kIo.
class VectorFile {
 public:
  // Makes the file, or goes on with it behind its first `size` bytes.
  static Result<std::unique_ptr<VectorFile>> Open(const std::string& path,
                                                  std::shared_ptr<const VectorColumns> columns,
                                                  uint64_t size);
  VectorFile(const VectorFile&) = delete;
  VectorFile& operator=(const VectorFile&) = delete;
  ~VectorFile();

  // Appends them as one row group. After a failure the file is as it was, or as a crash leaves it.
  Result<RowGroupPlace> Append(const VectorRows& rows);
  // Makes what was appended survive a power cut.
  Status Sync();
  // Completes the file with these row groups, of its own, and syncs it.
  Status Finish(std::span<const RowGroupPlace> row_groups);
  [[nodiscard]] uint64_t size() const { return size_; }

 private:
  VectorFile(std::string path, std::shared_ptr<const VectorColumns> columns, int descriptor,
             uint64_t size);

  std::string path_;
  std::shared_ptr<const VectorColumns> columns_;
  int descriptor_;
  uint64_t size_;
};

}  // namespace vecload::source
