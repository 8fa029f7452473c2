#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "source/data_file.h"

namespace vecload::source {

// Lines are counted, and found again, by the chunk of the file in which they begin; to the rest of
// the module a chunk is what a row group is.
inline constexpr int64_t kJsonLinesChunkBytes = 1 << 20;

// As ReadFooter, BytesOfRows and ReadRows, for JSON Lines that list keys (wire/key_reference.h): a
// table of one column of bytes, "key". A row is a line that is not blank.
Result<Footer> ReadJsonLinesFooter(const std::string& uri,
                                   const std::shared_ptr<arrow::io::RandomAccessFile>& file,
                                   const CheckIndex& check);
std::vector<ByteRange> BytesOfJsonLinesRows(const DataFile& file, const RowRange& range,
                                            int64_t range_bytes_max);
Status ReadJsonLinesRows(const DataFile& file, const RowRange& range, const BatchCallback& deliver);

}  // namespace vecload::source
