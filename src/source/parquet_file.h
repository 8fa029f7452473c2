#pragma once

#include <memory>
#include <string>

#include "source/data_file.h"

namespace vecload::source {

// As ReadFooter, BytesOfRows and ReadRows, for Parquet. They may throw what libparquet throws.
Result<Footer> ReadParquetFooter(const std::string& uri,
                                 std::shared_ptr<arrow::io::RandomAccessFile> file);
Result<std::vector<ByteRange>> BytesOfParquetRows(const DataFile& file, const RowRange& range,
                                                  int64_t range_bytes_max);
Status ReadParquetRows(const DataFile& file, const RowRange& range, const BatchCallback& deliver);

}  // namespace vecload::source
