#pragma once

#include <mutex>
#include <shared_mutex>

namespace vecload::store {

// A std::shared_mutex in whose queue a writer cannot starve: glibc lets new readers pass a waiting
// writer for ever, and queries may follow each other without a gap. Whoever waits blocks those
// who come later. For std::unique_lock and std::shared_lock.
class FairSharedMutex {
 public:
  void lock() {
    const std::lock_guard turn(turn_);
    mutex_.lock();
  }
  void unlock() { mutex_.unlock(); }
  void lock_shared() {
    const std::lock_guard turn(turn_);
    mutex_.lock_shared();
  }
  void unlock_shared() { mutex_.unlock_shared(); }

 private:
  std::mutex turn_;
  std::shared_mutex mutex_;
};

}  // namespace vecload::store
