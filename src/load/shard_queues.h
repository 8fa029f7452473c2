#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "load/cutter.h"

namespace vecload::load {

// Stands between the reader and the encoders: cut batches that wait, shard by shard, and how many
// bodies each shard holds. An encoder gets the batch of the shard that has the fewest, and no shard
// holds more than its share of the memory, so that none goes without because another is slow.
// Thread-safe.
class ShardQueues {
 public:
  struct Options {
    uint32_t shards = 1;
    size_t waiting_max = 1;       // batches of one shard
    uint64_t body_bytes_max = 0;  // of all bodies; each shard has an equal share
    bool may_set_aside = true;    // false: the source cannot give a row again, so all wait
  };
  explicit ShardQueues(const Options& options);

  enum class Pushed {
    kTaken,
    // Not taken: the shard has all that it can hold, and another one has nothing to send while the
    // reader stands here. Its rows are to be read again later.
    kSetAside,
    kClosed,
  };
  // Waits for room.
  Pushed Push(CutBatch* batch);
  // Takes away all that waits for shards which can hold no more, if another shard has nothing to
  // send: what may free the memory that the reader waits for.
  std::vector<CutBatch> TakeFromBlocked();
  // Which shards will still get batches; only those can be short of them. At first all.
  void SetSupplied(const std::vector<bool>& supplied);

  struct Popped {
    CutBatch batch;
    uint64_t charged_bytes = 0;  // to be adjusted and released
    Duration waited_for_bytes{};
  };
  // Waits for a batch whose body, of `bytes_per_vector` a vector, may be held; nothing once closed
  // and empty, or cancelled. A batch without vectors makes no body, and is charged nothing.
  std::optional<Popped> Pop(const std::atomic<uint64_t>& bytes_per_vector);
  // Corrects an estimate once the true size is known; never waits.
  void Adjust(uint32_t shard, uint64_t estimated, uint64_t actual);
  void Release(uint32_t shard, uint64_t bytes);
  // How many bodies the shard may hold, and how many of them are under way; where `can_send`, it
  // would send more than those if it had them.
  void SetDemand(uint32_t shard, uint32_t holders_max, uint32_t in_flight, bool can_send);

  // No batch comes any more.
  void Close();
  // Nothing is taken or given any more.
  void Cancel();

 private:
  struct Shard {
    std::deque<CutBatch> waiting;
    uint64_t bytes = 0;
    uint32_t holders = 0;
    uint32_t holders_max = UINT32_MAX;
    uint32_t in_flight = 0;
    bool can_send = true;
    bool supplied = true;
  };
  enum class Room { kYes, kNoHolder, kNoBytes };

  [[nodiscard]] Room RoomFor(const Shard& shard, uint64_t bytes) const;
  [[nodiscard]] bool IsBlocked(const Shard& shard) const;
  [[nodiscard]] bool AnyStarves() const;

  const Options options_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Shard> shards_;
  uint64_t bytes_ = 0;
  uint32_t holders_ = 0;
  bool closed_ = false;
  bool cancelled_ = false;
};

}  // namespace vecload::load
