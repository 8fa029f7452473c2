#include "bindings/callbacks.h"

#include <condition_variable>

namespace vecload::python {

namespace nb = nanobind;

namespace {

// Who of our threads is about to take the GIL, or has it. A thread that asks for it when Python is
// gone never comes back.
class Gate {
 public:
  bool Enter() {
    const std::lock_guard lock(mutex_);
    if (closed_) return false;
    ++inside_;
    return true;
  }
  void Leave() {
    const std::lock_guard lock(mutex_);
    --inside_;
    left_.notify_all();
  }
  void Close() {
    std::unique_lock lock(mutex_);
    closed_ = true;
    left_.wait(lock, [&] { return inside_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable left_;
  uint32_t inside_ = 0;
  bool closed_ = false;
};

// Never destroyed: threads may come after the end of main.
Gate& TheGate() {
  static Gate& gate = *new Gate;
  return gate;
}

}  // namespace

SharedObject Share(nb::object object) {
  return {new nb::object(std::move(object)), [](nb::object* shared) {
            // Without Python there is nothing to give back to.
            if (!TheGate().Enter()) return;
            {
              const nb::gil_scoped_acquire held;
              delete shared;
            }
            TheGate().Leave();
          }};
}

Status CallPython(const SharedObject& callee, const std::function<void(const nb::object&)>& take) {
  if (!TheGate().Enter()) return Status::Cancelled("Python is ending");
  Status status;
  {
    const nb::gil_scoped_acquire held;
    try {
      take((*callee)());
    } catch (nb::python_error& error) {
      const nb::object text = nb::str(error.value());
      status = Status::Io(std::string(nb::cast<nb::str>(text).c_str()));
    } catch (const std::exception& error) {
      status = Status::Io(error.what());
    }
  }
  TheGate().Leave();
  return status;
}

void EndCallsToPython() {
  const nb::gil_scoped_release released;
  TheGate().Close();
}

}  // namespace vecload::python
