// Goal: each row reaches the shard of its key and no other, in batches whose coverages tile each
// shard; what is filtered is left out, and nothing else. Method: seeded blocks of several files
// against a plain account kept beside; every emitted batch is checked by itself.
#include "load/divider.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.h"
#include "client/shards.h"

namespace vecload::load {
namespace {

constexpr float kVector[2] = {0.5F, 1.5F};
constexpr float kShort[1] = {0.5F};

std::string KeyOf(uint32_t file, uint64_t row) {
  return "key-" + std::to_string(file) + "-" + std::to_string(row);
}

std::shared_ptr<const RowBlock> MakeBlock(uint32_t file, uint64_t begin, uint64_t end,
                                          uint64_t bad_every = 0) {
  auto keys = std::make_shared<std::vector<std::string>>();
  for (uint64_t row = begin; row < end; ++row) keys->push_back(KeyOf(file, row));
  auto block = std::make_shared<RowBlock>();
  block->file = file;
  block->row_begin = begin;
  for (uint64_t row = begin; row < end; ++row) {
    SourceRow made;
    made.key = (*keys)[row - begin];
    made.vector = bad_every > 0 && row % bad_every == 0 ? std::span<const float>(kShort)
                                                        : std::span<const float>(kVector);
    block->rows.push_back(made);
  }
  block->owner = keys;
  return block;
}

class DividerTest : public ::testing::Test {
 protected:
  Divider Make(uint32_t shards, uint64_t all_rejected_max = Divider::kAllRejectedMax) {
    return Divider({.shards = shards,
                    .rules = {.dimension = 2, .metric = DistanceMetric::kEuclidean},
                    .batch_vectors_max = &batch_vectors_max_,
                    .all_rejected_max = all_rejected_max},
                   [this](CutBatch batch) {
                     batches_.push_back(std::move(batch));
                     return Status::Ok();
                   });
  }

  // The rows that the batches settle, each with its shard; fails where one is settled twice.
  std::map<RowId, uint32_t> RowsSettled(uint32_t shards) {
    std::map<RowId, uint32_t> settled;
    for (const CutBatch& batch : batches_) {
      std::vector<RowId> ids;
      for (const CutBatch::Row& row : batch.rows) ids.push_back(row.id);
      uint64_t rows = 0;
      for (const auto& [segment, counts] : batch.coverage.Settled(ids)) {
        EXPECT_EQ(segment.shard, batch.shard);
        rows += counts.rows;
      }
      EXPECT_EQ(rows, ids.size() + batch.coverage.rejects.size());
      for (const Reject& reject : batch.coverage.rejects) ids.push_back(reject.id);
      for (const RowId& id : ids) {
        EXPECT_EQ(client::ShardOf(KeyOf(id.file, id.row), shards), batch.shard);
        EXPECT_TRUE(settled.emplace(id, batch.shard).second) << id.file << "/" << id.row;
      }
    }
    return settled;
  }

  // The batches' segments as the journal keeps them.
  [[nodiscard]] journal::SegmentSet Recorded() const {
    journal::SegmentSet set;
    for (const CutBatch& batch : batches_) {
      std::vector<RowId> ids;
      for (const CutBatch::Row& row : batch.rows) ids.push_back(row.id);
      for (const auto& settled : batch.coverage.Settled(ids)) set.Add(settled);
    }
    return set;
  }

  std::atomic<uint32_t> batch_vectors_max_{500};
  std::vector<CutBatch> batches_;
};

TEST_F(DividerTest, EachRowGoesToItsShardAndTheSegmentsTile) {
  constexpr uint32_t kShards = 7;
  batch_vectors_max_ = 20;
  Divider divider = Make(kShards);
  for (uint32_t file = 0; file < 3; ++file) {
    for (uint64_t row = 0; row < 1'000; row += 100) {
      ASSERT_TRUE(divider.Add(MakeBlock(file, row, row + 100, 9)).ok());
    }
  }
  ASSERT_TRUE(divider.Finish().ok());
  EXPECT_EQ(RowsSettled(kShards).size(), 3'000U);
  EXPECT_EQ(divider.blocks_held(), 0U);
  // Side by side, a shard's segments of a file are one.
  const journal::SegmentSet recorded = Recorded();
  EXPECT_LE(recorded.size(), 3U * kShards);
  for (const CutBatch& batch : batches_) {
    EXPECT_LE(batch.rows.size(), 20U);
    EXPECT_LE(batch.coverage.segments.size(), Coverage::kSegmentsMax);
  }
}

TEST_F(DividerTest, OneShardTakesAllRowsWhateverTheirKeys) {
  Divider divider = Make(1);
  ASSERT_TRUE(divider.Add(MakeBlock(0, 0, 300)).ok());
  ASSERT_TRUE(divider.Add(MakeBlock(0, 300, 600)).ok());
  EXPECT_EQ(divider.blocks_held(), 1U) << "of the batch that is being filled";
  ASSERT_TRUE(divider.Finish().ok());
  ASSERT_EQ(batches_.size(), 2U);
  EXPECT_EQ(batches_[0].rows.size(), 500U);
  EXPECT_EQ(batches_[1].rows.size(), 100U);
}

// A job that was stopped anywhere, read again by any cut of blocks, settles each row once.
TEST_F(DividerTest, WhatWasSettledIsLeftOutOfTheNextReading) {
  constexpr uint32_t kShards = 5;
  Random random(17);
  for (int round = 0; round < 20; ++round) {
    batches_.clear();
    batch_vectors_max_ = 1 + random.Below(40);
    {
      Divider divider = Make(kShards);
      uint64_t row = 0;
      while (row < 600) {
        const uint64_t end = row + 1 + random.Below(150);
        ASSERT_TRUE(divider.Add(MakeBlock(0, row, end, 11)).ok());
        row = end;
      }
    }  // stopped: what was being filled is lost
    std::erase_if(batches_, [&](const CutBatch&) { return random.Below(3) == 0; });
    Divider again = Make(kShards);
    again.SetFilter(RowFilter::AllBut(Recorded()));
    for (uint64_t row = 0; row < 1'000; row += 125) {
      ASSERT_TRUE(again.Add(MakeBlock(0, row, row + 125, 11)).ok());
    }
    ASSERT_TRUE(again.Finish().ok());
    ASSERT_EQ(RowsSettled(kShards).size(), 1'000U) << "round " << round;
  }
}

TEST_F(DividerTest, OnlyWhatIsWantedIsTaken) {
  constexpr uint32_t kShards = 3;
  journal::SegmentSet wanted;
  wanted.Add({{.file = 0, .shard = 1, .row_begin = 100, .row_end = 400}, {.rows = 300}});
  Divider divider = Make(kShards);
  divider.SetFilter(RowFilter::Only(wanted));
  ASSERT_TRUE(divider.Add(MakeBlock(0, 0, 250)).ok());
  ASSERT_TRUE(divider.Add(MakeBlock(0, 250, 500)).ok());
  ASSERT_TRUE(divider.Finish().ok());
  const auto settled = RowsSettled(kShards);
  uint64_t expected = 0;
  for (uint64_t row = 100; row < 400; ++row) {
    expected += client::ShardOf(KeyOf(0, row), kShards) == 1 ? 1 : 0;
  }
  EXPECT_EQ(settled.size(), expected);
  for (const auto& [id, shard] : settled) {
    EXPECT_EQ(shard, 1U);
    EXPECT_TRUE(id.row >= 100 && id.row < 400) << id.row;
  }
}

// What was set aside is read again behind what stands after it.
TEST_F(DividerTest, EarlierRowsMayFollow) {
  constexpr uint32_t kShards = 3;
  Divider divider = Make(kShards);
  ASSERT_TRUE(divider.Add(MakeBlock(0, 200, 400)).ok());
  ASSERT_TRUE(divider.Finish().ok());
  ASSERT_TRUE(divider.Add(MakeBlock(0, 100, 200)).ok());
  ASSERT_TRUE(divider.Add(MakeBlock(1, 0, 100)).ok());
  ASSERT_TRUE(divider.Finish().ok());
  EXPECT_EQ(RowsSettled(kShards).size(), 400U);
}

TEST_F(DividerTest, TheFullestBatchGoesFirstWhereMemoryIsShort) {
  constexpr uint32_t kShards = 4;
  Divider divider = Make(kShards);
  ASSERT_TRUE(divider.Add(MakeBlock(0, 0, 200)).ok());
  ASSERT_TRUE(divider.Add(MakeBlock(0, 200, 230)).ok());
  EXPECT_EQ(divider.blocks_held(), 2U);
  std::vector<size_t> sizes;
  while (true) {
    const Result<bool> flushed = divider.FlushFullest();
    ASSERT_TRUE(flushed.ok());
    if (!*flushed) break;
    sizes.push_back(batches_.back().rows.size());
  }
  EXPECT_EQ(sizes.size(), kShards);
  EXPECT_TRUE(std::is_sorted(sizes.begin(), sizes.end(), std::greater()));
  EXPECT_EQ(divider.blocks_held(), 0U);
  EXPECT_EQ(RowsSettled(kShards).size(), 230U);
}

}  // namespace
}  // namespace vecload::load
