// Goal: a file of vectors holds what was put into it, whatever it was gone on with from, and a
// stranger's reader finds it there. Method: row groups are appended, left out, cut and gone on
// with; Arrow's own reader, by way of OpenSource, says what the file holds.
#include "source/vector_file.h"

#include <bit>
#include <cmath>
#include <filesystem>
#include <limits>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing_folder.h"
#include "vecload/source.h"

namespace vecload::source {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::shared_ptr<const VectorColumns> Columns(std::vector<TypedKey> typed = {},
                                             bool has_json = true) {
  auto columns =
      PlanVectorColumns({.dimension = 2, .has_json = has_json, .typed = std::move(typed)});
  EXPECT_TRUE(columns.ok()) << columns.status().ToString();
  return *columns;
}

Record Vector(std::string key, std::string metadata = {}, float first = 1) {
  return {.key = std::move(key), .vector = {first, 2}, .metadata = std::move(metadata)};
}

class VectorFileTest : public ::testing::Test {
 protected:
  std::unique_ptr<VectorFile> Open(uint64_t size = 0) {
    auto file = VectorFile::Open(path_, columns_, size);
    EXPECT_TRUE(file.ok()) << file.status().ToString();
    return *std::move(file);
  }
  RowGroupPlace Append(VectorFile* file, const std::vector<Record>& vectors) {
    VectorRows rows(columns_);
    EXPECT_TRUE(rows.Add(vectors).ok());
    const auto place = file->Append(rows);
    EXPECT_TRUE(place.ok()) << place.status().ToString();
    return *place;
  }
  // "key metadata" of each row; the bits of the vectors go to bits_.
  std::vector<std::string> Read(const SourceOptions& options = {.metadata_json = "metadata"}) {
    std::vector<std::string> rows;
    const auto source = OpenSource(std::vector<std::string>{path_}, options);
    EXPECT_TRUE(source.ok()) << source.status().ToString();
    if (!source.ok()) return {"unreadable"};
    row_groups_ = (*source)->manifest().files.front().row_group_rows.size();
    const ReadRequest request{.row_end = (*source)->manifest().rows};
    EXPECT_TRUE((*source)
                    ->Read(request,
                           [&](const RowBlock& block) {
                             for (const SourceRow& row : block.rows) {
                               rows.push_back(std::string(row.key) + " " +
                                              std::string(row.metadata));
                               bits_.push_back(std::bit_cast<uint32_t>(row.vector[0]));
                             }
                             return Status::Ok();
                           })
                    .ok());
    return rows;
  }

  TestingFolder folder_;
  std::string path_ = folder_.Path("f.parquet");
  std::shared_ptr<const VectorColumns> columns_ = Columns();
  std::vector<uint32_t> bits_;
  size_t row_groups_ = 0;
};

TEST_F(VectorFileTest, HoldsEachBitAndEachText) {
  const float denormal = std::numeric_limits<float>::denorm_min();
  const auto file = Open();
  const RowGroupPlace place =
      Append(file.get(), {Vector("a", R"({"n":1.50})", -0.0F), Vector("\u00e9", "{ }", denormal),
                          Vector("c", "", 0.1F)});
  ASSERT_TRUE(file->Finish({{place}}).ok());
  EXPECT_THAT(Read(), ElementsAre(R"(a {"n":1.50})", "\u00e9 ", "c "));
  EXPECT_THAT(bits_, ElementsAre(0x80000000, 1, std::bit_cast<uint32_t>(0.1F)));
}

TEST_F(VectorFileTest, IsGoneOnWithBehindWhatCounts) {
  auto file = Open();
  const RowGroupPlace first = Append(file.get(), {Vector("a")});
  // Longer than what comes in its place.
  Append(file.get(), std::vector<Record>(5000, Vector("of a run that was killed")));
  file = Open(first.end);
  const RowGroupPlace second = Append(file.get(), {Vector("b"), Vector("c")});
  EXPECT_EQ(second.begin, first.end);
  file = Open(second.end);
  ASSERT_TRUE(file->Finish({{first, second}}).ok());
  EXPECT_THAT(Read(), ElementsAre("a ", "b ", "c "));
  EXPECT_EQ(row_groups_, 2);
}

TEST_F(VectorFileTest, HasNotWhatWasLeftOut) {
  const auto file = Open();
  const RowGroupPlace first = Append(file.get(), {Vector("a")});
  Append(file.get(), {Vector("dropped")});
  const RowGroupPlace third = Append(file.get(), {Vector("b")});
  ASSERT_TRUE(file->Finish({{first, third}}).ok());
  EXPECT_THAT(Read(), ElementsAre("a ", "b "));
}

TEST_F(VectorFileTest, IsFinishedAgainAfterACrashWhileItWas) {
  auto file = Open();
  const RowGroupPlace place = Append(file.get(), {Vector("a")});
  ASSERT_TRUE(file->Finish({{place}}).ok());
  file = Open(place.end);
  ASSERT_TRUE(file->Finish({{place}}).ok());
  EXPECT_THAT(Read(), ElementsAre("a "));
}

TEST_F(VectorFileTest, OfNothingIsAFileWithoutRows) {
  ASSERT_TRUE(Open()->Finish({}).ok());
  EXPECT_THAT(Read(), ElementsAre());
}

TEST_F(VectorFileTest, SaysWhereWhatWasWrittenIsGone) {
  auto file = Open();
  const RowGroupPlace first = Append(file.get(), {Vector("a")});
  const RowGroupPlace second = Append(file.get(), {Vector("b"), Vector("c")});
  const Status moved = file->Finish({{{first.begin, first.end + 1, 1}}});
  EXPECT_EQ(moved.code(), Code::kCorrupt);
  EXPECT_THAT(moved.message(), HasSubstr("begin again with --restart"));
  EXPECT_EQ(file->Finish({{{second.begin, second.end, 1}}}).code(), Code::kCorrupt);
  std::filesystem::resize_file(path_, first.end);
  const auto cut = VectorFile::Open(path_, columns_, second.end);
  EXPECT_EQ(cut.status().code(), Code::kCorrupt);
  EXPECT_THAT(cut.status().message(), HasSubstr("was changed meanwhile"));
}

TEST_F(VectorFileTest, TypedColumnsGiveTheMetadataBack) {
  columns_ = Columns({{"b", MetadataType::kBool},
                      {"d", MetadataType::kDouble},
                      {"i", MetadataType::kInt64},
                      {"is", MetadataType::kInt64s},
                      {"ss", MetadataType::kStrings}},
                     false);
  const auto file = Open();
  const std::string whole = R"({"b":true,"d":0.5,"i":9007199254740992,"is":[1,2],"ss":["x",""]})";
  const RowGroupPlace place =
      Append(file.get(), {Vector("a", whole), Vector("b"), Vector("c", R"({"ss":["y"],"d":3})")});
  ASSERT_TRUE(file->Finish({{place}}).ok());
  EXPECT_THAT(Read({.key_column = "key", .vector_column = "vector"}),
              ElementsAre("a " + whole, "b ", R"(c {"d":3,"ss":["y"]})"));
}

TEST_F(VectorFileTest, AValueThatFitsNoColumnIsSaidUnlessThereIsJson) {
  VectorRows strict(Columns({{"n", MetadataType::kInt64}}, false));
  for (const char* metadata : {R"({"n":1.5})", R"({"n":"x"})", R"({"other":1})", R"({"n":-0.0})"}) {
    const std::vector<Record> vectors = {Vector("fine"), Vector("k", metadata)};
    EXPECT_EQ(strict.Add(vectors).code(), Code::kConflict) << metadata;
  }
  EXPECT_EQ(strict.rows(), 0) << "all of a page, or none";
  VectorRows tolerant(Columns({{"n", MetadataType::kInt64}}, true));
  EXPECT_TRUE(tolerant.Add(std::vector<Record>{Vector("k", R"({"n":1.5})")}).ok());
}

TEST_F(VectorFileTest, RefusesWhatIsNoVectorOfTheIndex) {
  VectorRows rows(Columns({{"n", MetadataType::kInt64}}));
  const std::vector<Record> longer = {{.key = "k", .vector = {1, 2, 3}, .metadata = {}}};
  EXPECT_EQ(rows.Add(longer).code(), Code::kCorrupt);
  for (const char* metadata : {"[]", R"({"n":1,"n":2})", R"({"n":null})"}) {
    EXPECT_EQ(rows.Add(std::vector<Record>{Vector("k", metadata)}).code(), Code::kCorrupt);
  }
  EXPECT_THAT(PlanVectorColumns({.dimension = 1, .codec = "rar"}).status().message(),
              HasSubstr("choose one of none, snappy"));
}

}  // namespace
}  // namespace vecload::source
