#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "base/clock.h"

namespace vecload::load {

// Bytes that may be held at once. Thread-safe.
class MemoryBudget {
 public:
  struct Waited {
    bool granted = false;  // false: cancelled, or not within the time
    Duration time{};
  };
  explicit MemoryBudget(uint64_t bytes_max) : bytes_max_(bytes_max) {}

  // Waits until the bytes are free. Where nobody holds anything but the caller itself
  // (`holders_own` times), any amount is granted: nobody could make room.
  Waited Acquire(uint64_t bytes, uint32_t holders_own, Duration time_max);
  // Whether Acquire would wait, or grant more than there is, since the caller itself holds all.
  [[nodiscard]] bool IsSpentBy(uint32_t holders_own, uint64_t bytes);
  void Release(uint64_t bytes);
  // Makes all waiting and future Acquire return at once, without a grant.
  void Cancel();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  uint64_t bytes_max_;
  uint64_t bytes_ = 0;
  uint32_t holders_ = 0;
  bool cancelled_ = false;
};

}  // namespace vecload::load
