#include "load/memory_budget.h"

#include "base/check.h"

namespace vecload::load {

MemoryBudget::Waited MemoryBudget::Acquire(uint64_t bytes, uint32_t holders_own) {
  std::unique_lock lock(mutex_);
  Waited waited;
  while (!cancelled_ && holders_ > holders_own) {
    const bool bytes_short = bytes_ + bytes > bytes_max_;
    if (!bytes_short && holders_ < holders_max_) break;
    const auto begin = std::chrono::steady_clock::now();
    changed_.wait(lock);
    if (bytes_short) waited.for_bytes += std::chrono::steady_clock::now() - begin;
  }
  if (cancelled_) return waited;
  bytes_ += bytes;
  ++holders_;
  waited.granted = true;
  return waited;
}

void MemoryBudget::Adjust(uint64_t estimated, uint64_t actual) {
  const std::lock_guard lock(mutex_);
  CHECK(bytes_ >= estimated);
  bytes_ = bytes_ - estimated + actual;
  changed_.notify_all();
}

void MemoryBudget::Release(uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  CHECK(bytes_ >= bytes && holders_ > 0);
  bytes_ -= bytes;
  --holders_;
  changed_.notify_all();
}

void MemoryBudget::SetHoldersMax(uint32_t holders_max) {
  const std::lock_guard lock(mutex_);
  if (holders_max_ == holders_max) return;
  holders_max_ = holders_max;
  changed_.notify_all();
}

void MemoryBudget::Cancel() {
  const std::lock_guard lock(mutex_);
  cancelled_ = true;
  changed_.notify_all();
}

}  // namespace vecload::load
