// Goal: columns are found by themselves where there is one candidate, and every other case ends in
// a message that lists what there is. Method: schemas alone, no file.
#include "source/column_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "source/testing_files.h"
#include "source/vector_columns.h"

namespace vecload::source {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const auto kText = arrow::utf8();
const auto kVector = arrow::fixed_size_list(arrow::float32(), 4);

arrow::Schema SchemaWith(
    std::vector<std::pair<std::string, std::shared_ptr<arrow::DataType>>> columns) {
  arrow::FieldVector fields;
  for (auto& [name, type] : columns) fields.push_back(arrow::field(name, type));
  return arrow::Schema(fields);
}

// "key vector [metadata]", or the message.
std::string Choose(const arrow::Schema& schema, const SourceOptions& options = {},
                   const std::vector<std::string>& partitions = {}) {
  const auto mapping = ChooseColumns(schema, partitions, options, "f");
  if (!mapping.ok()) {
    EXPECT_EQ(mapping.status().code(), Code::kInvalidArgument);
    return mapping.status().message();
  }
  std::string text = mapping->key + " " + mapping->vector;
  for (const std::string& name : mapping->metadata) text += " " + name;
  return text + (mapping->metadata_json.empty() ? "" : " json:" + mapping->metadata_json);
}

TEST(ColumnPlan, FindsThePlainTable) {
  EXPECT_EQ(
      Choose(SchemaWith({{"id", kText}, {"v", kVector}, {"title", kText}, {"n", arrow::int64()}})),
      "id v title n");
  EXPECT_EQ(Choose(SchemaWith({{"name", kText}, {"v", arrow::list(arrow::float64())}})), "name v");
  EXPECT_EQ(Choose(SchemaWith({{"ID", arrow::int64()}, {"t", kText}, {"v", kVector}})), "ID v t");
  EXPECT_EQ(Choose(SchemaWith({{"id", kText},
                               {"v", arrow::fixed_size_list(arrow::int8(), 8)},
                               {"tags", arrow::list(arrow::int64())}})),
            "id v tags");
}

TEST(ColumnPlan, NamesDecideAndTypesDoNotWhereTwoCouldBe) {
  EXPECT_THAT(Choose(SchemaWith({{"a", kText}, {"b", arrow::int64()}, {"v", kVector}})),
              HasSubstr("several columns could be the key; pass --key-column NAME; candidates: "
                        "a (string), b (int64)"));
  EXPECT_THAT(Choose(SchemaWith({{"id", kText}, {"key", kText}, {"v", kVector}})),
              HasSubstr("candidates: id (string), key (string)"));
  EXPECT_THAT(
      Choose(SchemaWith({{"id", kText}, {"v", kVector}, {"w", arrow::list(arrow::float16())}})),
      HasSubstr("several columns could be the vector; pass --vector-column NAME; candidates: v "
                "(fixed_size_list<item: float>[4]), w (list<item: halffloat>)"));
}

TEST(ColumnPlan, SaysWhatThereIsWhereNothingFits) {
  EXPECT_THAT(Choose(SchemaWith({{"id", kText}, {"n", arrow::int64()}})),
              HasSubstr("f: no column looks like the vector; pass --vector-column NAME; the file "
                        "has: id (string), n (int64)"));
  EXPECT_THAT(Choose(SchemaWith({{"v", kVector}, {"x", arrow::float64()}})),
              HasSubstr("no column looks like the key; pass --key-column NAME"));
  EXPECT_THAT(Choose(SchemaWith({{"id", kText}, {"v", arrow::binary()}})),
              HasSubstr("no column looks like the vector"));
}

TEST(ColumnPlan, TakesWhatIsNamed) {
  const auto schema = SchemaWith(
      {{"id", kText}, {"key", kText}, {"v", kVector}, {"bytes", arrow::binary()}, {"t", kText}});
  EXPECT_EQ(Choose(schema, {.key_column = "key", .metadata_columns = {"t"}}), "key v t");
  EXPECT_EQ(
      Choose(schema, {.key_column = "id", .vector_column = "bytes", .metadata_columns = {"none"}}),
      "id bytes");
  EXPECT_THAT(Choose(schema, {.key_column = "nokey"}),
              HasSubstr("f: no column \"nokey\"; the file has: id (string)"));
  EXPECT_THAT(Choose(schema, {.key_column = "id", .vector_column = "t"}),
              HasSubstr("column t (string) cannot be the vector"));
  EXPECT_THAT(Choose(schema, {.key_column = "v"}), HasSubstr("cannot be the key"));
  EXPECT_THAT(Choose(schema, {.key_column = "id", .metadata_columns = {"nothing"}}),
              HasSubstr("no column \"nothing\""));
}

TEST(ColumnPlan, RefusesUnsupportedMetadataUnlessOthersAreChosen) {
  const auto schema =
      SchemaWith({{"id", kText}, {"v", kVector}, {"m", arrow::map(kText, kText)}, {"t", kText}});
  EXPECT_THAT(Choose(schema), HasSubstr("column \"m\" of type map<string, string> cannot be"));
  EXPECT_EQ(Choose(schema, {.metadata_columns = {"t"}}), "id v t");
  EXPECT_EQ(Choose(schema, {.metadata_json = "t"}), "id v json:t");
}

TEST(ColumnPlan, JsonIsAStringColumnAndStandsAlone) {
  const auto schema = SchemaWith({{"id", kText}, {"v", kVector}, {"n", arrow::int64()}});
  EXPECT_THAT(Choose(schema, {.metadata_json = "n"}),
              HasSubstr("column n (int64) cannot be --metadata-json"));
  EXPECT_THAT(Choose(schema, {.metadata_columns = {"n"}, .metadata_json = "id"}),
              HasSubstr("exclude each other"));
}

TEST(ColumnPlan, AFileThatAnExportWroteNeedsNoWord) {
  const auto columns = PlanVectorColumns(
      {.dimension = 4, .typed = {{"id", MetadataType::kString}, {"w", MetadataType::kDoubles}}});
  ASSERT_TRUE(columns.ok());
  const arrow::Schema& schema = *(*columns)->schema;
  EXPECT_EQ(Choose(schema), "key vector json:metadata");
  EXPECT_EQ(Choose(schema, {.metadata_columns = {"id"}}), "key vector id");
  EXPECT_EQ(Choose(schema, {.key_column = "id", .metadata_columns = {"none"}}), "id vector");
  const auto more = schema.AddField(schema.num_fields(), arrow::field("label", kText));
  EXPECT_THAT(Choose(**more), HasSubstr("pass --vector-column")) << "whose the new column is";
}

TEST(ColumnPlan, TwoColumnsMayNotMakeOneKey) {
  const auto schema = SchemaWith({{"id", kText},
                                  {"v", kVector},
                                  {"a.b", kText},
                                  {"a", arrow::struct_({arrow::field("b", kText)})}});
  EXPECT_THAT(Choose(schema), HasSubstr("two columns make the metadata key \"a.b\""));
  EXPECT_THAT(Choose(SchemaWith({{"id", kText}, {"v", kVector}, {"t", kText}, {"t", kText}})),
              HasSubstr("several columns are named \"t\""));
}

TEST(ColumnPlan, PartitionsAreMetadataUnlessAColumnHasTheName) {
  const auto schema = SchemaWith({{"id", kText}, {"v", kVector}, {"year", arrow::int64()}});
  EXPECT_EQ(Choose(schema, {}, {"year", "lang"}), "id v year lang");
  EXPECT_EQ(Choose(schema, {.metadata_columns = {"lang"}}, {"year", "lang"}), "id v lang");
}

std::string Compare(const arrow::Schema& a, const arrow::Schema& b,
                    const SourceOptions& options = {}) {
  const auto mapping = ChooseColumns(a, {}, options, "a.parquet");
  const Status status = CheckSameColumns({a, "a.parquet"}, {b, "b.parquet"}, *mapping, options);
  return status.ok() ? "same" : status.message();
}

TEST(ColumnPlan, FilesMustHaveTheSameColumns) {
  const auto a = SchemaWith({{"id", kText}, {"v", kVector}, {"n", arrow::int64()}});
  EXPECT_EQ(Compare(a, SchemaWith({{"n", arrow::int32()},
                                   {"id", arrow::dictionary(arrow::int8(), kText)},
                                   {"v", kVector}})),
            "same");
  EXPECT_EQ(Compare(a, SchemaWith({{"id", kText}, {"v", kVector}, {"n", arrow::null()}})), "same");
  EXPECT_EQ(Compare(a, SchemaWith({{"id", kText}, {"v", kVector}})),
            "the columns of the files differ: a.parquet has n (int64), b.parquet has no such "
            "column; name them in commands of their own");
  EXPECT_THAT(Compare(a, SchemaWith({{"id", kText},
                                     {"v", arrow::fixed_size_list(arrow::float32(), 5)},
                                     {"n", arrow::int64()}})),
              HasSubstr("b.parquet has v (fixed_size_list<item: float>[5])"));
  const auto more =
      SchemaWith({{"id", kText}, {"v", kVector}, {"n", arrow::int64()}, {"x", kText}});
  EXPECT_THAT(Compare(a, more),
              HasSubstr("b.parquet has x (string), a.parquet has no such column"));
  EXPECT_EQ(Compare(a, more, {.metadata_columns = {"n"}}), "same");
}

}  // namespace
}  // namespace vecload::source
