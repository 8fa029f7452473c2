#include "load/shard_queues.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace vecload::load {

ShardQueues::ShardQueues(const Options& options) : options_(options), shards_(options.shards) {}

ShardQueues::Pushed ShardQueues::Push(CutBatch* batch) {
  std::unique_lock lock(mutex_);
  Shard& shard = shards_[batch->shard];
  while (!closed_ && !cancelled_ && shard.waiting.size() >= options_.waiting_max) {
    if (IsBlocked(shard) && AnyStarves()) return Pushed::kSetAside;
    changed_.wait(lock);
  }
  if (closed_ || cancelled_) return Pushed::kClosed;
  shard.waiting.push_back(std::move(*batch));
  changed_.notify_all();
  return Pushed::kTaken;
}

std::vector<CutBatch> ShardQueues::TakeFromBlocked() {
  std::vector<CutBatch> taken;
  const std::lock_guard lock(mutex_);
  if (!AnyStarves()) return taken;
  for (Shard& shard : shards_) {
    if (!IsBlocked(shard)) continue;
    std::ranges::move(shard.waiting, std::back_inserter(taken));
    shard.waiting.clear();
  }
  return taken;
}

void ShardQueues::SetSupplied(const std::vector<bool>& supplied) {
  const std::lock_guard lock(mutex_);
  for (size_t i = 0; i < shards_.size(); ++i) shards_[i].supplied = supplied[i];
  changed_.notify_all();
}

// Where a shard holds nothing any body is granted, or a budget smaller than one would end the load.
ShardQueues::Room ShardQueues::RoomFor(const Shard& shard, uint64_t bytes) const {
  if (shard.holders >= shard.holders_max) return Room::kNoHolder;
  const bool over_share =
      shard.holders > 0 && (shard.bytes + bytes) * options_.shards > options_.body_bytes_max;
  const bool over_all = holders_ > 0 && bytes_ + bytes > options_.body_bytes_max;
  return over_share || over_all ? Room::kNoBytes : Room::kYes;
}

// It has as many bodies as it may, so that no encoder will take a batch of it until one is
// answered. (That all memory is spent is no fault of the shard.)
bool ShardQueues::IsBlocked(const Shard& shard) const {
  return shard.holders > 0 &&
         (shard.holders >= shard.holders_max ||
          (shard.bytes + shard.bytes / shard.holders) * options_.shards > options_.body_bytes_max);
}

bool ShardQueues::AnyStarves() const {
  if (!options_.may_set_aside) return false;
  return std::ranges::any_of(shards_, [](const Shard& shard) {
    return shard.supplied && shard.can_send && shard.waiting.empty() &&
           shard.holders <= shard.in_flight;
  });
}

std::optional<ShardQueues::Popped> ShardQueues::Pop(const std::atomic<uint64_t>& bytes_per_vector) {
  std::unique_lock lock(mutex_);
  Duration waited_for_bytes{};
  while (!cancelled_) {
    Shard* chosen = nullptr;
    bool bytes_short = false;
    for (Shard& shard : shards_) {
      if (shard.waiting.empty()) continue;
      const uint64_t bytes = shard.waiting.front().rows.size() * bytes_per_vector;
      const Room room = RoomFor(shard, bytes);
      bytes_short = bytes_short || room == Room::kNoBytes;
      if (room != Room::kYes) continue;
      if (chosen == nullptr || shard.holders < chosen->holders) chosen = &shard;
    }
    if (chosen != nullptr) {
      Popped popped{.batch = std::move(chosen->waiting.front()),
                    .waited_for_bytes = waited_for_bytes};
      chosen->waiting.pop_front();
      popped.charged_bytes = popped.batch.rows.size() * bytes_per_vector;
      chosen->bytes += popped.charged_bytes;
      bytes_ += popped.charged_bytes;
      ++chosen->holders;
      ++holders_;
      changed_.notify_all();
      return popped;
    }
    const bool any_waits =
        std::ranges::any_of(shards_, [](const Shard& shard) { return !shard.waiting.empty(); });
    if (closed_ && !any_waits) break;
    const auto begin = std::chrono::steady_clock::now();
    changed_.wait(lock);
    if (bytes_short) waited_for_bytes += std::chrono::steady_clock::now() - begin;
  }
  return std::nullopt;
}

void ShardQueues::Adjust(uint32_t shard, uint64_t estimated, uint64_t actual) {
  const std::lock_guard lock(mutex_);
  CHECK(shards_[shard].bytes >= estimated);
  shards_[shard].bytes += actual - estimated;
  bytes_ += actual - estimated;
  changed_.notify_all();
}

void ShardQueues::Release(uint32_t shard, uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  CHECK(shards_[shard].bytes >= bytes && shards_[shard].holders > 0);
  shards_[shard].bytes -= bytes;
  --shards_[shard].holders;
  bytes_ -= bytes;
  --holders_;
  changed_.notify_all();
}

void ShardQueues::SetDemand(uint32_t shard, uint32_t holders_max, uint32_t in_flight,
                            bool can_send) {
  const std::lock_guard lock(mutex_);
  Shard& changed = shards_[shard];
  if (changed.holders_max == holders_max && changed.in_flight == in_flight &&
      changed.can_send == can_send) {
    return;
  }
  changed.holders_max = holders_max;
  changed.in_flight = in_flight;
  changed.can_send = can_send;
  changed_.notify_all();
}

void ShardQueues::Close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  changed_.notify_all();
}

void ShardQueues::Cancel() {
  const std::lock_guard lock(mutex_);
  cancelled_ = true;
  changed_.notify_all();
}

}  // namespace vecload::load
