// Goal: a shard that holds all it may keeps no other from work, encoders serve the shard that has
// the least, and nobody waits for ever. Method: one thread where nothing must wait; threads only
// where waiting is the point, each woken by the event that ends it.
#include "load/shard_queues.h"

#include <atomic>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace vecload::load {
namespace {

const std::atomic<uint64_t> kOneByte{1};

CutBatch Of(uint32_t shard, size_t rows) {
  CutBatch batch{.shard = shard};
  batch.rows.resize(rows);
  return batch;
}

ShardQueues::Pushed Push(ShardQueues* queues, CutBatch batch) { return queues->Push(&batch); }

TEST(ShardQueues, TheShardWithTheFewestBodiesIsServedFirst) {
  ShardQueues queues({.shards = 3, .waiting_max = 4, .body_bytes_max = 1'000});
  for (int i = 0; i < 3; ++i) ASSERT_EQ(Push(&queues, Of(0, 10)), ShardQueues::Pushed::kTaken);
  ASSERT_EQ(queues.Pop(kOneByte)->batch.shard, 0U);
  ASSERT_EQ(Push(&queues, Of(2, 10)), ShardQueues::Pushed::kTaken);
  EXPECT_EQ(queues.Pop(kOneByte)->batch.shard, 2U) << "shard 0 has a body already";
  EXPECT_EQ(queues.Pop(kOneByte)->batch.shard, 0U);
}

TEST(ShardQueues, NoShardTakesAnothersShareOfTheMemory) {
  ShardQueues queues({.shards = 2, .waiting_max = 4, .body_bytes_max = 100});
  ASSERT_EQ(Push(&queues, Of(0, 40)), ShardQueues::Pushed::kTaken);
  ASSERT_EQ(Push(&queues, Of(0, 40)), ShardQueues::Pushed::kTaken);
  ASSERT_EQ(queues.Pop(kOneByte)->batch.shard, 0U);
  // A second body would be beyond its half, though not beyond the whole.
  ASSERT_EQ(Push(&queues, Of(1, 40)), ShardQueues::Pushed::kTaken);
  EXPECT_EQ(queues.Pop(kOneByte)->batch.shard, 1U);
  std::atomic<bool> popped{false};
  std::thread encoder([&] {
    EXPECT_EQ(queues.Pop(kOneByte)->batch.shard, 0U);
    EXPECT_TRUE(popped) << "before the first body of its shard was let go";
  });
  popped = true;
  queues.Release(0, 40);
  encoder.join();
}

TEST(ShardQueues, ABodyLargerThanAllMemoryIsGrantedToAShardThatHasNone) {
  ShardQueues queues({.shards = 1, .waiting_max = 1, .body_bytes_max = 10});
  ASSERT_EQ(Push(&queues, Of(0, 500)), ShardQueues::Pushed::kTaken);
  const auto popped = queues.Pop(kOneByte);
  ASSERT_TRUE(popped.has_value());
  EXPECT_EQ(popped->charged_bytes, 500U);
}

// Shard 0 has its body out and its queue full; shard 1 has nothing to send while the reader stands
// with another batch of shard 0 in hand.
TEST(ShardQueues, ABlockedShardsBatchIsSetAsideWhereAnotherStarves) {
  ShardQueues queues({.shards = 2, .waiting_max = 1, .body_bytes_max = 1'000});
  queues.SetDemand(0, 1, 1, false);
  queues.SetDemand(1, 4, 0, true);
  ASSERT_EQ(Push(&queues, Of(0, 10)), ShardQueues::Pushed::kTaken);
  ASSERT_TRUE(queues.Pop(kOneByte).has_value());
  ASSERT_EQ(Push(&queues, Of(0, 10)), ShardQueues::Pushed::kTaken);
  CutBatch batch = Of(0, 7);
  EXPECT_EQ(queues.Push(&batch), ShardQueues::Pushed::kSetAside);
  EXPECT_EQ(batch.rows.size(), 7U) << "the caller keeps it";
  EXPECT_EQ(queues.TakeFromBlocked().size(), 1U);
  EXPECT_TRUE(queues.TakeFromBlocked().empty());
}

TEST(ShardQueues, NothingIsSetAsideOfASourceThatPassesByOnce) {
  ShardQueues queues(
      {.shards = 2, .waiting_max = 1, .body_bytes_max = 1'000, .may_set_aside = false});
  queues.SetDemand(0, 1, 1, false);
  queues.SetDemand(1, 4, 0, true);
  ASSERT_EQ(Push(&queues, Of(0, 10)), ShardQueues::Pushed::kTaken);
  ASSERT_TRUE(queues.Pop(kOneByte).has_value());
  ASSERT_EQ(Push(&queues, Of(0, 10)), ShardQueues::Pushed::kTaken);
  EXPECT_TRUE(queues.TakeFromBlocked().empty());
  std::thread reader([&] {
    // Waits, though the other shard starves.
    EXPECT_EQ(Push(&queues, Of(0, 7)), ShardQueues::Pushed::kTaken);
  });
  queues.Release(0, 10);
  ASSERT_TRUE(queues.Pop(kOneByte).has_value());
  reader.join();
}

TEST(ShardQueues, AShardThatGetsNoMoreBatchesDoesNotStarve) {
  ShardQueues queues({.shards = 2, .waiting_max = 1, .body_bytes_max = 1'000});
  queues.SetSupplied({true, false});
  queues.SetDemand(0, 1, 1, false);
  ASSERT_EQ(Push(&queues, Of(0, 10)), ShardQueues::Pushed::kTaken);
  ASSERT_TRUE(queues.Pop(kOneByte).has_value());
  ASSERT_EQ(Push(&queues, Of(0, 10)), ShardQueues::Pushed::kTaken);
  EXPECT_TRUE(queues.TakeFromBlocked().empty());
  std::thread reader([&] {
    // Waits for room instead of setting aside.
    EXPECT_EQ(Push(&queues, Of(0, 10)), ShardQueues::Pushed::kTaken);
  });
  queues.Release(0, 10);
  ASSERT_TRUE(queues.Pop(kOneByte).has_value());
  reader.join();
}

TEST(ShardQueues, ClosingLetsTheRestBeTakenAndCancellingDoesNot) {
  ShardQueues queues({.shards = 1, .waiting_max = 2, .body_bytes_max = 1'000});
  ASSERT_EQ(Push(&queues, Of(0, 10)), ShardQueues::Pushed::kTaken);
  queues.Close();
  EXPECT_EQ(Push(&queues, Of(0, 10)), ShardQueues::Pushed::kClosed);
  EXPECT_TRUE(queues.Pop(kOneByte).has_value());
  EXPECT_FALSE(queues.Pop(kOneByte).has_value());

  ShardQueues stopped({.shards = 1, .waiting_max = 1, .body_bytes_max = 1'000});
  ASSERT_EQ(Push(&stopped, Of(0, 10)), ShardQueues::Pushed::kTaken);
  std::thread reader([&] { EXPECT_EQ(Push(&stopped, Of(0, 1)), ShardQueues::Pushed::kClosed); });
  stopped.Cancel();
  reader.join();
  EXPECT_FALSE(stopped.Pop(kOneByte).has_value());
}

}  // namespace
}  // namespace vecload::load
