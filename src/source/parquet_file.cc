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
      const Chunk chunk = ChunkOf(*lists, row_group.number);
      if (!MayBeRegular(*lists->field->type(), chunk.rows, chunk.levels) ||
          chunk.levels / chunk.rows != lists->length) {
        return Status::Ok();
      }
      RegularLists column(reader_.parquet_reader()->RowGroup(row_group.number)->Column(lists->leaf),
                          lists->field->type(), chunk.rows, chunk.levels, &blocks);
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
  struct Chunk {
    int64_t rows = 0;
    int64_t levels = 0;
  };

  Status EndsEarly() const {
    return Status::Corrupt(uri_ + ": ends at row " + std::to_string(cutter_.row()) +
                           ", before the rows that its footer promises");
  }

  Chunk ChunkOf(const Lists& lists, int row_group) const {
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
      const Chunk chunk = ChunkOf(lists, row_groups.front().number);
      if (lists.field == nullptr || !MayBeRegular(*lists.field->type(), chunk.rows, chunk.levels)) {
        continue;
      }
      lists.length = chunk.levels / chunk.rows;
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

Status ReadParquetRows(const std::string& uri, std::shared_ptr<arrow::io::RandomAccessFile> file,
                       const RowRange& range, const BatchCallback& deliver) {
  auto raw = parquet::ParquetFileReader::Open(std::move(file), ReaderProperties());
  const auto metadata = raw->metadata();
  if (!std::ranges::equal(RowGroupRows(*metadata), range.row_group_rows)) {
    return Status::Conflict(uri + ": the file has changed since the job was planned");
  }
  VECLOAD_ASSIGN_OR_RETURN(
      const auto reader,
      FromArrow(parquet::arrow::FileReader::Make(arrow::default_memory_pool(), std::move(raw),
                                                 ArrowProperties(range.batch_rows_max)),
                uri));
  const std::vector<RowGroup> row_groups = RowGroupsFrom(range.row_begin, range);
  if (row_groups.empty()) return Status::Ok();
  BatchCutter cutter(uri, row_groups.front().row_begin, range, deliver);
  RowReader rows(uri, reader.get(), range, &cutter);
  VECLOAD_RETURN_IF_ERROR(rows.ReadRegular());
  return rows.ReadAny();
}

}  // namespace vecload::source
