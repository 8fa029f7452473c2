// Goal: a location leads to exactly the files that a user expects, in a fixed order, each once.
// Method: trees of small files in a temporary folder.
#include "source/expand.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "source/testing_files.h"

namespace vecload::source {
namespace {

using ::testing::HasSubstr;

class Expanding : public ::testing::Test {
 protected:
  Expanding() {
    for (const auto* name :
         {"b.parquet", "a.parquet", "notes.txt", "_SUCCESS", ".a.parquet.crc", "deep/x/c.parquet",
          "deep/d.parquet", "_temporary/e.parquet", "year=2024/f.parquet", "_day=7/g.parquet"}) {
      folder_.Write(name, "x");
    }
  }

  // The names found, relative to the folder.
  std::string Names(const std::vector<std::string>& names) {
    std::vector<std::string> locations;
    for (const std::string& name : names) locations.push_back(folder_.path() + "/" + name);
    Storage storage({});
    const auto files = Expand(locations, &storage);
    if (!files.ok()) return files.status().ToString();
    std::string text;
    for (const FoundFile& file : *files) {
      EXPECT_EQ(file.size, 1u);
      EXPECT_GT(file.mtime_ns, 0);
      text += (text.empty() ? "" : " ") +
              std::filesystem::path(file.uri).lexically_relative(folder_.path()).string();
    }
    return text;
  }

  TestingFolder folder_;
};

TEST_F(Expanding, AFileIsTakenWhateverItsName) {
  EXPECT_EQ(Names({"notes.txt"}), "notes.txt");
  EXPECT_EQ(Names({"_SUCCESS"}), "_SUCCESS");
}

TEST_F(Expanding, ADirectoryIsReadToTheBottomWithoutHiddenNames) {
  const std::string all =
      "_day=7/g.parquet a.parquet b.parquet deep/d.parquet deep/x/c.parquet notes.txt "
      "year=2024/f.parquet";
  EXPECT_EQ(Names({""}), all);
  EXPECT_EQ(Names({"deep/"}), "deep/d.parquet deep/x/c.parquet");
}

TEST_F(Expanding, GlobsStayWithinASegmentButForTwoStars) {
  EXPECT_EQ(Names({"*.parquet"}), "a.parquet b.parquet");
  EXPECT_EQ(Names({"*/*.parquet"}), "_day=7/g.parquet deep/d.parquet year=2024/f.parquet");
  EXPECT_EQ(Names({"**/*.parquet"}),
            "_day=7/g.parquet a.parquet b.parquet deep/d.parquet deep/x/c.parquet "
            "year=2024/f.parquet");
  EXPECT_EQ(Names({"de*"}), "deep/d.parquet deep/x/c.parquet");
  EXPECT_EQ(Names({"**/x/**"}), "deep/x/c.parquet");
  EXPECT_EQ(Names({"**/deep/**/c.parquet"}), "deep/x/c.parquet");
  EXPECT_EQ(Names({"[ab].parquet"}), "a.parquet b.parquet");
  EXPECT_EQ(Names({"_temporary/*"}), "_temporary/e.parquet");
}

TEST_F(Expanding, AFileThatSeveralLocationsNameCountsOnce) {
  EXPECT_EQ(Names({"b.parquet", "*.parquet", "deep/../b.parquet"}), "b.parquet a.parquet");
  std::filesystem::create_symlink(folder_.path() + "/a.parquet", folder_.path() + "/link.parquet");
  EXPECT_EQ(Names({"a.parquet", "link.parquet"}), "a.parquet");
}

TEST_F(Expanding, LinksInACircleEnd) {
  std::filesystem::create_directory_symlink(folder_.path() + "/deep",
                                            folder_.path() + "/deep/x/again");
  EXPECT_EQ(Names({"deep"}), "deep/d.parquet deep/x/c.parquet");
  EXPECT_EQ(Names({"deep/**/c.parquet"}), "deep/x/c.parquet");
}

TEST_F(Expanding, AFileWhoseNameLooksLikeAGlobIsThatFile) {
  folder_.Write("[x].parquet", "x");
  EXPECT_EQ(Names({"[x].parquet"}), "[x].parquet");
}

TEST_F(Expanding, SaysWhatWasNotFound) {
  EXPECT_THAT(Names({"nothing.parquet"}), HasSubstr("nothing.parquet: no such file"));
  EXPECT_THAT(Names({"*.csv"}), HasSubstr("*.csv: no file matches"));
  std::filesystem::create_directory(folder_.path() + "/empty");
  EXPECT_THAT(Names({"empty"}), HasSubstr("not_found: "));
  EXPECT_THAT(Names({"empty"}), HasSubstr("empty: the directory has no data files"));
  Storage storage({});
  const std::vector<std::string> gs = {"gs://bucket/x"};
  EXPECT_EQ(Expand(gs, &storage).status().code(), Code::kInvalidArgument);
  EXPECT_EQ(Expand({}, &storage).status().code(), Code::kInvalidArgument);
}

TEST_F(Expanding, FileUrisAndRelativePathsWork) {
  Storage storage({});
  const std::vector<std::string> uri = {"file://" + folder_.path() + "/a.parquet"};
  EXPECT_EQ((*Expand(uri, &storage))[0].uri, folder_.path() + "/a.parquet");
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder_.path());
  const std::vector<std::string> relative = {"*.parquet", "**/c.parquet"};
  const auto files = Expand(relative, &storage);
  std::filesystem::current_path(before);
  ASSERT_TRUE(files.ok()) << files.status().ToString();
  ASSERT_EQ(files->size(), 3u);
  EXPECT_EQ((*files)[0].uri, "a.parquet");
  EXPECT_EQ((*files)[2].uri, "deep/x/c.parquet");
}

}  // namespace
}  // namespace vecload::source
