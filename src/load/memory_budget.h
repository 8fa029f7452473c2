#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "base/clock.h"

namespace vecload::load {

// Bytes that may be held at once, and by how many holders. Thread-safe.
class MemoryBudget {
 public:
  struct Waited {
    bool granted = false;  // false: cancelled
    Duration for_bytes{};  // of the wait, the part in which bytes were short
  };
  explicit MemoryBudget(uint64_t bytes_max) : bytes_max_(bytes_max) {}

  // Waits until the bytes are free and a holder more is allowed. Where nobody holds anything but
  // the caller itself (`holders_own` times), any amount is granted: nobody could make room.
  Waited Acquire(uint64_t bytes, uint32_t holders_own = 0);
  // Corrects an estimate once the true size is known; never waits.
  void Adjust(uint64_t estimated, uint64_t actual);
  void Release(uint64_t bytes);
  void SetHoldersMax(uint32_t holders_max);
  // Makes all waiting and future Acquire return at once, without a grant.
  void Cancel();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  uint64_t bytes_max_;
  uint64_t bytes_ = 0;
  uint32_t holders_max_ = UINT32_MAX;
  uint32_t holders_ = 0;
  bool cancelled_ = false;
};

}  // namespace vecload::load
