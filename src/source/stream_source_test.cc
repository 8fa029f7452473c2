// Goal: a stream's rows come as a file's do, in place and in any order of ranges that a stream
// allows, and what breaks it is told. Method: streams exported by Arrow itself from tables, and one
// reader that breaks.
#include <arrow/c/abi.h>
#include <arrow/c/bridge.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "source/testing_files.h"
#include "vecload/stream.h"

namespace vecload::source {
namespace {

using testing::Column;
using ::testing::HasSubstr;
using testing::PlainTable;
using testing::ReadRange;
using testing::ReadRow;
using testing::TableOf;

// Batches of `batch_rows`; breaks where the table ends, if it is told so.
class TestReader : public arrow::RecordBatchReader {
 public:
  TestReader(std::shared_ptr<arrow::Table> table, int64_t batch_rows, bool breaks)
      : table_(std::move(table)), reader_(*table_), breaks_(breaks) {
    reader_.set_chunksize(batch_rows);
  }
  [[nodiscard]] std::shared_ptr<arrow::Schema> schema() const override { return table_->schema(); }
  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    ARROW_RETURN_NOT_OK(reader_.ReadNext(batch));
    if (*batch == nullptr && breaks_) return arrow::Status::IOError("the cable broke");
    return arrow::Status::OK();
  }

 private:
  std::shared_ptr<arrow::Table> table_;
  arrow::TableBatchReader reader_;
  bool breaks_;
};

struct Told {
  std::optional<uint64_t> rows;
  bool is_repeatable = false;
  bool breaks = false;
};

Result<std::unique_ptr<Source>> Open(const std::shared_ptr<arrow::Table>& table, Told told = {},
                                     const SourceOptions& options = {}) {
  const auto open = [table, told](ArrowArrayStream* stream) {
    const auto reader = std::make_shared<TestReader>(table, 4, told.breaks);
    CHECK(arrow::ExportRecordBatchReader(reader, stream).ok());
    return Status::Ok();
  };
  return OpenStream(
      {.name = "t", .rows = told.rows, .open = open, .is_repeatable = told.is_repeatable}, options);
}

ReadRequest Rows(uint64_t begin, uint64_t end) {
  return {.row_begin = begin, .row_end = end, .block_rows_max = 3, .non_filterable_keys = {}};
}

std::string Keys(const Result<std::vector<ReadRow>>& rows) {
  if (!rows.ok()) return rows.status().ToString();
  std::string text;
  for (const ReadRow& row : *rows) text += (text.empty() ? "" : " ") + row.key;
  return text;
}

TEST(StreamSource, GivesTheRowsOfAStreamInRanges) {
  auto source = *Open(PlainTable(10));
  EXPECT_EQ(source->manifest().files.front().uri, "stream:t");
  EXPECT_EQ(source->manifest().rows, kRowsUnknown);
  EXPECT_EQ(*source->Dimension(), 2U);
  EXPECT_EQ(Keys(ReadRange(source.get(), Rows(1, 3))), "k1 k2");
  // Within the batch of the range before, and over two ends of batches.
  EXPECT_EQ(Keys(ReadRange(source.get(), Rows(3, 9))), "k3 k4 k5 k6 k7 k8");
  EXPECT_EQ(Keys(ReadRange(source.get(), Rows(9, kRowsUnknown))), "k9");
  EXPECT_EQ(source->RowsKnown(), 10U);
}

TEST(StreamSource, UsesTheCallersMemory) {
  const auto table = PlainTable(4);
  const auto& list =
      static_cast<const arrow::FixedSizeListArray&>(*table->GetColumnByName("embedding")->chunk(0));
  const auto* floats = static_cast<const arrow::FloatArray&>(*list.values()).raw_values();
  auto source = *Open(table);
  const Status status = source->Read(Rows(1, 2), [&](const RowBlock& block) {
    EXPECT_EQ(block.rows.front().vector.data(), floats + 2);
    return Status::Ok();
  });
  EXPECT_TRUE(status.ok()) << status.ToString();
}

TEST(StreamSource, GoesBackOnlyWhereTheStreamIsRepeatable) {
  auto once = *Open(PlainTable(10), {.rows = 10});
  EXPECT_FALSE(once->CanReadAgain());
  EXPECT_EQ(Keys(ReadRange(once.get(), Rows(0, 10))), "k0 k1 k2 k3 k4 k5 k6 k7 k8 k9");
  EXPECT_EQ(ReadRange(once.get(), Rows(2, 4)).status().code(), Code::kInternal);
  auto table = *Open(PlainTable(10), {.rows = 10, .is_repeatable = true});
  EXPECT_TRUE(table->CanReadAgain());
  EXPECT_EQ(Keys(ReadRange(table.get(), Rows(5, 10))), "k5 k6 k7 k8 k9");
  EXPECT_EQ(Keys(ReadRange(table.get(), Rows(2, 4))), "k2 k3");
}

TEST(StreamSource, RowsBeforeAFailureAreGiven) {
  auto source = *Open(PlainTable(8), {.breaks = true});
  std::vector<std::string> keys;
  const Status status = source->Read(Rows(0, kRowsUnknown), [&](const RowBlock& block) {
    for (const SourceRow& row : block.rows) keys.emplace_back(row.key);
    return Status::Ok();
  });
  EXPECT_EQ(status.code(), Code::kIo);
  EXPECT_THAT(status.message(), HasSubstr("stream:t: failed after 8 rows: "));
  EXPECT_THAT(status.message(), HasSubstr("the cable broke"));
  EXPECT_EQ(keys.size(), 8U);
  EXPECT_EQ(source->RowsKnown(), 8U);
}

TEST(StreamSource, AStreamThatIsShorterThanToldIsRefused) {
  auto source = *Open(PlainTable(8), {.rows = 9});
  const auto rows = ReadRange(source.get(), Rows(0, 9));
  EXPECT_EQ(rows.status().code(), Code::kConflict);
  EXPECT_THAT(rows.status().message(), HasSubstr("ended after 8 rows"));
}

TEST(StreamSource, FindsTheDimensionOfListsWithoutLosingARow) {
  const auto table = TableOf({Column("id", arrow::utf8(), R"(["a","b","c","d","e","f"])"),
                              Column("embedding", arrow::list(arrow::float32()),
                                     "[null,null,null,null,[1,2,3],[4,5,6]]")});
  auto source = *Open(table);
  EXPECT_EQ(source->mapping().dimension, 0U);
  EXPECT_EQ(*source->Dimension(), 3U);
  EXPECT_EQ(Keys(ReadRange(source.get(), Rows(0, kRowsUnknown))), "a b c d e f");
}

TEST(StreamSource, NoVectorNoDimension) {
  const auto table = TableOf({Column("id", arrow::utf8(), R"(["a"])"),
                              Column("embedding", arrow::list(arrow::float32()), "[null]")});
  EXPECT_EQ((*Open(table))->Dimension().status().code(), Code::kInvalidArgument);
}

TEST(StreamSource, SaysWhatIsWrongWithColumns) {
  const auto no_key = TableOf({Column("embedding", arrow::list(arrow::float32()), "[[1]]")});
  const Status status = Open(no_key).status();
  EXPECT_EQ(status.code(), Code::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("stream:t"));
}

TEST(StreamSource, AStreamThatCannotBeOpenedSaysWhy) {
  const Status status =
      OpenStream(
          {.name = "t", .open = [](ArrowArrayStream*) { return Status::Denied("not today"); }}, {})
          .status();
  EXPECT_EQ(status.code(), Code::kDenied);
}

}  // namespace
}  // namespace vecload::source
