#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include <nanobind/nanobind.h>

#include "vecload/status.h"

namespace vecload::python {

// Runs `work` on a thread of its own, without the GIL, while this one, which has it before and
// afterwards, looks after Python ten times a second: signals, and `tend`. Where either raises, as
// Ctrl-C does, the flag that `work` is given is set, and what was raised is raised again once it
// came to its end; `keep` is then given the result. Otherwise returns it.
template <typename T>
Result<T> Apart(const std::function<Result<T>(const std::atomic<bool>* stop)>& work,
                const std::function<void()>& tend,
                const std::function<void(const Result<T>&)>& keep) {
  namespace nb = nanobind;
  constexpr auto kTick = std::chrono::milliseconds(100);
  std::atomic<bool> stop{false};
  std::mutex mutex;
  std::condition_variable ended;
  std::optional<Result<T>> result;  // guarded by mutex
  std::optional<nb::python_error> raised;
  const auto look = [&] {
    try {
      if (PyErr_CheckSignals() != 0) throw nb::python_error();
      tend();
    } catch (nb::python_error& error) {
      raised.emplace(std::move(error));
      stop = true;
    }
  };
  {
    const nb::gil_scoped_release released;
    std::thread thread([&] {
      Result<T> made = work(&stop);
      const std::lock_guard lock(mutex);
      result.emplace(std::move(made));
      ended.notify_one();
    });
    std::unique_lock lock(mutex);
    while (!ended.wait_for(lock, kTick, [&] { return result.has_value(); })) {
      if (stop) continue;
      lock.unlock();
      {
        const nb::gil_scoped_acquire held;
        look();
      }
      lock.lock();
    }
    lock.unlock();
    thread.join();
  }
  if (!raised.has_value()) look();
  if (raised.has_value()) {
    keep(*result);
    throw std::move(*raised);
  }
  return *std::move(result);
}

}  // namespace vecload::python
