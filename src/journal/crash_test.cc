// Goal: whatever instant a machine or a process dies at, what Commit said ok to is in the journal
// (after a power cut: up to the last synced commit at least), and every other commit is there whole
// or not at all, with the length of the rejects file that belongs to it. Method: a scripted job on
// a disk in memory whose power is cut at every one of its changes; and kill -9 of a process that
// writes the same script to the machine's own disk.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "base/testing_folder.h"
#include "journal/journal.h"
#include "journal/testing_jobs.h"
#include "sqlite/testing_vfs.h"

namespace vecload::journal {
namespace {

using sqlite::TestingVfs;
using testing::PlainIdentity;
using testing::RecordOne;
using testing::Script;

constexpr uint64_t kGroup = 3;

// Every third commit is synced.
Survives SurvivesOf(uint64_t batches) {
  return batches / kGroup % 3 == 0 ? Survives::kPowerCut : Survives::kKill;
}

// How far a run came: `committed`, of that `synced` for sure, and `tried` if a commit was under
// way.
struct Reached {
  uint64_t synced = 0;
  uint64_t committed = 0;
  uint64_t tried = 0;
  bool complete = false;
};

class PowerCutTest : public ::testing::Test {
 protected:
  Result<Opened> Open(const Script& script) {
    return Journal::Open("job.journal", PlainIdentity(), script.manifest(), {.vfs = vfs_.name()});
  }

  // Goes on with the job, closing and opening the journal every few commits, to the end or until
  // the power goes.
  void Run(const Script& script, uint64_t commits_a_session, Reached* reached) {
    while (vfs_.HasPower() && !reached->complete) {
      auto opened = Open(script);
      if (!opened.ok()) return;
      Journal& journal = *opened->journal;
      uint64_t next = reached->committed;
      for (uint64_t commit = 0; commit < commits_a_session && next < script.batches(); ++commit) {
        for (uint64_t i = 0; i < kGroup && next < script.batches(); ++i, ++next) {
          ASSERT_TRUE(RecordOne(&journal, Script::Batch(next)).ok());
        }
        reached->tried = next;
        if (!journal.Commit(next * Script::kRejectBytes, SurvivesOf(next)).ok()) return;
        reached->committed = next;
        if (SurvivesOf(next) == Survives::kPowerCut) reached->synced = next;
      }
      if (next == script.batches()) reached->complete = journal.MarkComplete({}).ok();
      if (reached->complete) reached->synced = next;
    }
  }

  // The power goes at the given change, comes back, and the job is done to its end.
  // Returns whether the power went before the job was done.
  bool CutAndResume(const Script& script, uint64_t commits_a_session, uint64_t change,
                    uint64_t seed) {
    vfs_.Write("job.journal", "");
    Reached reached;
    vfs_.CutPowerAfter(change);
    Run(script, commits_a_session, &reached);
    const bool cut = !vfs_.HasPower();
    vfs_.PowerOn(seed);
    {
      auto opened = Open(script);
      EXPECT_TRUE(opened.ok()) << opened.status().ToString();
      if (!opened.ok()) return cut;
      const std::optional<uint64_t> batches = script.BatchesIn(*opened->journal);
      EXPECT_THAT(batches, ::testing::Optional(::testing::AllOf(::testing::Ge(reached.synced),
                                                                ::testing::Le(reached.tried))));
      if (!batches.has_value()) return cut;
      EXPECT_TRUE(*batches % kGroup == 0 || *batches == script.batches()) << "half a commit";
      EXPECT_TRUE(!reached.complete || opened->outcome == Outcome::kComplete);
      reached.committed = reached.synced = *batches;
    }
    reached.complete = false;
    Run(script, commits_a_session, &reached);
    EXPECT_TRUE(reached.complete);
    EXPECT_EQ(Open(script)->outcome, Outcome::kComplete);
    return cut;
  }

  TestingVfs vfs_{"power-cut-test"};
};

TEST_F(PowerCutTest, AtEveryChangeOfTheDiskNoSyncedCommitIsLostAndNoneHalved) {
  const Script script(32);
  uint64_t change = 0;
  for (bool cut = true; cut && !HasFailure(); ++change) {
    cut = false;
    for (uint64_t seed = 0; seed < 3; ++seed) {
      SCOPED_TRACE(::testing::Message() << "change " << change << ", seed " << seed);
      cut |= CutAndResume(script, 4, change, seed);
    }
  }
  EXPECT_GT(change, 50u) << "the script is too short to mean anything";
}

// Long enough that SQLite moves its log into the file in the middle of the run.
TEST_F(PowerCutTest, WhileTheLogIsMovedIntoTheFile) {
  const Script script(2400);
  Reached whole;
  const uint64_t before = vfs_.changes();
  Run(script, ~uint64_t{0}, &whole);
  ASSERT_TRUE(whole.complete);
  const uint64_t changes = vfs_.changes() - before;
  ASSERT_GT(changes, 1000u);
  Random random(4);
  for (uint64_t seed = 0; seed < 8 && !HasFailure(); ++seed) {
    const uint64_t change = random.Below(changes);
    SCOPED_TRACE(::testing::Message() << "change " << change << ", seed " << seed);
    EXPECT_TRUE(CutAndResume(script, ~uint64_t{0}, change, seed));
  }
}

// In the child: commits and tells of each through the pipe, one byte a commit.
[[noreturn]] void LoadUntilKilled(const std::string& path, const Script& script, int tell) {
  auto opened = Journal::Open(path, PlainIdentity(), script.manifest(), {});
  if (!opened.ok()) _exit(1);
  Journal& journal = *opened->journal;
  const std::optional<uint64_t> done = script.BatchesIn(journal);
  if (!done.has_value()) _exit(2);
  for (uint64_t next = *done; next < script.batches();) {
    for (uint64_t i = 0; i < kGroup && next < script.batches(); ++i, ++next) {
      if (!RecordOne(&journal, Script::Batch(next)).ok()) _exit(3);
    }
    if (!journal.Commit(next * Script::kRejectBytes, SurvivesOf(next)).ok()) _exit(4);
    if (write(tell, "c", 1) != 1) _exit(5);
  }
  _exit(0);
}

TEST(KilledLoader, LosesNoCommitAndLeavesNoLock) {
  const TestingFolder folder;
  const std::string path = folder.path() + "/job.journal";
  const Script script(4000);
  Random random(1);
  uint64_t batches = 0;
  for (int kill_number = 0; kill_number < 12; ++kill_number) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
      close(ends[0]);
      LoadUntilKilled(path, script, ends[1]);
    }
    close(ends[1]);
    uint64_t told = 0;
    char byte = 0;
    for (const uint64_t wanted = random.Below(12); told < wanted && read(ends[0], &byte, 1) == 1;) {
      ++told;
    }
    // Somewhere in what follows, which is a commit most of the time.
    for (uint64_t spin = random.Below(200'000); spin > 0; --spin) asm volatile("" : : : "memory");
    kill(child, SIGKILL);
    int state = 0;
    ASSERT_EQ(waitpid(child, &state, 0), child);
    // On a machine that is busy enough it may come to its end first.
    ASSERT_TRUE(WIFSIGNALED(state) || WEXITSTATUS(state) == 0) << WEXITSTATUS(state);
    while (read(ends[0], &byte, 1) == 1) ++told;
    close(ends[0]);

    auto opened = Journal::Open(path, PlainIdentity(), script.manifest(), {});
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    const std::optional<uint64_t> now = script.BatchesIn(*opened->journal);
    ASSERT_TRUE(now.has_value());
    EXPECT_GE(*now, std::min(batches + told * kGroup, script.batches()));
    EXPECT_LE(*now, std::min(batches + (told + 1) * kGroup, script.batches()));
    batches = *now;
  }
  EXPECT_GT(batches, 0u);
}

}  // namespace
}  // namespace vecload::journal
