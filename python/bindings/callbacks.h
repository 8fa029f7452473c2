#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nanobind/nanobind.h>

#include "vecload/status.h"

namespace vecload::python {

// What a job's threads tell, handed on to Python by the thread that waits for the job: messages one
// by one, of progress the newest.
template <typename Progress>
class Mailbox {
 public:
  void Post(const Progress& progress) {
    const std::lock_guard lock(mutex_);
    progress_ = progress;
  }
  void Post(const std::string& message) {
    const std::lock_guard lock(mutex_);
    messages_.push_back(message);
  }
  // With the GIL. Either callback may be None.
  template <typename ToPython>
  void Deliver(const nanobind::object& on_message, const nanobind::object& on_progress,
               const ToPython& to_python) {
    std::unique_lock lock(mutex_);
    const std::vector<std::string> messages = std::exchange(messages_, {});
    const std::optional<Progress> progress = std::exchange(progress_, std::nullopt);
    lock.unlock();
    if (!on_message.is_none()) {
      for (const std::string& message : messages) {
        on_message(nanobind::str(message.data(), message.size()));
      }
    }
    if (!on_progress.is_none() && progress.has_value()) on_progress(to_python(*progress));
  }

 private:
  std::mutex mutex_;
  std::optional<Progress> progress_;
  std::vector<std::string> messages_;
};

// A Python object that C++ threads call, and drop, whenever they like.
using SharedObject = std::shared_ptr<nanobind::object>;
SharedObject Share(nanobind::object object);

// Calls `callee` with the GIL, from any thread, and gives what it returned to `take`, also with it.
// What it raises becomes kIo with its text. kCancelled once Python is ending.
Status CallPython(const SharedObject& callee,
                  const std::function<void(const nanobind::object&)>& take);

// From now on CallPython refuses, and nobody is inside it any more: for Python's atexit.
void EndCallsToPython();

}  // namespace vecload::python
