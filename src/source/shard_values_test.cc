// Goal: a row's shard value is the text of its column, whatever the column's type and format, and
// which values there are is told with a bound. Method: files written by Arrow, read whole.
#include "source/shard_values.h"

#include <filesystem>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "source/testing_files.h"

namespace vecload::source {
namespace {

using testing::Column;
using ::testing::ElementsAre;
using testing::FromJson;
using ::testing::HasSubstr;
using testing::NamedColumn;
using ::testing::Pair;
using testing::ReadRow;
using testing::TableOf;
using Values = std::vector<std::optional<std::string>>;

const std::atomic<bool>* const kNoStop = nullptr;

NamedColumn Keys(const std::string& json) { return Column("id", arrow::utf8(), json); }
NamedColumn Vectors(const std::string& json) {
  return Column("embedding", arrow::fixed_size_list(arrow::float32(), 1), json);
}

std::map<std::string, uint64_t> RowsByValue(const ShardValues& found) {
  std::map<std::string, uint64_t> rows;
  for (const ShardValues::Value& value : found.values) rows[value.text] = value.rows;
  return rows;
}

class ShardValuesTest : public ::testing::Test {
 protected:
  std::string Write(const std::string& name, const arrow::Table& table) {
    const std::string path = folder_.Path(name);
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    if (name.ends_with(".arrow")) {
      testing::WriteIpc(path, table);
    } else {
      testing::WriteParquet(path, table);
    }
    return path;
  }
  static Values ValuesOf(const std::vector<ReadRow>& rows) {
    Values values;
    for (const ReadRow& row : rows) values.push_back(row.shard_value);
    return values;
  }
  // Read with vectors, with keys alone and alone.
  static void ExpectValues(const std::string& path, const Values& expected) {
    const std::vector<std::string> paths = {path};
    const auto source = OpenSource(paths, {.metadata_columns = {"none"}, .shard_by = "tenant"});
    ASSERT_TRUE(source.ok()) << source.status().ToString();
    ReadRequest request{.row_end = 100, .block_rows_max = 3, .non_filterable_keys = {}};
    for (int way = 0; way < 3; ++way) {
      request.keys_only = way == 1;
      request.shard_values_only = way == 2;
      const auto rows = testing::ReadRange(source->get(), request);
      ASSERT_TRUE(rows.ok()) << rows.status().ToString();
      EXPECT_EQ(ValuesOf(*rows), expected) << way;
      for (const ReadRow& row : *rows) {
        EXPECT_EQ(row.fault,
                  row.shard_value.has_value() ? RejectRule::kNone : RejectRule::kShardValueMissing);
        EXPECT_EQ(row.key.empty(), way == 2);
        EXPECT_EQ(row.vector.empty(), way != 0);
      }
    }
  }

  TestingFolder folder_;
};

TEST_F(ShardValuesTest, ATextIsMadeOfEveryTypeThatCanDivide) {
  const auto words = arrow::dictionary(arrow::int8(), arrow::utf8());
  const std::vector<std::pair<std::shared_ptr<arrow::Array>, Values>> columns = {
      {FromJson(arrow::utf8(), R"(["a", "", null, "Ü"])"), {"a", "", std::nullopt, "Ü"}},
      {FromJson(arrow::large_utf8(), R"(["a", "", null, "b"])"), {"a", "", std::nullopt, "b"}},
      {FromJson(arrow::int8(), "[-128, 0, null, 127]"), {"-128", "0", std::nullopt, "127"}},
      {FromJson(arrow::uint64(), "[18446744073709551615, 0, 1, 2]"),
       {"18446744073709551615", "0", "1", "2"}},
      {FromJson(arrow::boolean(), "[true, false, null, true]"),
       {"true", "false", std::nullopt, "true"}},
      {arrow::DictionaryArray::FromArrays(words, FromJson(arrow::int8(), "[1, 0, null, 2]"),
                                          FromJson(arrow::utf8(), R"(["a", "b", null])"))
           .ValueOrDie(),
       {"b", "a", std::nullopt, std::nullopt}},
  };
  for (const auto& [array, expected] : columns) {
    const auto table = TableOf(
        {Keys(R"(["k", "l", "m", "n"])"), Vectors("[[1], [2], [3], [4]]"), {"tenant", array}});
    for (const std::string name : {"a.parquet", "a.arrow"}) {
      // Parquet's writer refuses a null among the words.
      if (array->type()->id() == arrow::Type::DICTIONARY && name == "a.parquet") continue;
      SCOPED_TRACE(name + " " + array->type()->ToString());
      ExpectValues(Write(name, *table), expected);
    }
  }
}

TEST_F(ShardValuesTest, OtherTypesAreRefused) {
  for (const auto& column :
       {Column("tenant", arrow::float64(), "[1]"), Column("tenant", arrow::binary(), R"(["a"])"),
        Column("tenant", arrow::list(arrow::utf8()), R"([["a"]])"),
        Column("tenant", arrow::date32(), "[1]")}) {
    const auto table = TableOf({Keys(R"(["k"])"), Vectors("[[1]]"), column});
    const std::vector<std::string> paths = {Write("a.parquet", *table)};
    const Status status =
        OpenSource(paths, {.metadata_columns = {"none"}, .shard_by = "tenant"}).status();
    EXPECT_EQ(status.code(), Code::kInvalidArgument) << column.values->type()->ToString();
    EXPECT_THAT(status.message(), HasSubstr("--shard-by"));
  }
}

TEST_F(ShardValuesTest, TheColumnIsNoCandidateForTheKey) {
  const auto table = TableOf({Column("tenant", arrow::utf8(), R"(["a"])"), Vectors("[[1]]"),
                              Column("name", arrow::utf8(), R"(["n"])")});
  const std::vector<std::string> paths = {Write("a.parquet", *table)};
  EXPECT_FALSE(OpenSource(paths, {}).ok()) << "two candidates";
  const auto source = OpenSource(paths, {.shard_by = "tenant"});
  ASSERT_TRUE(source.ok()) << source.status().ToString();
  EXPECT_EQ((*source)->mapping().key, "name");
  EXPECT_THAT((*source)->mapping().metadata, ElementsAre("tenant"));
}

TEST_F(ShardValuesTest, AreCountedOverAllFiles) {
  const auto table = [](const std::string& tenants) {
    return TableOf({Keys(R"(["k", "l", "m"])"), Vectors("[[1], [2], [3]]"),
                    Column("tenant", arrow::utf8(), tenants)});
  };
  const std::vector<std::string> paths = {Write("1.parquet", *table(R"(["b", "b", null])")),
                                          Write("2.arrow", *table(R"(["a", "b", ""])"))};
  const auto source = OpenSource(paths, {.shard_by = "tenant"});
  ASSERT_TRUE(source.ok()) << source.status().ToString();
  const auto found = FindShardValues(source->get(), 3, kNoStop);
  ASSERT_TRUE(found.ok()) << found.status().ToString();
  EXPECT_THAT(RowsByValue(*found), ElementsAre(Pair("", 1), Pair("a", 1), Pair("b", 3)));
  EXPECT_EQ(found->rows_without, 1U);

  const Status many = FindShardValues(source->get(), 2, kNoStop).status();
  EXPECT_EQ(many.code(), Code::kInvalidArgument);
  EXPECT_THAT(many.message(), HasSubstr("more than 2 values"));
  const std::atomic<bool> stop = true;
  EXPECT_EQ(FindShardValues(source->get(), 3, &stop).status().code(), Code::kCancelled);
}

TEST_F(ShardValuesTest, APartitionIsTheFoldersTextAndNothingIsRead) {
  const auto table = TableOf({Keys(R"(["k", "l"])"), Vectors("[[1], [2]]")});
  const std::vector<std::string> paths = {
      Write("tenant=007/a.parquet", *table), Write("tenant=7/a.parquet", *table),
      Write("tenant=__HIVE_DEFAULT_PARTITION__/a.parquet", *table), Write("a.parquet", *table)};
  const auto source = OpenSource(paths, {.shard_by = "tenant"});
  ASSERT_TRUE(source.ok()) << source.status().ToString();
  EXPECT_TRUE((*source)->mapping().shard_by_is_partition);
  const auto found = FindShardValues(source->get(), 9, kNoStop);
  ASSERT_TRUE(found.ok()) << found.status().ToString();
  EXPECT_THAT(RowsByValue(*found), ElementsAre(Pair("007", 2), Pair("7", 2)));
  EXPECT_EQ(found->rows_without, 4U);
  const Values expected[] = {{"007", "007"}, {"7", "7"}, Values(2), Values(2)};
  for (uint32_t file = 0; file < 4; ++file) {
    for (const bool keys_only : {false, true}) {
      const auto rows = testing::ReadRange(source->get(), {.file = file,
                                                           .row_end = 2,
                                                           .block_rows_max = 5,
                                                           .non_filterable_keys = {},
                                                           .keys_only = keys_only});
      ASSERT_TRUE(rows.ok()) << rows.status().ToString();
      EXPECT_EQ(ValuesOf(*rows), expected[file]) << file;
    }
  }
}

TEST_F(ShardValuesTest, LongRunsOfOneValueAreKnown) {
  // Rows of "a" in two files, then a short run, then "a" again up to a null.
  std::string keys = "[\"k\"";
  std::string vectors = "[[1]";
  for (int i = 1; i < 12'000; ++i) {
    keys += ",\"k\"";
    vectors += ",[1]";
  }
  const auto table = [&](const std::string& tenants) {
    return TableOf({Keys(keys + "]"), Vectors(vectors + "]"),
                    Column("tenant", arrow::utf8(), "[" + tenants + "]")});
  };
  const auto times = [](const std::string& text, int count) {
    std::string all = text;
    for (int i = 1; i < count; ++i) all += "," + text;
    return all;
  };
  const std::vector<std::string> paths = {
      Write("1.parquet", *table(times("\"b\"", 6'000) + "," + times("\"a\"", 6'000))),
      Write("2.parquet", *table(times("\"a\"", 12'000))),
      Write("3.parquet", *table(times("null", 1) + "," + times("\"b\"", 11'999)))};
  const auto source = OpenSource(paths, {.shard_by = "tenant"});
  ASSERT_TRUE(source.ok()) << source.status().ToString();
  const auto found = FindShardValues(source->get(), 3, kNoStop);
  ASSERT_TRUE(found.ok()) << found.status().ToString();
  ASSERT_EQ(found->runs.size(), 2U);
  EXPECT_EQ(found->runs[0].begin, 6'000U);
  EXPECT_EQ(found->runs[0].end, 24'000U);
  EXPECT_EQ(found->values[found->runs[0].value].text, "a");
  EXPECT_EQ(found->runs[1].begin, 24'001U);
  EXPECT_EQ(found->runs[1].end, 36'000U);
  EXPECT_EQ(found->values[found->runs[1].value].text, "b");
}

TEST_F(ShardValuesTest, AColumnInOneFileAndAFolderOfAnotherAreRefused) {
  const auto plain = TableOf({Keys(R"(["k"])"), Vectors("[[1]]")});
  const auto with =
      TableOf({Keys(R"(["k"])"), Vectors("[[1]]"), Column("tenant", arrow::utf8(), R"(["a"])")});
  const std::vector<std::string> paths = {Write("tenant=a/a.parquet", *plain),
                                          Write("b.parquet", *with)};
  const Status status =
      OpenSource(paths, {.metadata_columns = {"none"}, .shard_by = "tenant"}).status();
  EXPECT_EQ(status.code(), Code::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("b.parquet"));
}

}  // namespace
}  // namespace vecload::source
