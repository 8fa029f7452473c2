// Goal: rows divided by value reach their value's shard, those without one are rejected once, and
// values keep the numbers that a journal has given them. Method: made-up blocks and identities.
#include "load/targets.h"

#include <atomic>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "load/divider.h"

namespace vecload::load {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr float kVector[2] = {0.5F, 1.5F};
const IndexName kBase{"bucket", "docs"};

IndexInfo IndexOf(const std::string& value) {
  IndexInfo index{.name = client::ValueIndexName(kBase, value)};
  index.arn = "arn:b/index/" + index.name.index;
  index.creation_time_s = 100 + static_cast<double>(value.size());
  index.dimension = 2;
  return index;
}

Targets TargetsOf(const std::vector<std::string>& values) {
  std::vector<IndexInfo> indexes;
  for (const std::string& value : values) indexes.push_back(IndexOf(value));
  return MakeTargets(values, std::move(indexes));
}

std::vector<std::string> Names(const Targets& targets) {
  std::vector<std::string> names;
  for (const IndexInfo& index : targets.indexes) names.push_back(index.name.index);
  return names;
}

std::string Name(const std::string& value) { return IndexOf(value).name.index; }

TEST(NumberAsBefore, KeepsTheJournalsNumbersAndPutsNewValuesBehind) {
  Targets targets = TargetsOf({"a", "b", "z"});
  ASSERT_TRUE(NumberAsBefore(kBase, {{"z", 101}, {"gone", 7}, {"b", 101}}, &targets).ok());
  EXPECT_THAT(targets.values->values(), ElementsAre("z", "gone", "b", "a"));
  EXPECT_THAT(targets.has_rows, ElementsAre(true, false, true, true));
  EXPECT_THAT(Names(targets), ElementsAre(Name("z"), Name("gone"), Name("b"), Name("a")));
  EXPECT_EQ(targets.indexes[1].creation_time_s, 7) << "as the journal has it";
  EXPECT_EQ(targets.indexes[1].arn, "arn:b/index/" + Name("gone"));
  EXPECT_EQ(targets.values->Of({.has_shard_value = true, .shard_value = "a"}), 3U);

  journal::JobIdentity identity;
  SetShards(kBase, targets, &identity);
  EXPECT_EQ(identity.base_arn, "arn:b/index/docs");

  LoadReport report;
  for (const IndexInfo& index : targets.indexes) {
    report.shards.push_back({.index = index.name.ToString()});
  }
  NameValues(targets, &report);
  ASSERT_EQ(report.shards.size(), 3U) << "nothing can go to the one that is gone";
  EXPECT_EQ(report.shards[1].value, "b");
  EXPECT_EQ(report.shards[1].index, "bucket/" + Name("b"));
}

TEST(NumberAsBefore, RefusesMoreThanAThousandInAll) {
  std::vector<journal::ValueShard> before(1'000);
  for (size_t i = 0; i < before.size(); ++i) before[i].value = std::to_string(i);
  Targets targets = TargetsOf({"7"});
  EXPECT_TRUE(NumberAsBefore(kBase, before, &targets).ok());
  targets = TargetsOf({"new"});
  const Status status = NumberAsBefore(kBase, before, &targets);
  EXPECT_EQ(status.code(), Code::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("--restart"));
}

TEST(ShardRuns, EndWithTheRunOrTheFile) {
  Manifest manifest;
  for (const uint64_t rows : {100, 0, 50, 200}) {
    SourceFile file;
    file.rows = rows;
    manifest.rows += rows;
    manifest.files.push_back(file);
  }
  const client::ValueNumbers numbers({"b", "a"});
  source::ShardValues found;
  found.values = {{"a", 1}, {"b", 1}};
  found.runs = {{.begin = 10, .end = 120, .value = 0}, {.begin = 120, .end = 200, .value = 1}};
  const ShardRuns runs(manifest, found, numbers);
  EXPECT_EQ(runs.EndOf({0, 9}, 1), 9U) << "before the run";
  EXPECT_EQ(runs.EndOf({0, 10}, 1), 100U) << "to the file's end";
  EXPECT_EQ(runs.EndOf({2, 0}, 1), 20U);
  EXPECT_EQ(runs.EndOf({2, 0}, 0), 0U) << "another shard's";
  EXPECT_EQ(runs.EndOf({2, 20}, 0), 50U);
  EXPECT_EQ(runs.EndOf({3, 49}, 0), 50U);
  EXPECT_EQ(runs.EndOf({3, 50}, 0), 50U) << "behind all runs";
}

TEST(RowFilter, SaysWhatOfARangeIsWanted) {
  journal::SegmentSet set;
  set.Add({{0, 1, 10, 20}, {.rows = 10}});
  set.Add({{0, 1, 30, 40}, {.rows = 10}});
  set.Add({{0, 2, 0, 100}, {.rows = 100}});
  const Segment range{0, 1, 15, 50};
  EXPECT_THAT(RowFilter().Wanted(range), ElementsAre(range));
  EXPECT_THAT(RowFilter::AllBut(set).Wanted(range),
              ElementsAre(Segment{0, 1, 20, 30}, Segment{0, 1, 40, 50}));
  EXPECT_THAT(RowFilter::Only(set).Wanted(range),
              ElementsAre(Segment{0, 1, 15, 20}, Segment{0, 1, 30, 40}));
  EXPECT_THAT(RowFilter::AllBut(set).Wanted({0, 2, 0, 100}), ElementsAre());
}

class ValueDividerTest : public ::testing::Test {
 protected:
  // Row i has the value i; an absent one is null.
  Status Divide(const std::vector<std::optional<std::string>>& values) {
    Divider divider({.shards = static_cast<uint32_t>(numbers_.values().size()),
                     .values = &numbers_,
                     .rules = {.dimension = 2, .metric = DistanceMetric::kEuclidean},
                     .batch_vectors_max = &batch_vectors_max_},
                    [this](const CutBatch& batch) {
                      for (const CutBatch::Row& row : batch.rows) {
                        shard_of_row_[row.id.row] = batch.shard;
                      }
                      for (const Reject& reject : batch.coverage.rejects) {
                        rejected_[reject.id.row] = batch.shard;
                      }
                      return Status::Ok();
                    });
    auto block = std::make_shared<RowBlock>();
    std::vector<std::string> keys(values.size(), "same key");
    for (size_t i = 0; i < values.size(); ++i) {
      SourceRow row{.key = keys[i], .vector = kVector};
      row.has_shard_value = values[i].has_value();
      if (values[i].has_value()) row.shard_value = *values[i];
      if (!values[i].has_value()) row.fault = RejectRule::kShardValueMissing;
      block->rows.push_back(row);
    }
    VECLOAD_RETURN_IF_ERROR(divider.Add(block));
    return divider.Finish();
  }

  const client::ValueNumbers numbers_{{"b", "", "a"}};
  std::atomic<uint32_t> batch_vectors_max_{500};
  std::map<uint64_t, uint32_t> shard_of_row_;
  std::map<uint64_t, uint32_t> rejected_;
};

TEST_F(ValueDividerTest, RowsGoToTheShardsOfTheirValuesWhateverTheirKeys) {
  ASSERT_TRUE(Divide({"a", std::nullopt, "b", "", std::nullopt}).ok());
  EXPECT_THAT(shard_of_row_, ElementsAre(std::pair(0, 2U), std::pair(2, 0U), std::pair(3, 1U)));
  EXPECT_THAT(rejected_, ElementsAre(std::pair(1, 0U), std::pair(4, 0U)));
}

TEST_F(ValueDividerTest, AValueThatWasNotThereIsNeverGuessedAt) {
  const Status status = Divide({"a", "A"});
  EXPECT_EQ(status.code(), Code::kConflict);
  EXPECT_THAT(status.message(), HasSubstr("\"A\""));
}

}  // namespace
}  // namespace vecload::load
