// Goal: a journal is created or resumed, or refused with a message that says why, and never takes
// a row twice. Method: the cases one by one, on a disk in memory; on the machine's own where links,
// folders and locks between processes matter. Crashes and damage have tests of their own.
#include "journal/journal.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing_folder.h"
#include "journal/show.h"
#include "journal/testing_jobs.h"
#include "sqlite/testing_vfs.h"

namespace vecload::journal {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::PlainIdentity;
using testing::PlainManifest;
using testing::RecordOne;
using testing::Settled;

constexpr WallTime kBegun{std::chrono::seconds(1'700'000'000)};

class JournalTest : public ::testing::Test {
 protected:
  Result<Opened> TryOpen() { return Journal::Open("job.journal", identity_, manifest_, options_); }
  Opened Open() {
    auto opened = TryOpen();
    EXPECT_TRUE(opened.ok()) << opened.status().ToString();
    return opened.ok() ? *std::move(opened) : Opened();
  }
  Status Refusal() {
    const std::string before = vfs_.Read("job.journal");
    Status status = TryOpen().status();
    EXPECT_EQ(vfs_.Read("job.journal"), before) << "a refused journal was changed";
    return status;
  }
  // A journal with half of file a and all of b done, one row rejected.
  void MakeHalf() {
    const Opened opened = Open();
    ASSERT_NE(opened.journal, nullptr);
    ASSERT_TRUE(RecordOne(opened.journal.get(), Settled(0, 0, 50)).ok());
    ASSERT_TRUE(RecordOne(opened.journal.get(), Settled(1, 0, 20, 1, 2)).ok());
    ASSERT_TRUE(opened.journal->Commit(77).ok());
  }
  void Finish() {
    const Opened opened = Open();
    ASSERT_NE(opened.journal, nullptr);
    Journal& journal = *opened.journal;
    for (uint32_t file = 0; file < manifest_.files.size(); ++file) {
      for (const RowRange& range : journal.Remaining(file)) {
        ASSERT_TRUE(RecordOne(&journal, Settled(file, range.begin, range.end)).ok());
      }
    }
    ASSERT_TRUE(journal.Commit(journal.rejects_bytes()).ok());
    ASSERT_TRUE(journal.MarkComplete(kBegun + std::chrono::hours(1)).ok());
  }

  sqlite::TestingVfs vfs_{"journal-test"};
  JobIdentity identity_ = PlainIdentity();
  Manifest manifest_ = PlainManifest({100, 20});
  OpenOptions options_ = {.rejects_path = "rejects.jsonl", .now = kBegun, .vfs = "journal-test"};
};

TEST_F(JournalTest, ANewJobHasAllRowsToDo) {
  const Opened opened = Open();
  EXPECT_EQ(opened.outcome, Outcome::kNew);
  EXPECT_EQ(opened.files_added, 0u);
  EXPECT_EQ(opened.journal->rows_total(), 120u);
  EXPECT_EQ(opened.journal->rejects_bytes(), 0u);
  EXPECT_THAT(opened.journal->Remaining(0), ElementsAre(RowRange{0, 100}));
  EXPECT_THAT(opened.journal->Remaining(1), ElementsAre(RowRange{0, 20}));
}

TEST_F(JournalTest, ResumesWithWhatWasCommitted) {
  MakeHalf();
  const Opened opened = Open();
  EXPECT_EQ(opened.outcome, Outcome::kResuming);
  EXPECT_EQ(opened.message, "resuming: 58.3 % done");
  EXPECT_EQ(opened.journal->counts(), (Counts{70, 1, 2}));
  EXPECT_EQ(opened.journal->rejects_bytes(), 77u);
  EXPECT_THAT(opened.journal->Remaining(0), ElementsAre(RowRange{50, 100}));
  EXPECT_THAT(opened.journal->Remaining(1), IsEmpty());
  EXPECT_TRUE(opened.journal->IsRecorded(0, 0, 49));
  EXPECT_FALSE(opened.journal->IsRecorded(0, 0, 50));
}

TEST_F(JournalTest, WhatWasNotCommittedIsToDoAgain) {
  {
    const Opened opened = Open();
    ASSERT_TRUE(RecordOne(opened.journal.get(), Settled(0, 0, 50)).ok());
  }
  EXPECT_EQ(Open().journal->counts().rows, 0u);
}

TEST_F(JournalTest, NeverSaysHundredPercentBeforeItIs) {
  manifest_ = PlainManifest({1'000'000});
  {
    const Opened opened = Open();
    ASSERT_TRUE(RecordOne(opened.journal.get(), Settled(0, 0, 999'999)).ok());
    ASSERT_TRUE(opened.journal->Commit(0).ok());
  }
  EXPECT_EQ(Open().message, "resuming: 99.9 % done");
}

TEST_F(JournalTest, IsCompleteWhenMarkedSo) {
  MakeHalf();
  Finish();
  const Opened opened = Open();
  EXPECT_EQ(opened.outcome, Outcome::kComplete);
  EXPECT_EQ(opened.complete_since, kBegun + std::chrono::hours(1));
  EXPECT_EQ(opened.message, "complete since 2023-11-14T23:13:20Z; use --restart to begin it anew");
  EXPECT_EQ(opened.journal->counts(), (Counts{120, 1, 2}));
}

TEST_F(JournalTest, IsNotMarkedCompleteWhileRowsAreLeft) {
  MakeHalf();
  const Opened opened = Open();
  EXPECT_EQ(opened.journal->MarkComplete(kBegun).code(), Code::kInternal);
  ASSERT_TRUE(RecordOne(opened.journal.get(), Settled(0, 50, 100)).ok());
  EXPECT_EQ(opened.journal->MarkComplete(kBegun).code(), Code::kInternal) << "not committed";
  ASSERT_TRUE(opened.journal->Commit(77).ok());
  EXPECT_TRUE(opened.journal->MarkComplete(kBegun).ok());
}

TEST_F(JournalTest, RestartForgetsAll) {
  MakeHalf();
  options_.restart = true;
  const Opened opened = Open();
  EXPECT_EQ(opened.outcome, Outcome::kNew);
  EXPECT_EQ(opened.journal->counts(), Counts());
  EXPECT_EQ(opened.journal->rejects_bytes(), 0u);
}

TEST_F(JournalTest, AnIndexMadeAgainIsANewJobThatSaysSo) {
  Finish();
  identity_.indexes[0].creation_time_s += 1e-3;
  {
    const Opened opened = Open();
    EXPECT_EQ(opened.outcome, Outcome::kIndexMadeAgain);
    EXPECT_THAT(opened.message, AllOf(HasSubstr("index/i was deleted and made again")));
    EXPECT_EQ(opened.journal->counts(), Counts());
  }
  EXPECT_EQ(Open().outcome, Outcome::kResuming) << "said once";
}

TEST_F(JournalTest, AnotherJobsJournalIsRefusedAndTheDifferenceNamed) {
  MakeHalf();
  const JobIdentity own = identity_;
  const auto refusal = [&](const auto& change) {
    identity_ = own;
    change(&identity_);
    const Status status = Refusal();
    EXPECT_EQ(status.code(), Code::kConflict);
    return status.message();
  };
  EXPECT_THAT(refusal([](JobIdentity* it) { it->endpoint_url = "http://x"; }),
              HasSubstr("endpoint (journal: https://s3vectors.us-east-1.api.aws, this load: "
                        "http://x)"));
  EXPECT_THAT(refusal([](JobIdentity* it) { it->indexes[0].arn += '2'; }), HasSubstr("index ("));
  EXPECT_THAT(refusal([](JobIdentity* it) { it->mapping.key = "key"; }), HasSubstr("key column"));
  EXPECT_THAT(refusal([](JobIdentity* it) { it->mapping.vector = "v"; }),
              HasSubstr("vector column"));
  EXPECT_THAT(refusal([](JobIdentity* it) { it->mapping.metadata.clear(); }),
              HasSubstr(R"(metadata columns (journal: ["category","year"], this load: []))"));
  EXPECT_THAT(refusal([](JobIdentity* it) { it->mapping.metadata_json = "m"; }),
              HasSubstr("metadata JSON column (journal: \"\", this load: m)"));
  EXPECT_THAT(refusal([](JobIdentity* it) { it->shard_scheme = "x"; }), HasSubstr("shard scheme"));
  EXPECT_THAT(refusal([](JobIdentity* it) { it->parts = 2; }),
              HasSubstr("part (journal: 1/1, this load: 1/2)"));
  EXPECT_THAT(refusal([](JobIdentity* it) { it->indexes.push_back(it->indexes[0]); }),
              HasSubstr("index of shard 1 (journal: none"));
  EXPECT_THAT(refusal([](JobIdentity* it) { it->on_duplicate = "last"; }),
              HasSubstr("on-duplicate (journal: none, this load: last)"));
}

TEST_F(JournalTest, ALoadAndADeletionAreNotOneJob) {
  MakeHalf();
  identity_.operation = "delete";
  EXPECT_THAT(Refusal().message(),
              HasSubstr("another job's: operation (journal: load, this delete: delete)"));
  options_.restart = true;
  EXPECT_EQ(Open().outcome, Outcome::kNew);
  options_.restart = false;
  identity_.operation = "load";
  EXPECT_THAT(Refusal().message(), HasSubstr("operation (journal: delete, this load: load)"));
}

TEST_F(JournalTest, AFileThatChangedIsNamedWithTheWaysOn) {
  MakeHalf();
  const Manifest own = manifest_;
  const auto refuses = [&](const auto& change) {
    manifest_ = own;
    change(&manifest_.files[1]);
    const Status status = Refusal();
    EXPECT_EQ(status.code(), Code::kConflict);
    EXPECT_THAT(status.message(), AllOf(HasSubstr("/data/b.parquet changed"),
                                        HasSubstr("restore the file"), HasSubstr("--restart")));
  };
  refuses([](SourceFile* file) { file->size += 1; });
  refuses([](SourceFile* file) { file->mtime_ns += 1; });
  refuses([](SourceFile* file) { file->rows += 1; });
  refuses([](SourceFile* file) { file->etag = "\"abc\""; });
}

TEST_F(JournalTest, AnEtagCountsAndTheTimeThenDoesNot) {
  manifest_.files[0].etag = "\"abc\"";
  Open();
  manifest_.files[0].mtime_ns += 1;
  EXPECT_TRUE(TryOpen().ok());
  manifest_.files[0].etag = "\"abd\"";
  EXPECT_EQ(Refusal().code(), Code::kConflict);
}

TEST_F(JournalTest, NewFilesAreAddedWhateverTheirPlace) {
  MakeHalf();
  SourceFile added = manifest_.files[0];
  added.uri = "/data/0.parquet";
  added.rows = 5;
  manifest_.files.insert(manifest_.files.begin(), added);
  std::swap(manifest_.files[1], manifest_.files[2]);
  {
    const Opened opened = Open();
    EXPECT_EQ(opened.files_added, 1u);
    EXPECT_EQ(opened.message, "resuming: 56.0 % done; 1 new file");
    EXPECT_THAT(opened.journal->Remaining(0), ElementsAre(RowRange{0, 5}));
    EXPECT_THAT(opened.journal->Remaining(1), IsEmpty());
    EXPECT_THAT(opened.journal->Remaining(2), ElementsAre(RowRange{50, 100}));
    ASSERT_TRUE(RecordOne(opened.journal.get(), Settled(0, 0, 5)).ok());
    ASSERT_TRUE(opened.journal->Commit(77).ok());
  }
  EXPECT_THAT(Open().journal->Remaining(0), IsEmpty());
}

TEST_F(JournalTest, ANewFileMakesACompleteJobIncomplete) {
  Finish();
  manifest_ = PlainManifest({100, 20, 7});
  {
    const Opened opened = Open();
    EXPECT_EQ(opened.outcome, Outcome::kResuming);
    EXPECT_THAT(opened.journal->Remaining(2), ElementsAre(RowRange{0, 7}));
  }
  EXPECT_EQ(Open().outcome, Outcome::kResuming);
}

TEST_F(JournalTest, AVanishedFileIsFineWhenItWasDone) {
  MakeHalf();
  manifest_.files.pop_back();
  const Opened opened = Open();
  EXPECT_EQ(opened.files_vanished, 1u);
  EXPECT_EQ(opened.journal->rows_total(), 120u);
  EXPECT_EQ(opened.journal->counts().rows, 70u);
}

TEST_F(JournalTest, AVanishedFileIsNamedWhenItWasNotDone) {
  MakeHalf();
  manifest_.files.erase(manifest_.files.begin());
  const Status status = Refusal();
  EXPECT_EQ(status.code(), Code::kNotFound);
  EXPECT_THAT(status.message(),
              AllOf(HasSubstr("/data/a.parquet is gone and 50 of its 100 rows are not done"),
                    HasSubstr("--restart")));
}

TEST_F(JournalTest, AFileNamedTwiceIsRefused) {
  manifest_.files[1] = manifest_.files[0];
  EXPECT_THAT(TryOpen().status().message(), HasSubstr("twice among the sources"));
  EXPECT_EQ(TryOpen().status().code(), Code::kConflict);
}

TEST_F(JournalTest, RecordedRejectsKeepTheirFile) {
  MakeHalf();
  options_.rejects_path = "elsewhere.jsonl";
  const Status status = Refusal();
  EXPECT_EQ(status.code(), Code::kConflict);
  EXPECT_THAT(status.message(), HasSubstr("this job's rejects are in rejects.jsonl"));
}

TEST_F(JournalTest, ARejectsFileWithNothingRecordedMayMove) {
  Open();
  options_.rejects_path = "elsewhere.jsonl";
  ASSERT_TRUE(Open().journal->Commit(10).ok());
  options_.rejects_path = "rejects.jsonl";
  EXPECT_THAT(Refusal().message(), HasSubstr("elsewhere.jsonl"));
}

TEST_F(JournalTest, RowsThatAreSettledTwiceAreADefect) {
  const Opened opened = Open();
  Journal& journal = *opened.journal;
  ASSERT_TRUE(RecordOne(&journal, Settled(0, 10, 20)).ok());
  EXPECT_EQ(RecordOne(&journal, Settled(0, 19, 30)).code(), Code::kInternal);
  EXPECT_EQ(RecordOne(&journal, Settled(0, 5, 11)).code(), Code::kInternal);
  EXPECT_EQ(RecordOne(&journal, Settled(0, 0, 100)).code(), Code::kInternal);
  const std::vector<SettledSegment> within = {Settled(0, 40, 50), Settled(0, 49, 60)};
  EXPECT_EQ(journal.Record(within, {}).code(), Code::kInternal);
  const std::vector<SettledSegment> second = {Settled(0, 40, 50), Settled(0, 19, 21)};
  EXPECT_EQ(journal.Record(second, {}).code(), Code::kInternal);
  EXPECT_EQ(journal.counts().rows, 10u) << "a refused batch left something behind";
  EXPECT_TRUE(RecordOne(&journal, Settled(0, 20, 40)).ok());
}

TEST_F(JournalTest, SegmentsOutsideTheJobAreADefect) {
  const Opened opened = Open();
  Journal& journal = *opened.journal;
  EXPECT_EQ(RecordOne(&journal, Settled(2, 0, 1)).code(), Code::kInternal);
  EXPECT_EQ(RecordOne(&journal, Settled(0, 0, 101)).code(), Code::kInternal);
  EXPECT_EQ(RecordOne(&journal, {{0, 1, 0, 1}, {1, 0, 0}}).code(), Code::kInternal);
  EXPECT_EQ(RecordOne(&journal, {{0, 0, 0, 2}, {2, 2, 1}}).code(), Code::kInternal);
  EXPECT_EQ(journal.counts().rows, 0u);
}

TEST_F(JournalTest, ShardsAreDoneEachOnItsOwn) {
  identity_.indexes.push_back({"arn:2", 1});
  identity_.shard_scheme = "hash of the key";
  {
    const Opened opened = Open();
    Journal& journal = *opened.journal;
    ASSERT_TRUE(RecordOne(&journal, {{0, 0, 0, 60}, {25, 0, 0}}).ok());
    ASSERT_TRUE(RecordOne(&journal, {{0, 1, 0, 40}, {22, 0, 0}}).ok());
    ASSERT_TRUE(journal.Commit(0).ok());
  }
  const Opened opened = Open();
  EXPECT_THAT(opened.journal->Remaining(0, 0), ElementsAre(RowRange{60, 100}));
  EXPECT_THAT(opened.journal->Remaining(0, 1), ElementsAre(RowRange{40, 100}));
  EXPECT_THAT(opened.journal->Remaining(0), ElementsAre(RowRange{40, 100}));
  EXPECT_TRUE(opened.journal->IsRecorded(0, 0, 50));
  EXPECT_FALSE(opened.journal->IsRecorded(0, 1, 50));
  EXPECT_EQ(opened.journal->counts().rows, 47u);
}

TEST_F(JournalTest, CommitsAreDueAfterASecondOrAFullGroup) {
  manifest_ = PlainManifest({1000});
  const Opened opened = Open();
  Journal& journal = *opened.journal;
  ManualClock clock;
  EXPECT_EQ(journal.CommitDueAt(), TimePoint::max());
  ASSERT_TRUE(RecordOne(&journal, Settled(0, 0, 1), clock.Now()).ok());
  EXPECT_FALSE(journal.CommitDue(clock.Now()));
  clock.Advance(std::chrono::milliseconds(999));
  EXPECT_FALSE(journal.CommitDue(clock.Now()));
  ASSERT_TRUE(RecordOne(&journal, Settled(0, 1, 2), clock.Now()).ok());
  clock.Advance(std::chrono::milliseconds(1));
  EXPECT_TRUE(journal.CommitDue(clock.Now())) << "the first batch has waited for a second";
  ASSERT_TRUE(journal.Commit(0).ok());
  EXPECT_FALSE(journal.CommitDue(clock.Now()));
  for (uint64_t row = 2; row < 2 + Journal::kGroupBatches; ++row) {
    EXPECT_FALSE(journal.CommitDue(clock.Now()));
    ASSERT_TRUE(RecordOne(&journal, Settled(0, row, row + 1), clock.Now()).ok());
  }
  EXPECT_TRUE(journal.CommitDue(clock.Now()));
}

TEST_F(JournalTest, ItsSizeFollowsTheFilesNotTheBatches) {
  manifest_ = PlainManifest({500'000, 500'000});
  const Opened opened = Open();
  Journal& journal = *opened.journal;
  for (uint64_t batch = 0; batch < 1000; ++batch) {
    // Neighbours settle in the wrong order.
    const uint64_t row = (batch ^ 1) * 500;
    const std::vector<SettledSegment> settled = {Settled(0, row, row + 500, 1, 0),
                                                 Settled(1, row, row + 500, 0, 1)};
    ASSERT_TRUE(journal.Record(settled, {}).ok());
    if (batch % 7 != 0) continue;
    ASSERT_TRUE(journal.Commit(batch).ok());
  }
  ASSERT_TRUE(journal.Commit(1000).ok());
  EXPECT_EQ(journal.segments(), 2u);
  EXPECT_EQ(Show("job.journal", vfs_.name())->segments, 2u);
  EXPECT_EQ(journal.counts(), (Counts{1'000'000, 1000, 1000}));
}

TEST_F(JournalTest, AFullDiskFailsTheCommitAndNothingElse) {
  MakeHalf();
  {
    const Opened opened = Open();
    Journal& journal = *opened.journal;
    ASSERT_TRUE(RecordOne(&journal, Settled(0, 50, 80)).ok());
    vfs_.SetFreeBytes(0);
    const Status status = journal.Commit(99);
    EXPECT_EQ(status.code(), Code::kIo);
    EXPECT_THAT(status.message(), AllOf(HasSubstr("job.journal"), HasSubstr("full")));
    EXPECT_EQ(journal.rejects_bytes(), 77u);
    EXPECT_EQ(Show("job.journal", vfs_.name())->counts.rows, 70u);
    ASSERT_TRUE(RecordOne(&journal, Settled(0, 80, 90)).ok());
    EXPECT_FALSE(journal.Commit(100).ok());

    vfs_.SetFreeBytes(~uint64_t{0});
    EXPECT_TRUE(journal.Commit(100).ok());
    vfs_.SetFreeBytes(0);
  }
  const Opened opened = Open();
  EXPECT_EQ(opened.journal->counts().rows, 110u);
  EXPECT_EQ(opened.journal->rejects_bytes(), 100u);
}

TEST_F(JournalTest, AFullDiskCannotHoldANewJob) {
  vfs_.SetFreeBytes(5000);
  EXPECT_EQ(TryOpen().status().code(), Code::kIo);
  vfs_.SetFreeBytes(~uint64_t{0});
  EXPECT_EQ(Open().outcome, Outcome::kNew);
}

TEST_F(JournalTest, ADiscardedJobBindsNobody) {
  Opened opened = Open();
  ASSERT_TRUE(Journal::Discard(std::move(opened.journal)).ok());
  EXPECT_FALSE(vfs_.Exists("job.journal") || vfs_.Exists("job.journal-wal"));
  manifest_.files[0].size += 1;
  EXPECT_EQ(Open().outcome, Outcome::kNew);
}

TEST_F(JournalTest, ASecondLoaderIsRefused) {
  const Opened first = Open();
  options_.restart = true;
  const Status status = TryOpen().status();
  EXPECT_EQ(status.code(), Code::kConflict);
  EXPECT_THAT(status.message(), HasSubstr("another run has it open"));
}

TEST_F(JournalTest, ShowTellsAllAndLeavesNoTrace) {
  MakeHalf();
  const std::string before = vfs_.Read("job.journal");
  const auto shown = Show("job.journal", vfs_.name());
  ASSERT_TRUE(shown.ok()) << shown.status().ToString();
  EXPECT_FALSE(shown->in_use);
  EXPECT_EQ(shown->schema_version, 1);
  EXPECT_EQ(shown->rows_total, 120u);
  EXPECT_EQ(shown->counts, (Counts{70, 1, 2}));
  EXPECT_EQ(shown->rejects_path, "rejects.jsonl");
  EXPECT_EQ(shown->rejects_bytes, 77u);
  EXPECT_EQ(shown->created, kBegun);
  EXPECT_FALSE(shown->complete_since.has_value());
  ASSERT_EQ(shown->files.size(), 2u);
  EXPECT_EQ(shown->files[0].uri, "/data/a.parquet");
  EXPECT_EQ(shown->files[0].rows, 100u);
  EXPECT_EQ(shown->files[0].counts.rows, 50u);
  EXPECT_THAT(shown->identity,
              ::testing::Contains(::testing::Field(&IdentityField::value, "embedding")));
  EXPECT_EQ(vfs_.Read("job.journal"), before);
  EXPECT_FALSE(vfs_.Exists("job.journal-wal"));
}

TEST_F(JournalTest, ShowReadsAJournalInUseAsOfItsLastCommit) {
  MakeHalf();
  const Opened opened = Open();
  ASSERT_TRUE(RecordOne(opened.journal.get(), Settled(0, 50, 60)).ok());
  EXPECT_EQ(Show("job.journal", vfs_.name())->counts.rows, 70u);
  ASSERT_TRUE(opened.journal->Commit(77).ok());
  const auto shown = Show("job.journal", vfs_.name());
  ASSERT_TRUE(shown.ok()) << shown.status().ToString();
  EXPECT_TRUE(shown->in_use);
  EXPECT_EQ(shown->counts.rows, 80u);
}

TEST_F(JournalTest, ShowOfNoJournal) {
  EXPECT_EQ(Show("none.journal", vfs_.name()).status().code(), Code::kNotFound);
}

// On the machine's own disk.
// A part of a job: of file a the rows 30 to 80, of file b none.
class JournalOfAPartTest : public JournalTest {
 protected:
  JournalOfAPartTest() {
    identity_.part = 2;
    identity_.parts = 3;
    options_.shares = {{30, 80}, {0, 0}};
  }
};

TEST_F(JournalOfAPartTest, CountsItsOwnRowsOnly) {
  Opened opened = Open();
  Journal& journal = *opened.journal;
  EXPECT_EQ(journal.rows_total(), 50U);
  EXPECT_THAT(journal.Remaining(0), ElementsAre(RowRange{30, 80}));
  EXPECT_THAT(journal.Remaining(1), IsEmpty());
  EXPECT_EQ(RecordOne(&journal, Settled(0, 29, 31)).code(), Code::kInternal);
  EXPECT_EQ(RecordOne(&journal, Settled(0, 79, 81)).code(), Code::kInternal);
  EXPECT_EQ(RecordOne(&journal, Settled(0, 0, 20)).code(), Code::kInternal);
  EXPECT_EQ(RecordOne(&journal, Settled(1, 0, 1)).code(), Code::kInternal);
  ASSERT_TRUE(RecordOne(&journal, Settled(0, 40, 60)).ok());
  EXPECT_EQ(RecordOne(&journal, Settled(0, 59, 60)).code(), Code::kInternal) << "settled twice";
  ASSERT_TRUE(journal.Commit(0).ok());

  opened.journal.reset();
  opened = Open();
  EXPECT_EQ(opened.message, "resuming: 40.0 % done");
  EXPECT_THAT(opened.journal->Remaining(0), ElementsAre(RowRange{30, 40}, RowRange{60, 80}));
  EXPECT_FALSE(opened.journal->IsRecorded(0, 0, 29));
  EXPECT_FALSE(opened.journal->IsRecorded(0, 0, 39));
  EXPECT_TRUE(opened.journal->IsRecorded(0, 0, 40));
  EXPECT_TRUE(opened.journal->IsRecorded(0, 0, 59));
  EXPECT_FALSE(opened.journal->IsRecorded(0, 0, 60));
  ASSERT_TRUE(RecordOne(opened.journal.get(), Settled(0, 30, 40)).ok());
  EXPECT_FALSE(opened.journal->MarkComplete(kBegun).ok());
  ASSERT_TRUE(RecordOne(opened.journal.get(), Settled(0, 60, 80)).ok());
  ASSERT_TRUE(opened.journal->Commit(0).ok());
  EXPECT_TRUE(opened.journal->MarkComplete(kBegun).ok());
  opened.journal.reset();
  EXPECT_EQ(Open().outcome, Outcome::kComplete);
}

TEST_F(JournalOfAPartTest, FilesMayVanishWhenThePartHasDoneItsRowsOfThem) {
  Opened opened = Open();
  ASSERT_TRUE(RecordOne(opened.journal.get(), Settled(0, 30, 79)).ok());
  ASSERT_TRUE(opened.journal->Commit(0).ok());
  opened.journal.reset();
  const Manifest all = manifest_;
  manifest_.files.erase(manifest_.files.begin());
  options_.shares = {{0, 0}};
  EXPECT_THAT(Refusal().message(), HasSubstr("a.parquet is gone and 1 of its 50 rows"));
  manifest_ = all;
  manifest_.files.pop_back();
  options_.shares = {{30, 80}};
  EXPECT_EQ(Open().message, "resuming: 98.0 % done") << "it had no row of b";
}

TEST_F(JournalOfAPartTest, AnotherPartsJournalIsRefused) {
  Open();
  identity_.part = 3;
  EXPECT_THAT(Refusal().message(), HasSubstr("part (journal: 2/3, this load: 3/3)"));
}

class JournalFileTest : public ::testing::Test {
 protected:
  static Result<Opened> Open(const std::string& path) {
    return Journal::Open(path, PlainIdentity(), PlainManifest({100, 20}), {});
  }

  TestingFolder temporary_;
  std::string folder_ = temporary_.path();
};

TEST_F(JournalFileTest, ResumesAndShows) {
  const std::string path = folder_ + "/it's 100%?#.journal";
  {
    const auto opened = Open(path);
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    ASSERT_TRUE(RecordOne(opened->journal.get(), Settled(0, 0, 60)).ok());
    ASSERT_TRUE(opened->journal->Commit(0).ok());
    const auto shown = Show(path);
    ASSERT_TRUE(shown.ok()) << shown.status().ToString();
    EXPECT_TRUE(shown->in_use);
    EXPECT_EQ(shown->counts.rows, 60u);
  }
  const auto shown = Show(path);
  ASSERT_TRUE(shown.ok()) << shown.status().ToString();
  EXPECT_FALSE(shown->in_use);
  EXPECT_FALSE(std::filesystem::exists(path + "-shm"));
  EXPECT_EQ(Open(path)->message, "resuming: 50.0 % done");
}

TEST_F(JournalFileTest, ASecondLoaderIsRefusedByWhateverNameItComes) {
  const auto first = Open(folder_ + "/job.journal");
  ASSERT_TRUE(first.ok());
  std::filesystem::create_symlink(folder_ + "/job.journal", folder_ + "/link");
  EXPECT_EQ(Open(folder_ + "/link").status().code(), Code::kConflict);

  // Another process, and then again one: the lock is not lost by the first one's coming and going.
  for (int i = 0; i < 2; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      _exit(Open(folder_ + "/job.journal").status().code() == Code::kConflict ? 0 : 1);
    }
    int state = 0;
    ASSERT_EQ(waitpid(child, &state, 0), child);
    EXPECT_EQ(state, 0);
  }
}

TEST_F(JournalFileTest, FoldersThatCannotBeUsedAreNamed) {
  for (const std::string& path : {std::string("/proc/job.journal"), folder_ + "/no/job.journal",
                                  std::string("/dev/null/job.journal"), folder_}) {
    const Status status = Open(path).status();
    EXPECT_EQ(status.code(), Code::kIo) << path;
    EXPECT_THAT(status.message(), HasSubstr(path));
  }
}

TEST_F(JournalFileTest, TheDefaultPathIsOfTheJobInTheStateFolder) {
  ASSERT_EQ(setenv("XDG_STATE_HOME", (folder_ + "/state").c_str(), 1), 0);
  JobIdentity identity = PlainIdentity();
  const auto path = DefaultPath(identity);
  ASSERT_TRUE(path.ok()) << path.status().ToString();
  EXPECT_THAT(*path, ::testing::MatchesRegex(folder_ + "/state/vecload/[0-9a-f]+\\.journal"));
  EXPECT_EQ(std::filesystem::status(folder_ + "/state/vecload").permissions(),
            std::filesystem::perms::owner_all);
  identity.indexes[0].creation_time_s += 1;
  EXPECT_EQ(*DefaultPath(identity), *path) << "an index made again must be noticed";
  identity.part = 2;
  EXPECT_NE(*DefaultPath(identity), *path);

  ASSERT_EQ(setenv("XDG_STATE_HOME", "relative", 1), 0);
  ASSERT_EQ(setenv("HOME", folder_.c_str(), 1), 0);
  EXPECT_THAT(*DefaultPath(identity), HasSubstr(folder_ + "/.local/state/vecload/"));
  ASSERT_EQ(unsetenv("HOME"), 0);
  EXPECT_EQ(DefaultPath(identity).status().code(), Code::kInvalidArgument);
  std::ofstream(folder_ + "/file") << "x";
  ASSERT_EQ(setenv("XDG_STATE_HOME", (folder_ + "/file").c_str(), 1), 0);
  EXPECT_EQ(DefaultPath(identity).status().code(), Code::kIo);
}

}  // namespace
}  // namespace vecload::journal
