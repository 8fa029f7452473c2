#pragma once

#include <memory>
#include <string>

#include "source/data_file.h"

namespace vecload::source {

// As ReadFooter and ReadRows, for Arrow IPC files (.arrow, Feather 2) and streams.
Result<Footer> ReadIpcFooter(const std::string& uri, FileFormat format,
                             const std::shared_ptr<arrow::io::RandomAccessFile>& file);
Status ReadIpcRows(const std::string& uri, FileFormat format,
                   const std::shared_ptr<arrow::io::RandomAccessFile>& file, const RowRange& range,
                   const BatchCallback& deliver);

}  // namespace vecload::source
