#include "source/parquet_file.h"

#include <algorithm>
#include <set>
#include <string_view>

#include <arrow/io/interfaces.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>
#include <parquet/schema.h>

#include "source/arrow_status.h"
#include "source/batch_cutter.h"

namespace vecload::source {
namespace {

// What one column holds of its compressed bytes. A request to S3 takes some 30 ms whatever it
// fetches, so less would make latency the limit; more is memory times columns.
constexpr int64_t kColumnBufferBytes = 2 << 20;

parquet::ReaderProperties ReaderProperties() {
  parquet::ReaderProperties properties = parquet::default_reader_properties();
  properties.enable_buffered_stream();
  properties.set_buffer_size(kColumnBufferBytes);
  return properties;
}

parquet::ArrowReaderProperties ArrowProperties(int64_t batch_rows_max) {
  // use_threads: parallelism is over files, in the loader's own threads. pre_buffer reads a whole
  // row group ahead: 1,265 MB where this way takes 101 MB (300,000 x 1024-d in one row group).
  parquet::ArrowReaderProperties properties(/*use_threads=*/false);
  properties.set_pre_buffer(false);
  properties.set_batch_size(batch_rows_max);
  // Makes a UUID a UUID rather than 16 bytes.
  properties.set_arrow_extensions_enabled(true);
  return properties;
}

std::vector<uint64_t> RowGroupRows(const parquet::FileMetaData& metadata) {
  std::vector<uint64_t> rows;
  for (int i = 0; i < metadata.num_row_groups(); ++i) {
    rows.push_back(static_cast<uint64_t>(std::max<int64_t>(0, metadata.RowGroup(i)->num_rows())));
  }
  return rows;
}

// The leaf columns below the top-level columns of these names.
std::vector<int> LeavesOf(const parquet::SchemaDescriptor& schema,
                          std::span<const std::string> columns) {
  const std::set<std::string_view> names(columns.begin(), columns.end());
  std::vector<int> leaves;
  for (int i = 0; i < schema.num_columns(); ++i) {
    if (names.contains(schema.GetColumnRoot(i)->name())) leaves.push_back(i);
  }
  return leaves;
}

}  // namespace

Result<Footer> ReadParquetFooter(const std::string& uri,
                                 std::shared_ptr<arrow::io::RandomAccessFile> file) {
  const auto reader = parquet::ParquetFileReader::Open(std::move(file), ReaderProperties());
  const auto metadata = reader->metadata();
  Footer footer;
  footer.row_group_rows = RowGroupRows(*metadata);
  VECLOAD_RETURN_IF_ERROR(
      FromArrow(parquet::arrow::FromParquetSchema(metadata->schema(), ArrowProperties(1),
                                                  metadata->key_value_metadata(), &footer.schema),
                uri));
  return footer;
}

Status ReadParquetRows(const std::string& uri, std::shared_ptr<arrow::io::RandomAccessFile> file,
                       const RowRange& range, const BatchCallback& deliver) {
  auto raw = parquet::ParquetFileReader::Open(std::move(file), ReaderProperties());
  const auto metadata = raw->metadata();
  if (!std::ranges::equal(RowGroupRows(*metadata), range.row_group_rows)) {
    return Status::Conflict(uri + ": the file has changed since the job was planned");
  }
  std::vector<int> row_groups;
  uint64_t first_row = 0;
  uint64_t row = 0;
  for (size_t i = 0; i < range.row_group_rows.size(); ++i) {
    const uint64_t end = row + range.row_group_rows[i];
    if (row < range.row_end && end > range.row_begin) {
      if (row_groups.empty()) first_row = row;
      row_groups.push_back(static_cast<int>(i));
    }
    row = end;
  }
  VECLOAD_ASSIGN_OR_RETURN(
      const auto reader,
      FromArrow(parquet::arrow::FileReader::Make(arrow::default_memory_pool(), std::move(raw),
                                                 ArrowProperties(range.batch_rows_max)),
                uri));
  VECLOAD_ASSIGN_OR_RETURN(const auto batches,
                           FromArrow(reader->GetRecordBatchReader(
                                         row_groups, LeavesOf(*metadata->schema(), range.columns)),
                                     uri));
  BatchCutter cutter(uri, first_row, range, deliver);
  while (!cutter.done()) {
    VECLOAD_ASSIGN_OR_RETURN(const auto batch, FromArrow(batches->Next(), uri));
    if (batch == nullptr) {
      return Status::Corrupt(uri + ": ends at row " + std::to_string(cutter.row()) +
                             ", before the rows that its footer promises");
    }
    VECLOAD_RETURN_IF_ERROR(cutter.Take(batch));
  }
  return Status::Ok();
}

}  // namespace vecload::source
