#include "source/parquet_file.h"

#include <algorithm>
#include <iterator>
#include <optional>
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
#include "source/regular_lists.h"

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

// A row group and where its rows stand in the file.
struct RowGroup {
  int number = 0;
  uint64_t row_begin = 0;
};

// Those that hold rows from `row` to the range's end.
std::vector<RowGroup> RowGroupsFrom(uint64_t row, const RowRange& range) {
  std::vector<RowGroup> row_groups;
  uint64_t begin = 0;
  for (size_t i = 0; i < range.row_group_rows.size(); ++i) {
    const uint64_t end = begin + range.row_group_rows[i];
    if (begin < range.row_end && end > row) row_groups.push_back({static_cast<int>(i), begin});
    begin = end;
  }
  return row_groups;
}

Status CheckUnchanged(const DataFile& file, const RowRange& range) {
  if (std::ranges::equal(RowGroupRows(*file.footer), range.row_group_rows)) return Status::Ok();
  return Status::Conflict(file.uri + ": the file has changed since the job was planned");
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

// Reads rows of one open file into a cutter.
class RowReader {
 public:
  RowReader(const std::string& uri, parquet::arrow::FileReader* reader, const RowRange& range,
            BatchCutter* cutter)
      : uri_(uri), reader_(*reader), range_(range), cutter_(*cutter) {
    leaves_ = LeavesOf(*reader_.parquet_reader()->metadata()->schema(), range.columns);
  }

  // Reads on by Arrow alone, whatever the columns are.
  Status ReadAny() {
    const std::vector<RowGroup> row_groups = RowGroupsFrom(cutter_.row(), range_);
    if (row_groups.empty()) return Status::Ok();
    std::vector<int> numbers;
    for (const RowGroup& row_group : row_groups) numbers.push_back(row_group.number);
    VECLOAD_ASSIGN_OR_RETURN(const auto batches,
                             FromArrow(reader_.GetRecordBatchReader(numbers, leaves_), uri_));
    // Those that are read already, of the first row group.
    uint64_t to_skip = cutter_.row() - std::min(cutter_.row(), row_groups.front().row_begin);
    while (!cutter_.done()) {
      VECLOAD_ASSIGN_OR_RETURN(auto batch, FromArrow(batches->Next(), uri_));
      if (batch == nullptr) return EndsEarly();
      const auto rows = static_cast<uint64_t>(batch->num_rows());
      if (to_skip >= rows) {
        to_skip -= rows;
        continue;
      }
      if (to_skip > 0) batch = batch->Slice(static_cast<int64_t>(std::exchange(to_skip, 0)));
      VECLOAD_RETURN_IF_ERROR(cutter_.Take(batch));
    }
    return Status::Ok();
  }

  // Reads on as long as the lists of one column are regular, and stops, without an error, before
  // the first that is not.
  Status ReadRegular() {
    VECLOAD_ASSIGN_OR_RETURN(const std::optional<Lists> lists, FindLists());
    if (!lists.has_value()) return Status::Ok();
    RecycledBlocks blocks((range_.batch_rows_max * lists->length + 1) * sizeof(float));
    for (const RowGroup& row_group : RowGroupsFrom(cutter_.row(), range_)) {
      const Counts counts = CountsOf(*lists, row_group.number);
      if (!MayBeRegular(*lists->field->type(), counts.rows, counts.levels) ||
          counts.levels / counts.rows != lists->length) {
        return Status::Ok();
      }
      RegularLists column(reader_.parquet_reader()->RowGroup(row_group.number)->Column(lists->leaf),
                          lists->field->type(), counts.rows, counts.levels, &blocks);
      VECLOAD_ASSIGN_OR_RETURN(const bool all, ReadRowGroup(row_group.number, *lists, &column));
      if (!all) return Status::Ok();
    }
    return Status::Ok();
  }

 private:
  // The column that is read as regular lists.
  struct Lists {
    int leaf = 0;
    std::shared_ptr<arrow::Field> field;
    int64_t length = 0;
    std::vector<int> other_leaves;
  };
  struct Counts {
    int64_t rows = 0;
    int64_t levels = 0;
  };

  Status EndsEarly() const {
    return Status::Corrupt(uri_ + ": ends at row " + std::to_string(cutter_.row()) +
                           ", before the rows that its footer promises");
  }

  Counts CountsOf(const Lists& lists, int row_group) const {
    const auto metadata = reader_.parquet_reader()->metadata()->RowGroup(row_group);
    return {metadata->num_rows(), metadata->ColumnChunk(lists.leaf)->num_values()};
  }

  Result<std::optional<Lists>> FindLists() const {
    const std::vector<RowGroup> row_groups = RowGroupsFrom(cutter_.row(), range_);
    if (row_groups.empty()) return std::optional<Lists>();
    std::shared_ptr<arrow::Schema> schema;
    VECLOAD_RETURN_IF_ERROR(FromArrow(reader_.GetSchema(&schema), uri_));
    const auto& columns = *reader_.parquet_reader()->metadata()->schema();
    for (const int leaf : leaves_) {
      Lists lists{.leaf = leaf,
                  .field = schema->GetFieldByName(columns.GetColumnRoot(leaf)->name())};
      const Counts counts = CountsOf(lists, row_groups.front().number);
      if (lists.field == nullptr ||
          !MayBeRegular(*lists.field->type(), counts.rows, counts.levels)) {
        continue;
      }
      lists.length = counts.levels / counts.rows;
      std::ranges::remove_copy(leaves_, std::back_inserter(lists.other_leaves), leaf);
      if (lists.other_leaves.empty()) break;
      return std::optional<Lists>(std::move(lists));
    }
    return std::optional<Lists>();
  }

  // False where it stopped before a list that is not regular.
  Result<bool> ReadRowGroup(int row_group, const Lists& lists, RegularLists* column) {
    VECLOAD_ASSIGN_OR_RETURN(
        const auto others,
        FromArrow(reader_.GetRecordBatchReader({row_group}, lists.other_leaves), uri_));
    while (!cutter_.done()) {
      VECLOAD_ASSIGN_OR_RETURN(auto batch, FromArrow(others->Next(), uri_));
      if (batch == nullptr) return true;
      VECLOAD_ASSIGN_OR_RETURN(const auto array, FromArrow(column->Next(batch->num_rows()), uri_));
      if (array == nullptr) return false;
      VECLOAD_ASSIGN_OR_RETURN(
          batch, FromArrow(batch->AddColumn(batch->num_columns(), lists.field, array), uri_));
      VECLOAD_RETURN_IF_ERROR(cutter_.Take(batch));
    }
    return true;
  }

  const std::string& uri_;
  parquet::arrow::FileReader& reader_;
  const RowRange& range_;
  BatchCutter& cutter_;
  std::vector<int> leaves_;
};

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
  std::vector<Chunk> chunks;
  for (const RowGroup& row_group : RowGroupsFrom(range.row_begin, range)) {
    const auto group = file.footer->RowGroup(row_group.number);
    const uint64_t rows = range.row_group_rows[static_cast<size_t>(row_group.number)];
    for (const int leaf : LeavesOf(*file.footer->schema(), range.columns)) {
      const Chunk chunk = ChunkOf(*group->ColumnChunk(leaf), row_group.row_begin, rows);
      if (chunk.offset >= 0 && chunk.bytes > 0 && chunk.bytes <= file.size - chunk.offset) {
        chunks.push_back(chunk);
      }
    }
  }
  return CutChunks(std::move(chunks), range.row_end, range_bytes_max);
}

Status ReadParquetRows(const DataFile& file, const RowRange& range, const BatchCallback& deliver) {
  VECLOAD_RETURN_IF_ERROR(CheckUnchanged(file, range));
  const std::vector<RowGroup> row_groups = RowGroupsFrom(range.row_begin, range);
  if (row_groups.empty()) return Status::Ok();
  auto raw = parquet::ParquetFileReader::Open(file.file, ReaderProperties(), file.footer);
  VECLOAD_ASSIGN_OR_RETURN(
      const auto reader,
      FromArrow(parquet::arrow::FileReader::Make(arrow::default_memory_pool(), std::move(raw),
                                                 ArrowProperties(range.batch_rows_max)),
                file.uri));
  BatchCutter cutter(file.uri, row_groups.front().row_begin, range, deliver);
  RowReader rows(file.uri, reader.get(), range, &cutter);
  VECLOAD_RETURN_IF_ERROR(rows.ReadRegular());
  return rows.ReadAny();
}

}  // namespace vecload::source
