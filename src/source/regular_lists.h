#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include <arrow/buffer.h>
#include <arrow/result.h>
#include <arrow/type_fwd.h>
#include <parquet/column_reader.h>

namespace vecload::source {

// Keeps the memory of blocks that are done with for the next ones: fresh ones of some MB would be
// cleared by the kernel each time. A block may outlive it. Thread-safe.
class RecycledBlocks {
 public:
  explicit RecycledBlocks(size_t block_bytes);
  arrow::Result<std::shared_ptr<arrow::Buffer>> Take();

 private:
  struct Free {
    std::mutex mutex;
    std::vector<std::unique_ptr<arrow::Buffer>> blocks;
  };
  const size_t block_bytes_;
  const std::shared_ptr<Free> free_ = std::make_shared<Free>();
};

// A Parquet column chunk of float32 lists that are all of one length and none of them null, as
// vectors are: its values are decoded straight to where they stay, and its levels are only
// compared. Arrow's own reader assembles lists of any kind from the levels, which costs more than
// the values.
class RegularLists {
 public:
  // Lists of a length that `rows` and `levels`, the chunk's counts, leave as the only one possible;
  // `blocks` hold as many lists as are read at once, and one float.
  RegularLists(std::shared_ptr<parquet::ColumnReader> column, std::shared_ptr<arrow::DataType> type,
               int64_t rows, int64_t levels, RecycledBlocks* blocks);

  // The next lists as an array of the type; nullptr where they are not regular after all.
  arrow::Result<std::shared_ptr<arrow::Array>> Next(int64_t rows);

 private:
  // Fills [begin, end) of `values` and of the levels. False where not every level has a value.
  bool Read(int64_t begin, int64_t end, float* values);
  // Whether a list starts at each multiple of the length below `end`, and nowhere else.
  [[nodiscard]] bool AreRegular(int64_t end) const;

  const std::shared_ptr<parquet::ColumnReader> column_;
  const std::shared_ptr<arrow::DataType> type_;
  const int64_t length_;
  int64_t levels_left_;
  RecycledBlocks* blocks_;
  // The first value of the next list was read with the last one, to see that that had ended.
  bool has_first_ = false;
  float first_ = 0;
  std::vector<int16_t> definition_levels_;
  std::vector<int16_t> repetition_levels_;
};

// Whether lists of a column of this type, in chunks of `levels` levels for `rows` rows, can be
// regular and are many enough for the trouble.
bool MayBeRegular(const arrow::DataType& type, int64_t rows, int64_t levels);

}  // namespace vecload::source
