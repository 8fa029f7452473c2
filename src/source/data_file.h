#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <arrow/type_fwd.h>

#include "source/key_source.h"
#include "source/storage.h"
#include "vecload/status.h"

namespace parquet {
class FileMetaData;
}

namespace vecload::source {

enum class FileFormat { kParquet, kArrowFile, kArrowStream, kJsonLines };

// What a file says of itself before any row is read.
struct Footer {
  FileFormat format = FileFormat::kParquet;
  uint64_t size = 0;
  std::string etag;  // S3 only
  std::shared_ptr<arrow::Schema> schema;
  std::vector<uint64_t> row_group_rows;  // or of Arrow's batches, or of chunks of JSON Lines
  uint64_t rows = 0;
};

// The format is told by the first bytes, never by the name. An Arrow stream has no footer and is
// read through, and so are JSON Lines, which are taken where there is a `check`. kInvalidArgument:
// empty, or of another format; what `check` says.
Result<Footer> ReadFooter(const std::string& uri, Storage* storage, const CheckIndex& check = {});

// A file of the manifest, open for reading.
struct DataFile {
  std::string uri;
  FileFormat format = FileFormat::kParquet;
  int64_t size = 0;
  std::shared_ptr<arrow::io::RandomAccessFile> file;
  std::shared_ptr<parquet::FileMetaData> footer;  // of Parquet only
};

// kConflict: a file on S3 that has another ETag than `etag`, which is what its plan had.
Result<DataFile> OpenDataFile(const std::string& uri, FileFormat format, const std::string& etag,
                              Storage* storage);

// Which rows and columns of a file to read.
struct RowRange {
  std::span<const std::string> columns;  // top-level names
  uint64_t row_begin = 0;
  uint64_t row_end = 0;
  uint32_t batch_rows_max = 0;
  // As the footer had them: a file whose rows are others now was replaced since.
  std::span<const uint64_t> row_group_rows;
};

// Consecutive bytes of a file, for one request.
struct ByteRange {
  int64_t offset = 0;
  int64_t bytes = 0;
  bool ahead = true;  // false: perhaps not needed
};

// The bytes that ReadRows will read, in ranges of at most `range_bytes_max` and about in the order
// in which it needs them; of Arrow IPC none. Of a damaged file they may be any within it.
Result<std::vector<ByteRange>> BytesOfRows(const DataFile& file, const RowRange& range,
                                           int64_t range_bytes_max);

// Takes consecutive rows of the range.
using BatchCallback = std::function<Status(std::shared_ptr<arrow::RecordBatch>)>;

// Reads the range in order, in batches of at most batch_rows_max rows. Of Parquet it holds about
// one page a column, whatever the row group; Arrow IPC's unit is the batch as it was written.
// kConflict: the file is not the one whose footer was read.
Status ReadRows(const DataFile& file, const RowRange& range, const BatchCallback& deliver);

}  // namespace vecload::source
