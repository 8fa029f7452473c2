#include "source/parquet_file.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

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

// What one column holds of its compressed bytes beside the page that is being read. A longer page
// is read straight into its own memory, which saves a copy.
constexpr int64_t kColumnBufferBytes = 64 << 10;

// Each long column holds one range that is partly read, and half of what is held should be ahead of
// the reader: with more long columns than this the ranges are shorter.
constexpr int64_t kLongColumnsMax = 4;
// But not shorter than this: a request takes as long as some 2 MB do.
constexpr int64_t kRangeBytesMin = 256 << 10;

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

Status CheckUnchanged(const DataFile& file, const RowRange& range) {
  if (std::ranges::equal(RowGroupRows(*file.footer), range.row_group_rows)) return Status::Ok();
  return Status::Conflict(file.uri + ": the file has changed since the job was planned");
}

// Those that have rows of a range.
struct RowGroups {
  std::vector<int> numbers;
  uint64_t first_row = 0;  // of the first of them
};

RowGroups RowGroupsOf(const RowRange& range) {
  RowGroups groups;
  uint64_t row = 0;
  for (size_t i = 0; i < range.row_group_rows.size(); ++i) {
    const uint64_t end = row + range.row_group_rows[i];
    if (row < range.row_end && end > range.row_begin) {
      if (groups.numbers.empty()) groups.first_row = row;
      groups.numbers.push_back(static_cast<int>(i));
    }
    row = end;
  }
  return groups;
}

// A column's bytes in one row group.
struct Chunk {
  int64_t offset = 0;
  int64_t bytes = 0;
  uint64_t row = 0;
  uint64_t rows = 0;
};

Chunk ChunkOf(const parquet::ColumnChunkMetaData& column, uint64_t row, uint64_t rows) {
  int64_t offset = column.data_page_offset();
  if (column.has_dictionary_page() && column.dictionary_page_offset() > 0) {
    offset = std::min(offset, column.dictionary_page_offset());
  }
  return {.offset = offset, .bytes = column.total_compressed_size(), .row = row, .rows = rows};
}

// A piece of a file and the row at which it is first needed, about: rows of a column are taken to
// be of one length.
struct Piece {
  ByteRange bytes;
  uint64_t row = 0;
  bool whole = false;  // one chunk or several, none of them cut
};

void CutChunk(const Chunk& chunk, int64_t piece_bytes_max, std::vector<Piece>* pieces) {
  const int64_t count = (chunk.bytes + piece_bytes_max - 1) / piece_bytes_max;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t begin = chunk.bytes / count * i;
    const int64_t end = i + 1 == count ? chunk.bytes : chunk.bytes / count * (i + 1);
    pieces->push_back(
        {.bytes = {.offset = chunk.offset + begin, .bytes = end - begin},
         .row = chunk.row + chunk.rows * static_cast<uint64_t>(i) / static_cast<uint64_t>(count),
         .whole = count == 1});
  }
}

int64_t RangeBytes(std::span<const Chunk> chunks, int64_t range_bytes_max) {
  int64_t columns = 0;
  int64_t columns_max = 0;
  uint64_t row = 0;
  for (const Chunk& chunk : chunks) {
    if (std::exchange(row, chunk.row) != chunk.row) columns = 0;
    if (chunk.bytes > kRangeBytesMin) columns_max = std::max(columns_max, ++columns);
  }
  if (columns_max <= kLongColumnsMax) return range_bytes_max;
  const int64_t bytes = range_bytes_max * kLongColumnsMax / columns_max;
  return std::min(range_bytes_max, std::max(bytes, kRangeBytesMin));
}

// One request for neighbours that are short, several for a chunk that is long.
std::vector<ByteRange> CutChunks(std::vector<Chunk> chunks, uint64_t row_end,
                                 int64_t range_bytes_max) {
  const int64_t range_bytes = RangeBytes(chunks, range_bytes_max);
  std::ranges::sort(chunks, {}, &Chunk::offset);
  std::vector<Piece> pieces;
  for (const Chunk& chunk : chunks) {
    Piece* last = pieces.empty() ? nullptr : &pieces.back();
    if (last != nullptr && last->whole && last->bytes.offset + last->bytes.bytes == chunk.offset &&
        last->bytes.bytes + chunk.bytes <= range_bytes) {
      last->bytes.bytes += chunk.bytes;
      last->row = std::min(last->row, chunk.row);
    } else {
      CutChunk(chunk, range_bytes, &pieces);
    }
  }
  std::ranges::sort(pieces, {},
                    [](const Piece& piece) { return std::pair(piece.row, piece.bytes.offset); });
  std::vector<ByteRange> ranges;
  for (Piece& piece : pieces) {
    piece.bytes.ahead = piece.row < row_end;
    ranges.push_back(piece.bytes);
  }
  return ranges;
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

Result<std::vector<ByteRange>> BytesOfParquetRows(const DataFile& file, const RowRange& range,
                                                  int64_t range_bytes_max) {
  VECLOAD_RETURN_IF_ERROR(CheckUnchanged(file, range));
  const RowGroups groups = RowGroupsOf(range);
  std::vector<Chunk> chunks;
  uint64_t row = groups.first_row;
  for (const int number : groups.numbers) {
    const auto group = file.footer->RowGroup(number);
    const uint64_t rows = range.row_group_rows[static_cast<size_t>(number)];
    for (const int leaf : LeavesOf(*file.footer->schema(), range.columns)) {
      const Chunk chunk = ChunkOf(*group->ColumnChunk(leaf), row, rows);
      if (chunk.offset >= 0 && chunk.bytes > 0 && chunk.bytes <= file.size - chunk.offset) {
        chunks.push_back(chunk);
      }
    }
    row += rows;
  }
  return CutChunks(std::move(chunks), range.row_end, range_bytes_max);
}

Status ReadParquetRows(const DataFile& file, const RowRange& range, const BatchCallback& deliver) {
  VECLOAD_RETURN_IF_ERROR(CheckUnchanged(file, range));
  const RowGroups groups = RowGroupsOf(range);
  auto raw = parquet::ParquetFileReader::Open(file.file, ReaderProperties(), file.footer);
  VECLOAD_ASSIGN_OR_RETURN(
      const auto reader,
      FromArrow(parquet::arrow::FileReader::Make(arrow::default_memory_pool(), std::move(raw),
                                                 ArrowProperties(range.batch_rows_max)),
                file.uri));
  VECLOAD_ASSIGN_OR_RETURN(
      const auto batches,
      FromArrow(reader->GetRecordBatchReader(groups.numbers,
                                             LeavesOf(*file.footer->schema(), range.columns)),
                file.uri));
  BatchCutter cutter(file.uri, groups.first_row, range, deliver);
  while (!cutter.done()) {
    VECLOAD_ASSIGN_OR_RETURN(const auto batch, FromArrow(batches->Next(), file.uri));
    if (batch == nullptr) {
      return Status::Corrupt(file.uri + ": ends at row " + std::to_string(cutter.row()) +
                             ", before the rows that its footer promises");
    }
    VECLOAD_RETURN_IF_ERROR(cutter.Take(batch));
  }
  return Status::Ok();
}

}  // namespace vecload::source
