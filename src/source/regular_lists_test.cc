// Goal: lists read as regular ones are what Arrow's own reader gives, and where one list is longer,
// shorter, empty, null or has a null in it, each row still is what was written, wherever it stands.
// Method: tables are written as Parquet and as Arrow IPC, whose reader shares nothing with the one
// under test, and read back by the public Source. Odd lists are paired so that the chunk's counts
// of rows and levels stay those of regular lists: only the levels themselves tell.
#include "source/regular_lists.h"

#include <algorithm>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "source/testing_files.h"

namespace vecload::source {
namespace {

using testing::Column;
using testing::ReadRow;
using testing::TableOf;
using testing::WriteIpc;
using testing::WriteParquet;

constexpr int kLength = 64;
constexpr int kRows = 2'600;
constexpr int kRowGroupRows = 1'300;  // 83,200 levels: enough to be taken as regular
constexpr uint32_t kBlockRows = 500;

enum class Odd { kLonger, kShorter, kHalf, kEmpty, kNull, kNullElement };

struct OddRow {
  int row = 0;
  Odd odd{};
};

std::string ListJson(int row, int length, bool has_null) {
  std::string json = "[";
  for (int i = 0; i < length; ++i) {
    if (i > 0) json += ',';
    json += has_null && i == length / 2 ? "null" : std::to_string(row * 2 * kLength + i);
  }
  return json + "]";
}

// How many levels more than a regular list's one with this odd has.
int Surplus(Odd odd) {
  switch (odd) {
    case Odd::kLonger:
      return 1;
    case Odd::kShorter:
      return -1;
    case Odd::kHalf:
      return -kLength / 2;
    case Odd::kEmpty:
    case Odd::kNull:
      return 1 - kLength;  // one level tells of it
    case Odd::kNullElement:
      return 0;
  }
  return 0;
}

std::string OddJson(const OddRow& odd) {
  switch (odd.odd) {
    case Odd::kNull:
      return "null";
    case Odd::kEmpty:
      return "[]";
    default:
      return ListJson(odd.row, kLength + Surplus(odd.odd), odd.odd == Odd::kNullElement);
  }
}

// The row `pays` takes up what the odd rows have too few or too many.
std::shared_ptr<arrow::Table> TableWith(const std::vector<OddRow>& odd_rows, int pays,
                                        const std::shared_ptr<arrow::DataType>& type) {
  int surplus = 0;
  for (const OddRow& odd : odd_rows) surplus += Surplus(odd.odd);
  std::string keys = "[";
  std::string vectors = "[";
  for (int row = 0; row < kRows; ++row) {
    const std::string comma = row == 0 ? "" : ",";
    keys += comma + "\"k" + std::to_string(row) + "\"";
    const auto odd = std::ranges::find(odd_rows, row, &OddRow::row);
    if (odd != odd_rows.end()) {
      vectors += comma + OddJson(*odd);
    } else {
      vectors += comma + ListJson(row, kLength - (row == pays ? surplus : 0), false);
    }
  }
  return TableOf({Column("id", arrow::utf8(), keys + "]"), Column("v", type, vectors + "]")});
}

Result<std::vector<ReadRow>> ReadFile(const std::string& path, uint64_t begin, uint64_t end) {
  VECLOAD_ASSIGN_OR_RETURN(const auto source, OpenSource(std::vector<std::string>{path}, {}));
  return testing::ReadRange(
      source.get(), {.file = 0, .row_begin = begin, .row_end = end, .block_rows_max = kBlockRows});
}

void ExpectSameRows(const arrow::Table& table, uint64_t begin, uint64_t end) {
  const TestingFolder folder;
  WriteParquet(folder.Path("a.parquet"), table, kRowGroupRows);
  WriteIpc(folder.Path("b.arrow"), table);
  const auto rows = ReadFile(folder.Path("a.parquet"), begin, end);
  const auto expected = ReadFile(folder.Path("b.arrow"), begin, end);
  ASSERT_TRUE(rows.ok()) << rows.status().ToString();
  ASSERT_TRUE(expected.ok()) << expected.status().ToString();
  ASSERT_EQ(rows->size(), expected->size());
  for (size_t i = 0; i < rows->size(); ++i) {
    ASSERT_EQ((*rows)[i].key, (*expected)[i].key);
    ASSERT_EQ((*rows)[i].vector, (*expected)[i].vector) << (*rows)[i].key;
    ASSERT_EQ((*rows)[i].fault, (*expected)[i].fault) << (*rows)[i].key;
  }
}

const auto kList = arrow::list(arrow::float32());
const auto kFixedList = arrow::fixed_size_list(arrow::float32(), kLength);

TEST(RegularLists, OnesOfEitherTypeAreWhatWasWritten) {
  for (const auto& type : {kList, kFixedList}) {
    const auto table = TableWith({}, -1, type);
    ExpectSameRows(*table, 0, kRows);
    ExpectSameRows(*table, 499, 501);
    ExpectSameRows(*table, 1'299, 1'301);
    ExpectSameRows(*table, 1'700, kRows);
  }
}

TEST(RegularLists, AnOddOneIsSeenWhereverItStands) {
  // Around the ends of blocks (500, 1,000) and of the row group (1,300).
  for (const int row : {0, 1, 498, 499, 500, 501, 999, 1'000, 1'298, 1'299}) {
    for (const Odd odd : {Odd::kLonger, Odd::kShorter, Odd::kEmpty, Odd::kNull}) {
      SCOPED_TRACE("row " + std::to_string(row) + ", odd " + std::to_string(static_cast<int>(odd)));
      // Its next neighbour evens it out, so that all rows but two stand where they should.
      ExpectSameRows(*TableWith({{row, odd}}, row == 1'299 ? row - 1 : row + 1, kList), 0, kRows);
    }
  }
}

TEST(RegularLists, ANullElementIsSeenInEitherType) {
  for (const auto& type : {kList, kFixedList}) {
    ExpectSameRows(*TableWith({{0, Odd::kNullElement}}, -1, type), 0, kRows);
    ExpectSameRows(*TableWith({{777, Odd::kNullElement}}, -1, type), 0, kRows);
    ExpectSameRows(*TableWith({{2'599, Odd::kNullElement}}, -1, type), 600, kRows);
  }
}

TEST(RegularLists, OddOnesFarApartAndRangesAroundThem) {
  const auto table = TableWith({{600, Odd::kLonger}, {1'000, Odd::kNull}}, 1'250, kList);
  ExpectSameRows(*table, 0, kRows);
  ExpectSameRows(*table, 601, 1'251);
  ExpectSameRows(*table, 1'000, 1'001);
  ExpectSameRows(*table, 1'260, kRows);
}

TEST(RegularLists, TwoHalvesAreNotTakenForOne) {
  // Up to row 1,000 a list starts at each multiple of the length.
  ExpectSameRows(*TableWith({{3, Odd::kHalf}, {4, Odd::kHalf}}, 1'000, kList), 0, kRows);
}

TEST(RegularLists, AreTheUsualVectorsAndNoSmallColumns) {
  constexpr int64_t kLevels = int64_t{1'300} * kLength;
  EXPECT_TRUE(MayBeRegular(*kList, 1'300, kLevels));
  EXPECT_TRUE(MayBeRegular(*kFixedList, 1'300, kLevels));
  EXPECT_FALSE(MayBeRegular(*kList, 1'300, kLevels + 1));
  EXPECT_FALSE(MayBeRegular(*kFixedList, 1'300, kLevels + 1'300));
  EXPECT_FALSE(MayBeRegular(*kList, 0, 0));
  EXPECT_FALSE(MayBeRegular(*kList, 10, int64_t{10} * kLength));
  EXPECT_FALSE(MayBeRegular(*arrow::list(arrow::float64()), 1'300, kLevels));
}

TEST(RecycledBlocks, GiveTheMemoryOfASpentBlockAgainAndMayBeOutlived) {
  std::shared_ptr<arrow::Buffer> last;
  {
    RecycledBlocks blocks(1 << 16);
    const auto* const data = blocks.Take().ValueOrDie()->data();
    last = blocks.Take().ValueOrDie();
    EXPECT_EQ(last->data(), data);
    EXPECT_NE(blocks.Take().ValueOrDie()->data(), data);
  }
  last->mutable_data()[0] = 1;
}

}  // namespace
}  // namespace vecload::source
