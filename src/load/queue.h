#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>

#include "base/clock.h"

namespace vecload::load {

// A queue between threads. Closed, it takes nothing more and gives what it still holds.
template <typename T>
class Queue {
 public:
  explicit Queue(size_t items_max = SIZE_MAX) : items_max_(items_max) {}

  // Waits for room. False where the queue is closed.
  bool Push(T item) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return closed_ || items_.size() < items_max_; });
    if (closed_) return false;
    items_.push_back(std::move(item));
    changed_.notify_all();
    return true;
  }

  // Waits for an item; nothing where the queue is closed and empty, or `until` has come.
  std::optional<T> Pop(TimePoint until = TimePoint::max()) {
    std::unique_lock lock(mutex_);
    const auto is_ready = [&] { return closed_ || !items_.empty(); };
    // Far times overflow inside wait_until.
    if (until == TimePoint::max()) {
      changed_.wait(lock, is_ready);
    } else {
      changed_.wait_until(lock, until, is_ready);
    }
    if (items_.empty()) return std::nullopt;
    T item = std::move(items_.front());
    items_.pop_front();
    changed_.notify_all();
    return item;
  }

  void Close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<T> items_;
  size_t items_max_;
  bool closed_ = false;
};

}  // namespace vecload::load
