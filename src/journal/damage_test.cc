// Goal: a journal that is damaged, cut short, or no journal at all is either refused, with nothing
// changed on disk, or read as it was: never as something else. Method: every byte that says
// something is changed, one at a time, and the file cut at many lengths; a write-ahead log too.
#include <optional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "journal/journal.h"
#include "journal/show.h"
#include "journal/testing_jobs.h"
#include "sqlite/testing_vfs.h"

namespace vecload::journal {
namespace {

using sqlite::TestingVfs;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using testing::PlainIdentity;
using testing::RecordOne;
using testing::Script;

constexpr uint64_t kBatches = 13;
const char* const kPath = "job.journal";

class DamageTest : public ::testing::Test {
 protected:
  Result<Opened> Open(bool restart = false) {
    return Journal::Open(kPath, PlainIdentity(), script_.manifest(),
                         {.restart = restart, .rejects_path = "r", .vfs = vfs_.name()});
  }

  // Commits some batches one by one. `keep_log`: dies without closing, all of it synced.
  void Make(bool keep_log) {
    auto opened = Open();
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    for (uint64_t batch = 0; batch < kBatches; ++batch) {
      ASSERT_TRUE(RecordOne(opened->journal.get(), Script::Batch(batch)).ok());
      ASSERT_TRUE(opened->journal->Commit((batch + 1) * Script::kRejectBytes).ok());
    }
    if (keep_log) vfs_.CutPowerAfter(0);
    opened = Status::Cancelled("closed");
    if (keep_log) vfs_.PowerOn(0);
  }

  // Refused and left alone (nothing), or holding this many batches.
  std::optional<uint64_t> OpenDamaged(const std::string& bytes) {
    vfs_.Write(kPath, bytes);
    auto opened = Open();
    if (!opened.ok()) {
      EXPECT_THAT(opened.status().code(), AnyOf(Code::kCorrupt, Code::kConflict, Code::kIo))
          << opened.status().ToString();
      EXPECT_THAT(opened.status().message(), HasSubstr(kPath));
      EXPECT_EQ(vfs_.Read(kPath), bytes) << "changed: " << opened.status().ToString();
      return std::nullopt;
    }
    const std::optional<uint64_t> batches = script_.BatchesIn(*opened->journal);
    EXPECT_TRUE(batches.has_value());
    return batches;
  }

  TestingVfs vfs_{"damage-test"};
  Script script_{20};
};

TEST_F(DamageTest, AChangedByteIsFoundOrDoesNotMatter) {
  Make(false);
  const std::string good = vfs_.Read(kPath);
  Random random(7);
  int found = 0;
  for (size_t i = 0; i < good.size() && !HasFailure(); ++i) {
    if (good[i] == 0 && i % 37 != 0) continue;
    SCOPED_TRACE(::testing::Message() << "byte " << i);
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ (1 << random.Below(8)));
    const std::optional<uint64_t> batches = OpenDamaged(bad);
    EXPECT_EQ(batches.value_or(kBatches), kBatches);
    if (!batches.has_value()) ++found;
  }
  EXPECT_GT(found, 500);
}

TEST_F(DamageTest, AJournalCutShortIsFound) {
  Make(false);
  const std::string good = vfs_.Read(kPath);
  for (size_t size = 1; size < good.size() && !HasFailure(); size += 211) {
    SCOPED_TRACE(::testing::Message() << "length " << size);
    EXPECT_EQ(OpenDamaged(good.substr(0, size)), std::nullopt);
  }
}

TEST_F(DamageTest, ADamagedLogGivesAnEarlierCommitOrAnError) {
  Make(true);
  const std::string good = vfs_.Read(kPath);
  const std::string log = vfs_.Read("job.journal-wal");
  ASSERT_GT(log.size(), 10'000u);
  Random random(8);
  for (int i = 0; i < 300 && !HasFailure(); ++i) {
    std::string bad = log;
    if (i % 3 == 0) {
      bad.resize(random.Below(log.size()));
    } else {
      bad[random.Below(log.size())] ^= static_cast<char>(1 << random.Below(8));
    }
    vfs_.Write("job.journal-wal", bad);
    const std::optional<uint64_t> batches = OpenDamaged(good);
    EXPECT_LE(batches.value_or(0), kBatches);
  }
  vfs_.Write("job.journal-wal", log);
  EXPECT_EQ(OpenDamaged(good), kBatches);
}

// Closing a SQLite file moves its log into it; not so where the journal was refused.
TEST_F(DamageTest, ARefusedJournalKeepsItsLogToo) {
  Make(true);
  const std::string good = vfs_.Read(kPath);
  const std::string log = vfs_.Read("job.journal-wal");
  ASSERT_FALSE(log.empty());
  JobIdentity other = PlainIdentity();
  other.mapping.key = "other";
  EXPECT_EQ(Journal::Open(kPath, other, script_.manifest(), {.vfs = vfs_.name()}).status().code(),
            Code::kConflict);
  EXPECT_EQ(vfs_.Read(kPath), good);
  EXPECT_EQ(vfs_.Read("job.journal-wal"), log);
}

// A page of another moment has a sound structure; only our checksums tell.
TEST_F(DamageTest, APageOfAnEarlierMomentIsFound) {
  Make(false);
  const std::string earlier = vfs_.Read(kPath);
  {
    auto opened = Open();
    ASSERT_TRUE(opened.ok());
    ASSERT_TRUE(RecordOne(opened->journal.get(), Script::Batch(kBatches)).ok());
    ASSERT_TRUE(opened->journal->Commit((kBatches + 1) * Script::kRejectBytes).ok());
  }
  const std::string now = vfs_.Read(kPath);
  ASSERT_EQ(now.size(), earlier.size());
  int mixed = 0;
  for (size_t page = 4096; page < now.size(); page += 4096) {
    std::string bad = now;
    bad.replace(page, 4096, earlier, page, 4096);
    if (bad == now) continue;
    ++mixed;
    vfs_.Write(kPath, bad);
    EXPECT_EQ(Open().status().code(), Code::kCorrupt) << "page at " << page;
  }
  EXPECT_GE(mixed, 2) << "segments and job are on pages of their own";
}

TEST_F(DamageTest, SaysWhatToDoAndRestartDoesIt) {
  Make(false);
  std::string bad = vfs_.Read(kPath);
  bad.resize(bad.size() - 4096);
  vfs_.Write(kPath, bad);
  const Status status = Open().status();
  EXPECT_EQ(status.code(), Code::kCorrupt);
  EXPECT_THAT(status.message(), HasSubstr("nothing was changed"));
  EXPECT_THAT(status.message(), HasSubstr("--restart"));
  EXPECT_EQ(Show(kPath, vfs_.name()).status().code(), Code::kCorrupt);
  auto opened = Open(/*restart=*/true);
  ASSERT_TRUE(opened.ok()) << opened.status().ToString();
  EXPECT_EQ(opened->outcome, Outcome::kNew);
}

TEST_F(DamageTest, OtherFilesAreNotTouchedEvenByRestart) {
  const std::string text(10'000, 'x');
  vfs_.Write(kPath, text);
  for (const bool restart : {false, true}) {
    const Status status = Open(restart).status();
    EXPECT_EQ(status.code(), Code::kCorrupt);
    EXPECT_THAT(status.message(), HasSubstr("it is no journal"));
    EXPECT_EQ(vfs_.Read(kPath), text);
  }
}

TEST_F(DamageTest, ANewerSchemaIsRefusedAndNamed) {
  Make(false);
  std::string newer = vfs_.Read(kPath);
  newer[63] = 2;  // user_version, big-endian at 60 in SQLite's header
  vfs_.Write(kPath, newer);
  const Status status = Open().status();
  EXPECT_EQ(status.code(), Code::kConflict);
  EXPECT_THAT(status.message(), HasSubstr("schema version 2, this vecload knows 1"));
  EXPECT_EQ(Show(kPath, vfs_.name()).status().code(), Code::kConflict);
  EXPECT_EQ(vfs_.Read(kPath), newer);
}

TEST_F(DamageTest, AnotherProgramsDatabaseIsRefused) {
  Make(false);
  std::string other = vfs_.Read(kPath);
  other[71] ^= 1;  // application_id, at 68
  vfs_.Write(kPath, other);
  for (const bool restart : {false, true}) {
    EXPECT_EQ(Open(restart).status().code(), Code::kConflict);
    EXPECT_EQ(vfs_.Read(kPath), other);
  }
}

}  // namespace
}  // namespace vecload::journal
