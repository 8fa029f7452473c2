// Goal: what the journal says after a crash is what was appended, whole entries from the first on,
// and damage is told. Method: the file is cut at every length, and every byte of it is changed.
#include "audit/export_journal.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing_folder.h"

namespace vecload::audit {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ExportJournalTest : public ::testing::Test {
 protected:
  Result<std::unique_ptr<ExportJournal>> Open() {
    numbers_.clear();
    return ExportJournal::Open(path_, [this](const ExportJournal::Entry& entry) {
      numbers_.push_back(NumberOf(entry, "n"));
      return Status::Ok();
    });
  }
  // With entries 1, 2 and 3; returns the file's bytes.
  std::string Make() {
    const auto journal = Open();
    EXPECT_TRUE(journal.ok());
    for (const char* json : {R"({"n":1})", R"({"n":2,"text":"x"})", R"({"n":3})"}) {
      EXPECT_TRUE((*journal)->Append(json).ok());
    }
    std::ifstream in(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  TestingFolder folder_;
  std::string path_ = folder_.Path("journal");
  std::vector<uint64_t> numbers_;
};

TEST_F(ExportJournalTest, GivesBackWhatWasAppended) {
  Make();
  ASSERT_TRUE(Open().ok());
  EXPECT_THAT(numbers_, ElementsAre(1, 2, 3));
}

TEST_F(ExportJournalTest, CutAnywhereHoldsTheWholeEntriesAndIsAppendedTo) {
  const std::string bytes = Make();
  for (size_t length = 0; length < bytes.size(); ++length) {
    folder_.Write("journal", bytes.substr(0, length));
    {
      const auto journal = Open();
      ASSERT_TRUE(journal.ok()) << length << journal.status().ToString();
      ASSERT_TRUE((*journal)->Append(R"({"n":9})").ok());
    }
    const auto whole = static_cast<size_t>(
        std::count(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(length), '\n'));
    ASSERT_TRUE(Open().ok());
    ASSERT_EQ(numbers_.size(), whole + 1) << length;
    EXPECT_EQ(numbers_.back(), 9);
  }
}

TEST_F(ExportJournalTest, AChangedByteIsDamageUnlessItIsOfTheLastEntry) {
  const std::string bytes = Make();
  const size_t last = bytes.rfind('\n', bytes.size() - 2) + 1;
  for (size_t at = 0; at < bytes.size(); ++at) {
    std::string changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    folder_.Write("journal", changed);
    const auto journal = Open();
    if (at >= last) {
      ASSERT_TRUE(journal.ok()) << at;
      EXPECT_THAT(numbers_, ElementsAre(1, 2)) << at;
      continue;
    }
    // Where the end of the line before the last is gone, both are one line, and that is the last.
    if (at == last - 1) continue;
    ASSERT_EQ(journal.status().code(), Code::kCorrupt) << at;
    EXPECT_THAT(journal.status().message(), HasSubstr("begin again with --restart"));
  }
}

TEST_F(ExportJournalTest, IsOneProcesss) {
  const auto journal = Open();
  ASSERT_TRUE(journal.ok());
  const auto second = Open();
  EXPECT_EQ(second.status().code(), Code::kConflict);
  EXPECT_THAT(second.status().message(), HasSubstr("in use"));
}

TEST_F(ExportJournalTest, ForgetsWhereItIsToldTo) {
  Make();
  {
    const auto journal = Open();
    ASSERT_TRUE((*journal)->Clear().ok());
    ASSERT_TRUE((*journal)->Append(R"({"n":7})").ok());
  }
  ASSERT_TRUE(Open().ok());
  EXPECT_THAT(numbers_, ElementsAre(7));
}

}  // namespace
}  // namespace vecload::audit
