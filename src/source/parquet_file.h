#pragma once

#include <memory>
#include <string>

#include "source/data_file.h"

namespace vecload::source {

// As ReadFooter and ReadRows, for Parquet. Both may throw what libparquet throws.
Result<Footer> ReadParquetFooter(const std::string& uri,
                                 std::shared_ptr<arrow::io::RandomAccessFile> file);
Status ReadParquetRows(const std::string& uri, std::shared_ptr<arrow::io::RandomAccessFile> file,
                       const RowRange& range, const BatchCallback& deliver);

}  // namespace vecload::source
