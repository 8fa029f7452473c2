// Goal: a key has a column exactly where load gets the same metadata back from it, and what is
// chosen does not depend on the order in which vectors are seen. Method: metadata as text; keys
// beyond the bound in both orders, in one survey and in several.
#include "audit/export_columns.h"

#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vecload::audit {
namespace {

using source::MetadataType;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

ExportColumns ColumnsOf(const std::vector<std::string>& metadata) {
  ColumnSurvey survey;
  for (const std::string& one : metadata) EXPECT_TRUE(survey.Add(one)) << one;
  return survey.Columns();
}

// The type of key "k" whose values these are, or "none".
std::string TypeOf(const std::vector<std::string>& values) {
  std::vector<std::string> metadata;
  for (const std::string& value : values) metadata.push_back("{\"k\":" + value + "}");
  const ExportColumns columns = ColumnsOf(metadata);
  EXPECT_EQ(columns.has_json, columns.typed.empty());
  return columns.typed.empty() ? "none"
                               : std::string(source::MetadataTypeName(columns.typed.front().type));
}

TEST(ColumnSurvey, FindsTheOneTypeThatGivesAllValuesBack) {
  EXPECT_EQ(TypeOf({R"("a")", R"("")"}), "string");
  EXPECT_EQ(TypeOf({"true", "false"}), "boolean");
  EXPECT_EQ(TypeOf({"1", "-9007199254740992", "2.0", "0"}), "integer");
  EXPECT_EQ(TypeOf({"1", "0.5"}), "number");
  EXPECT_EQ(TypeOf({"9007199254740994"}), "number") << "beyond 2^53 neighbours are not integers";
  EXPECT_EQ(TypeOf({"0", "-0.0"}), "number");
  EXPECT_EQ(TypeOf({R"(["a"])", R"(["b","c"])"}), "list of strings");
  EXPECT_EQ(TypeOf({"[1]", "[2,3]"}), "list of integers");
  EXPECT_EQ(TypeOf({"[1]", "[2,0.5]"}), "list of numbers");
}

TEST(ColumnSurvey, AKeyOfSeveralTypesHasNoColumn) {
  EXPECT_EQ(TypeOf({"1", R"("1")"}), "none");
  EXPECT_EQ(TypeOf({"true", "1"}), "none");
  EXPECT_EQ(TypeOf({"1", "[1]"}), "none");
  EXPECT_EQ(TypeOf({"[1]", R"(["1"])"}), "none");
  const ExportColumns columns = ColumnsOf({R"({"k":1,"fine":1})", R"({"k":true})"});
  EXPECT_THAT(columns.keys_without_column,
              ElementsAre(Pair("k", "several types: boolean, integer")));
  EXPECT_THAT(columns.typed, ElementsAre(source::TypedKey{"fine", MetadataType::kInt64}));
  EXPECT_TRUE(columns.has_json);
}

TEST(ColumnSurvey, NamesThatAreTakenOrNoneHaveNoColumn) {
  const ExportColumns columns =
      ColumnsOf({R"({"key":1,"vector":1,"metadata":1,"":1,"a\u0000b":1,"Key":1,"a.b":1})"});
  std::vector<std::string> names;
  for (const auto& [name, why] : columns.keys_without_column) names.push_back(name);
  EXPECT_THAT(names, UnorderedElementsAre("key", "vector", "metadata", "", std::string("a\0b", 3)));
  EXPECT_EQ(columns.typed.size(), 2);
}

TEST(ColumnSurvey, OfTooManyKeysItTakesTheSameInAnyOrder) {
  std::vector<std::string> metadata;
  for (size_t i = 0; i < kTypedColumnsMax + 200; ++i) {
    metadata.push_back(fmt::format(R"({{"k{:05}":{}}})", i, i));
    metadata.push_back(fmt::format(R"({{"k{:05}":0.5}})", i));
  }
  const ExportColumns forward = ColumnsOf(metadata);
  EXPECT_EQ(forward.typed.size(), kTypedColumnsMax);
  EXPECT_TRUE(forward.has_json);
  EXPECT_EQ(forward.typed.back().name, "k00999");
  EXPECT_EQ(forward.typed.back().type, MetadataType::kDouble);
  const ExportColumns backward = ColumnsOf({metadata.rbegin(), metadata.rend()});
  EXPECT_EQ(backward.typed, forward.typed);

  std::vector<ColumnSurvey> parts(3);
  for (size_t i = 0; i < metadata.size(); ++i) ASSERT_TRUE(parts[i % 3].Add(metadata[i]));
  parts[2].Merge(parts[0]);
  parts[2].Merge(parts[1]);
  EXPECT_EQ(parts[2].Columns().typed, forward.typed);
  EXPECT_TRUE(parts[2].Columns().has_json);
}

TEST(ColumnSurvey, WithoutMetadataThereIsNoColumn) {
  const ExportColumns columns = ColumnsOf({"", "{}"});
  EXPECT_THAT(columns.typed, IsEmpty());
  EXPECT_FALSE(columns.has_json);
  EXPECT_FALSE(ColumnSurvey().Add("[]"));
}

}  // namespace
}  // namespace vecload::audit
