// Goal: rejects never overwrite what an earlier run has left, and no empty file lies about.
// Method: a temporary folder.

#include "cli/reserved_file.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

namespace vecload::cli {
namespace {

TEST(ReservedFile, TakesTheNextFreeNameAndLeavesNothingEmptyBehind) {
  const std::filesystem::path folder =
      std::filesystem::path(testing::TempDir()) / "vecload_reserved_file_test";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directory(folder);
  const std::string stem = folder / "index-rejects";
  {
    const auto first = ReservedFile::Make(stem);
    ASSERT_TRUE(first.ok());
    EXPECT_EQ(first->path(), stem + ".jsonl");
    std::ofstream(first->path()) << "{}\n";
    const auto second = ReservedFile::Make(stem);
    ASSERT_TRUE(second.ok());
    EXPECT_EQ(second->path(), stem + "-2.jsonl");
  }
  EXPECT_TRUE(std::filesystem::exists(stem + ".jsonl")) << "it was filled";
  EXPECT_FALSE(std::filesystem::exists(stem + "-2.jsonl")) << "it was not";
  std::filesystem::remove_all(folder);
}

TEST(ReservedFile, SaysWhatToDoWhereNothingCanBeMade) {
  const auto file = ReservedFile::Make("/proc/nowhere/rejects");
  ASSERT_FALSE(file.ok());
  EXPECT_EQ(file.status().code(), Code::kIo);
  EXPECT_NE(file.status().message().find("--rejects"), std::string::npos);
}

}  // namespace
}  // namespace vecload::cli
