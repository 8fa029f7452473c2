#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace vecload::http {

// The body of a reply that is sent as it comes to be. Who has more to send calls Wake; the server
// asks `next` once the client has taken what it got before. So a client that reads slowly holds one
// piece, blocks nobody, and `next` decides what it may miss. Thread-safe.
class BodyStream {
 public:
  struct Piece {
    // Sent one behind the other; shared, since many clients get the same. None: wait for Wake.
    std::vector<std::shared_ptr<const std::string>> parts;
    bool is_last = false;  // the reply ends behind these parts
  };
  // `next` is called on the server's I/O thread, so it must not wait; it goes when the connection
  // ends.
  explicit BodyStream(std::function<Piece()> next) : next_(std::move(next)) {}

  // There is something for `next` to give.
  void Wake() {
    const std::lock_guard lock(mutex_);
    if (on_wake_) on_wake_();
  }

  // For the server.
  Piece Next() { return next_(); }
  void SetOnWake(std::function<void()> on_wake) {
    const std::lock_guard lock(mutex_);
    on_wake_ = std::move(on_wake);
  }

 private:
  const std::function<Piece()> next_;
  std::mutex mutex_;
  std::function<void()> on_wake_;
};

}  // namespace vecload::http
