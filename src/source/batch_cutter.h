#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <arrow/type_fwd.h>

#include "source/data_file.h"

namespace vecload::source {

// Checks what a reader gives (CheckBatch), batch after batch from row `row` of the file on, and
// cuts it down to the rows of a range and to its batch size.
class BatchCutter {
 public:
  BatchCutter(const std::string& uri, uint64_t row, const RowRange& range,
              const BatchCallback& deliver)
      : uri_(uri), row_(row), range_(range), deliver_(deliver) {}

  Status Take(const std::shared_ptr<arrow::RecordBatch>& batch);
  // Passes over rows that were not read.
  void Skip(uint64_t rows) { row_ += rows; }
  [[nodiscard]] uint64_t row() const { return row_; }
  [[nodiscard]] bool done() const { return row_ >= range_.row_end; }

 private:
  const std::string& uri_;
  uint64_t row_;
  const RowRange& range_;
  const BatchCallback& deliver_;
};

}  // namespace vecload::source
