// Goal: whatever an export's process was doing when it died, the next one goes on so that every row
// is in the files once, and nothing stands under the final name before. Method: an export is made
// of three segments with three row groups each, and its folder put back to what it was after each
// of its entries, with bytes of later row groups in the files; then it is finished and read.
#include "audit/export_folder.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing_folder.h"
#include "vecload/source.h"

namespace vecload::audit {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr uint32_t kSegments = 3;
constexpr int kRowGroups = 3;
const ExportIdentity kIdentity = {{"index", "bucket/index"}, {"metadata", "json"}};

std::string Bytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// By name of the target: one file, or a folder in which each row group fills a file.
class ExportFolderTest : public ::testing::TestWithParam<const char*> {
 protected:
  ExportFolderTest() {
    options_.path = folder_.path() + "/" + GetParam();
    options_.file_bytes_max = 1;
    columns_ = *source::PlanVectorColumns({.dimension = 1});
  }

  std::unique_ptr<ExportFolder> Open() {
    auto opened = ExportFolder::Open(options_, kIdentity, kSegments);
    EXPECT_TRUE(opened.ok()) << opened.status().ToString();
    if (!opened.ok()) return nullptr;
    (*opened)->UseColumns(columns_);
    return *std::move(opened);
  }
  Status AddNext(ExportFolder* folder, uint32_t segment) {
    const std::string& token = folder->segments()[segment].next_token;
    const int group = token.empty() ? 0 : std::stoi(token);
    source::VectorRows rows(columns_);
    const std::vector<Record> vectors = {
        {.key = fmt::format("{} {}", segment, group), .vector = {1}, .metadata = {}}};
    VECLOAD_RETURN_IF_ERROR(rows.Add(vectors));
    return folder->Add(segment, rows, group + 1 == kRowGroups ? "" : std::to_string(group + 1));
  }
  // Writes what is left, segments in turn.
  Status WriteAll(ExportFolder* folder) {
    if (!folder->columns()) VECLOAD_RETURN_IF_ERROR(folder->SetColumns({}));
    for (bool any = true; any;) {
      any = false;
      for (uint32_t segment = 0; segment < kSegments; ++segment) {
        if (folder->segments()[segment].is_done) continue;
        VECLOAD_RETURN_IF_ERROR(AddNext(folder, segment));
        any = true;
      }
    }
    return Status::Ok();
  }
  void ExpectWhole() {
    EXPECT_FALSE(fs::exists(options_.path + ".part"));
    const auto source = OpenSource(std::vector<std::string>{options_.path}, {});
    ASSERT_TRUE(source.ok()) << source.status().ToString();
    std::vector<std::string> keys;
    for (uint32_t file = 0; file < (*source)->manifest().files.size(); ++file) {
      const ReadRequest request{.file = file, .row_end = (*source)->manifest().files[file].rows};
      ASSERT_TRUE((*source)
                      ->Read(request,
                             [&](const RowBlock& block) {
                               for (const SourceRow& row : block.rows) keys.emplace_back(row.key);
                               return Status::Ok();
                             })
                      .ok());
    }
    std::ranges::sort(keys);
    ASSERT_EQ(keys.size(), kSegments * kRowGroups);
    EXPECT_EQ(std::ranges::adjacent_find(keys), keys.end()) << "a row twice";
  }
  void FinishAndExpectWhole() {
    const auto folder = Open();
    ASSERT_NE(folder, nullptr);
    if (!folder->is_whole()) {
      ASSERT_TRUE(WriteAll(folder.get()).ok());
    }
    const auto files = folder->Complete();
    ASSERT_TRUE(files.ok()) << files.status().ToString();
    ExpectWhole();
  }

  TestingFolder folder_;
  ExportOptions options_;
  std::shared_ptr<const source::VectorColumns> columns_;
};

TEST_P(ExportFolderTest, DiedAfterAnyEntryItIsGoneOnWith) {
  ASSERT_TRUE(WriteAll(Open().get()).ok());
  const std::string kept = folder_.path() + "/kept";
  fs::rename(options_.path + ".part", kept);
  const std::string journal = Bytes(kept + "/_journal");
  int entries = 0;
  for (size_t end = 0; end != std::string::npos; end = journal.find('\n', end + 1), ++entries) {
    fs::remove_all(options_.path);
    fs::copy(kept, options_.path + ".part", fs::copy_options::recursive);
    // Half of the next line too.
    std::ofstream(options_.path + ".part/_journal", std::ios::binary)
        << journal.substr(0, end == 0 ? 0 : end + 1) << journal.substr(end + 1, 20);
    EXPECT_FALSE(fs::exists(options_.path));
    FinishAndExpectWhole();
  }
  EXPECT_EQ(entries, 1 + 2 + kSegments * kRowGroups);
}

TEST_P(ExportFolderTest, DiedWhileItWasCompletedItIsCompletedAgain) {
  const auto folder = Open();
  ASSERT_TRUE(WriteAll(folder.get()).ok());
  // As it is before the footers, and with the target already there.
  const std::string kept = folder_.path() + "/kept";
  fs::copy(options_.path + ".part", kept, fs::copy_options::recursive);
  ASSERT_TRUE(folder->Complete().ok());
  ExpectWhole();
  const std::string done = folder_.path() + "/done";
  fs::copy(options_.path, done, fs::copy_options::recursive);

  // Killed once the target had its name: the journal says so, and the data has gone there.
  const std::string part = options_.path + ".part";
  fs::create_directory(part);
  fs::copy(kept + "/_journal", part + "/_journal");
  {
    const auto journal =
        ExportJournal::Open(part + "/_journal", [](const auto&) { return Status::Ok(); });
    ASSERT_TRUE((*journal)->Append(R"({"kind":"whole"})").ok());
  }
  FinishAndExpectWhole();

  // Killed before that.
  fs::rename(kept, part);
  fs::remove_all(options_.path);
  FinishAndExpectWhole();
}

TEST_P(ExportFolderTest, ASegmentThatBeginsAgainIsThereOnce) {
  auto folder = Open();
  ASSERT_TRUE(folder->SetColumns({}).ok());
  ASSERT_TRUE(AddNext(folder.get(), 0).ok());
  ASSERT_TRUE(AddNext(folder.get(), 1).ok());
  ASSERT_TRUE(AddNext(folder.get(), 0).ok());
  ASSERT_TRUE(folder->Restart(0).ok());
  EXPECT_EQ(folder->rows(), 1);
  folder.reset();
  EXPECT_EQ(Open()->rows(), 1);
  FinishAndExpectWhole();
}

TEST_P(ExportFolderTest, WhatIsThereMeanwhileIsNotReplaced) {
  const auto folder = Open();
  ASSERT_TRUE(WriteAll(folder.get()).ok());
  folder_.Write(std::string(GetParam()) + "/mine", "");
  EXPECT_EQ(folder->Complete().status().code(), Code::kConflict);
  EXPECT_TRUE(fs::exists(options_.path + "/mine"));
  fs::remove_all(options_.path);
  ASSERT_TRUE(folder->Complete().ok());
  ExpectWhole();
}

TEST_P(ExportFolderTest, ReplacesWhatAnExportHasWrittenOnlyAtTheEnd) {
  FinishAndExpectWhole();
  EXPECT_EQ(ExportFolder::Open(options_, kIdentity, kSegments).status().code(), Code::kConflict);
  EXPECT_FALSE(fs::exists(options_.path + ".part"));
  options_.overwrite = true;
  const auto folder = Open();
  ASSERT_TRUE(WriteAll(folder.get()).ok());
  EXPECT_TRUE(fs::exists(options_.path));
  ASSERT_TRUE(folder->Complete().ok());
  ExpectWhole();
}

TEST_P(ExportFolderTest, AReplacementThatDiedHalfwayIsCompleted) {
  auto folder = Open();
  ASSERT_TRUE(WriteAll(folder.get()).ok());
  const std::string part = options_.path + ".part";
  const std::string journal = Bytes(part + "/_journal");
  ASSERT_TRUE(folder->Complete().ok());
  folder.reset();
  // The old one has lost its name, the new one has none yet.
  const bool is_one_file = fs::is_regular_file(options_.path);
  fs::create_directories(part + "/_old");
  std::ofstream(part + "/_journal", std::ios::binary) << journal;
  if (is_one_file) fs::create_directory(part + "/_data");
  fs::rename(options_.path, part + (is_one_file ? "/_data/part-00000.parquet" : "/_data"));
  {
    const auto reopened =
        ExportJournal::Open(part + "/_journal", [](const auto&) { return Status::Ok(); });
    ASSERT_TRUE((*reopened)->Append(R"({"kind":"whole"})").ok());
  }
  options_.overwrite = true;
  FinishAndExpectWhole();
}

TEST_P(ExportFolderTest, OfAnotherExportIsKeptUntilARestart) {
  ASSERT_TRUE(WriteAll(Open().get()).ok());
  const ExportIdentity other = {{"index", "bucket/index"}, {"metadata", "typed"}};
  const auto refused = ExportFolder::Open(options_, other, kSegments);
  EXPECT_EQ(refused.status().code(), Code::kConflict);
  EXPECT_THAT(refused.status().message(), HasSubstr(R"(metadata there: "json", now: "typed")"));
  options_.restart = true;
  const auto again = ExportFolder::Open(options_, other, kSegments);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ((*again)->rows(), 0);
}

INSTANTIATE_TEST_SUITE_P(Targets, ExportFolderTest, ::testing::Values("one.parquet", "many"),
                         [](const auto& target) { return std::string(target.param).substr(0, 3); });

}  // namespace
}  // namespace vecload::audit
