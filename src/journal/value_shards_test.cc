// Goal: a job whose shards are values keeps their numbers over all its runs, takes new values
// behind them, and is no other job's. Method: journals opened again with identities that differ in
// one thing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "journal/journal.h"
#include "journal/show.h"
#include "journal/testing_jobs.h"
#include "sqlite/testing_vfs.h"

namespace vecload::journal {
namespace {

using ::testing::HasSubstr;
using testing::PlainIdentity;
using testing::PlainManifest;
using testing::RecordOne;

class ValueShardsTest : public ::testing::Test {
 protected:
  ValueShardsTest() {
    identity_.mapping.shard_by = "tenant";
    identity_.shard_scheme = "value-xxh3-64";
    identity_.base_arn = "arn:b/index/docs";
    identity_.indexes.clear();
    AddValue("b", 5);
    AddValue("", 6);
  }
  void AddValue(const std::string& value, double creation_time_s) {
    identity_.shard_values.push_back(value);
    identity_.indexes.push_back({"arn:b/index/docs-" + value, creation_time_s});
  }
  Result<Opened> TryOpen() {
    return Journal::Open("job.journal", identity_, manifest_, {.vfs = "value-shards-test"});
  }
  Opened Open() {
    auto opened = TryOpen();
    EXPECT_TRUE(opened.ok()) << opened.status().ToString();
    return opened.ok() ? *std::move(opened) : Opened();
  }
  [[nodiscard]] std::vector<ValueShard> Stored() const {
    const auto shown = Show("job.journal", "value-shards-test");
    EXPECT_TRUE(shown.ok()) << shown.status().ToString();
    return shown.ok() ? ValueShardsOf(shown->identity) : std::vector<ValueShard>();
  }

  sqlite::TestingVfs vfs_{"value-shards-test"};
  JobIdentity identity_ = PlainIdentity();
  Manifest manifest_ = PlainManifest({100, 20});
};

TEST_F(ValueShardsTest, AreReadBackInTheirOrder) {
  Open();
  const std::vector<ValueShard> stored = Stored();
  ASSERT_EQ(stored.size(), 2u);
  EXPECT_EQ(stored[0].value, "b");
  EXPECT_EQ(stored[1].value, "");
  EXPECT_EQ(stored[1].creation_time_s, 6);
}

TEST_F(ValueShardsTest, NewOnesComeBehindAndStay) {
  {
    const Opened opened = Open();
    ASSERT_TRUE(RecordOne(opened.journal.get(), {{0, 1, 0, 50}, {30, 0, 0}}).ok());
    ASSERT_TRUE(opened.journal->Commit(0).ok());
  }
  AddValue("a", 1700000000.123456);
  {
    const Opened opened = Open();
    EXPECT_EQ(opened.outcome, Outcome::kResuming);
    EXPECT_EQ(opened.journal->counts().rows, 30u);
    ASSERT_TRUE(RecordOne(opened.journal.get(), {{0, 2, 0, 60}, {10, 0, 0}}).ok());
    ASSERT_TRUE(opened.journal->Commit(0).ok());
  }
  const Opened opened = Open();
  EXPECT_EQ(opened.outcome, Outcome::kResuming);
  EXPECT_EQ(opened.journal->counts().rows, 40u);
  ASSERT_EQ(Stored().size(), 3u);
  EXPECT_EQ(Stored()[2].value, "a");
  EXPECT_EQ(Stored()[2].creation_time_s, 1700000000.123456);
}

TEST_F(ValueShardsTest, AnotherNumberOrFewerAreAnotherJobs) {
  Open();
  const JobIdentity good = identity_;
  std::swap(identity_.shard_values[0], identity_.shard_values[1]);
  EXPECT_THAT(TryOpen().status().message(), HasSubstr("value of shard 0000 (journal: b"));
  identity_ = good;
  identity_.shard_values.pop_back();
  identity_.indexes.pop_back();
  EXPECT_THAT(TryOpen().status().message(), HasSubstr("value of shard 0001"));
  identity_ = good;
  identity_.mapping.shard_by = "customer";
  EXPECT_THAT(TryOpen().status().message(), HasSubstr("shard-by column (journal: tenant"));
  identity_ = PlainIdentity();
  EXPECT_EQ(TryOpen().status().code(), Code::kConflict);
}

TEST_F(ValueShardsTest, AJobOfOneIndexDoesNotBecomeOneOfValues) {
  const JobIdentity by_value = identity_;
  identity_ = PlainIdentity();
  Open();
  identity_ = by_value;
  EXPECT_EQ(TryOpen().status().code(), Code::kConflict);
}

TEST_F(ValueShardsTest, AnIndexMadeAgainIsNamed) {
  Open();
  identity_.indexes[0].creation_time_s = 7;
  const Opened opened = Open();
  EXPECT_EQ(opened.outcome, Outcome::kIndexMadeAgain);
  EXPECT_THAT(opened.message, HasSubstr("docs-b was deleted"));
}

TEST_F(ValueShardsTest, TheDefaultPathIsTheSameWhateverValuesCome) {
  const auto before = DefaultPath(identity_);
  AddValue("a", 9);
  const auto after = DefaultPath(identity_);
  ASSERT_TRUE(before.ok() && after.ok());
  EXPECT_EQ(*before, *after);
  identity_.base_arn += 's';
  EXPECT_NE(*DefaultPath(identity_), *before);
}

}  // namespace
}  // namespace vecload::journal
