#include "load/memory_budget.h"

#include "base/check.h"

namespace vecload::load {

MemoryBudget::Waited MemoryBudget::Acquire(uint64_t bytes, uint32_t holders_own,
                                           Duration time_max) {
  std::unique_lock lock(mutex_);
  const auto begin = std::chrono::steady_clock::now();
  const bool in_time = changed_.wait_for(lock, time_max, [&] {
    return cancelled_ || holders_ <= holders_own || bytes_ + bytes <= bytes_max_;
  });
  Waited waited{.granted = in_time && !cancelled_,
                .time = std::chrono::steady_clock::now() - begin};
  if (!waited.granted) return waited;
  bytes_ += bytes;
  ++holders_;
  return waited;
}

bool MemoryBudget::IsSpentBy(uint32_t holders_own, uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  return holders_ > 0 && holders_ <= holders_own && bytes_ + bytes > bytes_max_;
}

void MemoryBudget::Release(uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  CHECK(bytes_ >= bytes && holders_ > 0);
  bytes_ -= bytes;
  --holders_;
  changed_.notify_all();
}

void MemoryBudget::Cancel() {
  const std::lock_guard lock(mutex_);
  cancelled_ = true;
  changed_.notify_all();
}

}  // namespace vecload::load
