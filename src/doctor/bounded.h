#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "base/clock.h"

namespace vecload::doctor {

// Runs `work` on a thread of its own and waits for it, `limit` at most. Absent: it is late, and
// left behind; nobody can stop a name look-up or a foreign library. So it must own what it uses.
template <typename T>
std::optional<T> Bounded(Duration limit, std::function<T()> work) {
  struct Shared {
    std::mutex mutex;
    std::condition_variable done;
    std::optional<T> result;
  };
  const auto shared = std::make_shared<Shared>();
  std::thread thread([shared, work = std::move(work)] {
    T result = work();
    const std::lock_guard lock(shared->mutex);
    shared->result.emplace(std::move(result));
    shared->done.notify_one();
  });
  std::unique_lock lock(shared->mutex);
  if (!shared->done.wait_for(lock, limit, [&] { return shared->result.has_value(); })) {
    thread.detach();
    return std::nullopt;
  }
  lock.unlock();
  thread.join();  // libraries free what they keep for a thread when it ends
  return std::move(shared->result);
}

}  // namespace vecload::doctor
