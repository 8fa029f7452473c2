// Goal: the same options give the same bytes, and the number of files leaves the rows alone.
// Method: small sources written and read back.
#include <cmath>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "source/testing_files.h"
#include "vecload/source.h"

namespace vecload::source {
namespace {

using ::testing::HasSubstr;
using testing::ReadAll;

std::string Bytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(Generate, WritesUnitVectorsAndTheirMetadata) {
  const TestingFolder folder;
  const auto paths = GenerateParquet(
      {.path = folder.Path("x.parquet"), .rows = 50, .dimension = 16, .row_group_rows = 20});
  ASSERT_TRUE(paths.ok()) << paths.status().ToString();
  const auto rows = ReadAll(*paths);
  ASSERT_TRUE(rows.ok()) << rows.status().ToString();
  ASSERT_EQ(rows->size(), 50u);
  EXPECT_EQ((*rows)[42].key, "v-000000042");
  std::set<std::string> metadata;
  for (const auto& row : *rows) {
    double squares = 0;
    for (const float x : row.vector) squares += double{x} * x;
    EXPECT_NEAR(squares, 1, 1e-6);
    EXPECT_THAT(row.metadata, HasSubstr("\"category\":\"category-"));
    EXPECT_THAT(row.metadata, HasSubstr("\"year\":"));
    metadata.insert(row.metadata);
  }
  EXPECT_GT(metadata.size(), 30u);
}

TEST(Generate, SameOptionsSameBytesAndAnotherSeedOtherOnes) {
  const TestingFolder folder;
  GenerateOptions options{.path = folder.Path("a.parquet"), .rows = 30, .dimension = 8};
  ASSERT_TRUE(GenerateParquet(options).ok());
  options.path = folder.Path("b.parquet");
  ASSERT_TRUE(GenerateParquet(options).ok());
  EXPECT_EQ(Bytes(folder.Path("a.parquet")), Bytes(folder.Path("b.parquet")));
  options.seed = 1;
  ASSERT_TRUE(GenerateParquet(options).ok());
  EXPECT_NE(Bytes(folder.Path("a.parquet")), Bytes(folder.Path("b.parquet")));
}

TEST(Generate, TheNumberOfFilesLeavesTheRowsAlone) {
  const TestingFolder folder;
  const auto one =
      GenerateParquet({.path = folder.Path("one.parquet"), .rows = 31, .dimension = 4});
  const auto many = GenerateParquet({.path = folder.Path("many.parquet"),
                                     .rows = 31,
                                     .dimension = 4,
                                     .files = 4,
                                     .row_group_rows = 3,
                                     .codec = "zstd"});
  ASSERT_TRUE(one.ok() && many.ok());
  EXPECT_EQ((*many)[3], folder.Path("many-0003.parquet"));
  const auto a = ReadAll(*one);
  const auto b = ReadAll(*many);
  ASSERT_EQ(a->size(), b->size());
  for (size_t i = 0; i < a->size(); ++i) {
    EXPECT_EQ((*a)[i].key, (*b)[i].key);
    EXPECT_EQ((*a)[i].vector, (*b)[i].vector);
    EXPECT_EQ((*a)[i].metadata, (*b)[i].metadata);
  }
}

TEST(Generate, RefusesWhatCannotBe) {
  const TestingFolder folder;
  const std::string path = folder.Path("x.parquet");
  for (const GenerateOptions& options :
       {GenerateOptions{.path = "", .rows = 1, .dimension = 1},
        GenerateOptions{.path = path, .rows = 1, .dimension = 0},
        GenerateOptions{.path = path, .rows = 1, .dimension = 4097},
        GenerateOptions{.path = path, .rows = 1, .dimension = 1, .files = 0},
        GenerateOptions{.path = path, .rows = 1, .dimension = 1, .row_group_rows = 0},
        GenerateOptions{.path = path, .rows = 1, .dimension = 1, .codec = "rar"}}) {
    EXPECT_EQ(GenerateParquet(options).status().code(), Code::kInvalidArgument);
  }
  const auto absent =
      GenerateParquet({.path = folder.path() + "/no/x.parquet", .rows = 1, .dimension = 1});
  EXPECT_EQ(absent.status().code(), Code::kNotFound);
  EXPECT_THAT(absent.status().message(), HasSubstr("/no/x.parquet"));
}

}  // namespace
}  // namespace vecload::source
