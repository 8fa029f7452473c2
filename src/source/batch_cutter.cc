#include "source/batch_cutter.h"

#include <algorithm>

#include <arrow/record_batch.h>

#include "source/batch_check.h"

namespace vecload::source {

Status BatchCutter::Take(const std::shared_ptr<arrow::RecordBatch>& batch) {
  VECLOAD_RETURN_IF_ERROR(CheckBatch(*batch, uri_));
  const uint64_t begin = std::max(row_, range_.row_begin);
  const uint64_t batch_begin = row_;
  row_ += static_cast<uint64_t>(batch->num_rows());
  const uint64_t end = std::min(row_, range_.row_end);
  for (uint64_t row = begin; row < end;) {
    const uint64_t rows = std::min<uint64_t>(range_.batch_rows_max, end - row);
    VECLOAD_RETURN_IF_ERROR(deliver_(
        batch->Slice(static_cast<int64_t>(row - batch_begin), static_cast<int64_t>(rows))));
    row += rows;
  }
  return Status::Ok();
}

}  // namespace vecload::source
