// Goal: of every key that several rows have, all rows are told, the first as such, whatever the
// memory. Method: files in memory with keys at random, and a std::map that says which come twice.

#include "load/repeated_keys.h"

#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/testing_folder.h"
#include "load/testing_source.h"

namespace vecload::load {
namespace {

using testing::KeySource;
using Files = std::vector<KeySource::File>;

struct Expected {
  uint64_t keys = 0;
  uint64_t rows = 0;
  std::string lines;
};

Expected ByMap(const Files& files) {
  std::map<std::string, uint64_t> count;
  for (const auto& file : files) {
    for (const auto& key : file) {
      if (key) ++count[*key];
    }
  }
  Expected expected;
  std::set<std::string> seen;
  for (size_t file = 0; file < files.size(); ++file) {
    for (size_t row = 0; row < files[file].size(); ++row) {
      const auto& key = files[file][row];
      if (!key || count[*key] == 1) continue;
      const bool is_first = seen.insert(*key).second;
      ++(is_first ? expected.keys : expected.rows);
      expected.lines +=
          fmt::format(R"({{"file":"{}","row":{},"key":"{}","occurrence":"{}"}})"
                      "\n",
                      std::filesystem::absolute("file-" + std::to_string(file)).string(), row, *key,
                      is_first ? "first" : "again");
    }
  }
  return expected;
}

std::string Content(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// So many rows, of which each number is some key's; runs of the sort hold 43,690 at least.
Files Rows(size_t rows, uint64_t keys, uint64_t seed) {
  Files files(3);
  uint64_t state = seed;
  for (size_t i = 0; i < rows; ++i) {
    state = state * 6364136223846793005 + 1442695040888963407;
    files[i * 3 / rows].emplace_back("k" + std::to_string((state >> 33) % keys));
  }
  return files;
}

RC_GTEST_PROP(FindRepeatedKeys, TellsWhatAMapWouldTell, ()) {
  const auto key = rc::gen::map(rc::gen::inRange(0, 30), [](int number) {
    return number == 0 ? std::nullopt : std::optional("k" + std::to_string(number));
  });
  const auto files = *rc::gen::container<Files>(rc::gen::container<KeySource::File>(key));
  const TestingFolder folder;
  KeySource source(files);
  const std::string path = folder.Path("duplicates.jsonl");
  const auto found = FindRepeatedKeys(&source, {.path = path});
  RC_ASSERT(found.ok());
  const Expected expected = ByMap(files);
  RC_ASSERT(found->keys == expected.keys);
  RC_ASSERT(found->rows == expected.rows);
  RC_ASSERT(Content(path) == expected.lines);
}

TEST(FindRepeatedKeys, SpillsWhatDoesNotFit) {
  const Files files = Rows(200'000, 100'000, 7);  // five runs
  const TestingFolder folder;
  KeySource source(files);
  const std::string path = folder.Path("duplicates.jsonl");
  const auto found = FindRepeatedKeys(&source, {.sort_bytes_max = 1, .path = path});
  ASSERT_TRUE(found.ok()) << found.status().ToString();
  const Expected expected = ByMap(files);
  EXPECT_EQ(found->keys, expected.keys);
  EXPECT_EQ(found->rows, expected.rows);
  EXPECT_TRUE(Content(path) == expected.lines);
}

TEST(FindRepeatedKeys, ShowsTheFirstOnesWithinABound) {
  Files files(1);
  files[0].assign(5'000, "often");
  for (int i = 0; i < 4'000; ++i) files[0].emplace_back("k" + std::to_string(i % 2'000));
  KeySource source(files);
  const auto found = FindRepeatedKeys(&source, {});
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->keys, 2'001U);
  EXPECT_EQ(found->rows, 4'999U + 2'000U);
  EXPECT_EQ(found->shown[0].key, "often");
  EXPECT_EQ(found->shown[0].count, 5'000U);
  EXPECT_EQ(found->shown[0].rows.size(), 10U);
  size_t rows = 0;
  for (const RepeatedKey& key : found->shown) {
    EXPECT_GE(key.rows.size(), 2U) << key.key;
    rows += key.rows.size();
  }
  EXPECT_EQ(rows, RepeatedKeys::kRowsShownMax);
  EXPECT_EQ(found->shown[1].rows[0].row, 5'000U);
  EXPECT_EQ(found->shown[1].rows[1].row, 7'000U);
}

TEST(FindRepeatedKeys, LeavesAnEmptyFileWhereNoneComesTwice) {
  const TestingFolder folder;
  const std::string path = folder.Path("duplicates.jsonl");
  std::ofstream(path) << "of an earlier run\n";
  KeySource source(Files{{"a", "b", std::nullopt, std::nullopt}});
  const auto found = FindRepeatedKeys(&source, {.path = path});
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->keys, 0U);
  EXPECT_EQ(Content(path), "");
}

TEST(FindRepeatedKeys, NamesAFileThatCannotBeWritten) {
  KeySource source(Files{{"a", "a"}});
  const auto found = FindRepeatedKeys(&source, {.path = "/nowhere/x.jsonl"});
  EXPECT_FALSE(found.ok());
  EXPECT_NE(found.status().message().find("/nowhere/x.jsonl"), std::string::npos)
      << found.status().message();
}

TEST(FindRepeatedKeys, StopsOnRequest) {
  KeySource source(Files{{"a", "a"}});
  const std::atomic<bool> stop{true};
  EXPECT_EQ(FindRepeatedKeys(&source, {.stop = &stop}).status().code(), Code::kCancelled);
}

}  // namespace
}  // namespace vecload::load
