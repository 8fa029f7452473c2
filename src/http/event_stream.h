#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace vecload::http {

// What one watcher of server-sent events (HTML's text/event-stream) was not sent yet: whoever has
// news puts it in, the watcher's connection takes it out when it can. A later event takes the place
// of an unsent one of its name, so that a watcher who does not read costs one event a name and
// holds up nobody. The reply that carries it owns it: it goes when the connection does.
// Thread-safe.
class EventStream {
 public:
  // A whole event as it is sent, shared by all watchers.
  using Event = std::shared_ptr<const std::string>;
  // `name` has no line feed; each line of `data` becomes one of the event's.
  static Event Encode(std::string_view name, std::string_view data);

  void Put(std::string_view name, Event event);
  // Nothing more comes: the reply ends once all of it is sent.
  void End();

  // For the server. `wake` is called, on any thread, when there is something to take or the end
  // came; it must not block. An empty one takes it back: it is not called after that.
  void SetWake(std::function<void()> wake);
  struct Unsent {
    std::vector<Event> events;  // in the order of their coming
    bool is_last = false;
  };
  Unsent Take();

 private:
  std::mutex mutex_;
  std::vector<std::pair<std::string, Event>> unsent_;
  std::function<void()> wake_;
  bool ended_ = false;
};

// All who watch the same thing. Thread-safe; events come in order where one thread at a time puts
// them.
class Watchers {
 public:
  explicit Watchers(size_t count_max) : count_max_(count_max) {}
  Watchers(const Watchers&) = delete;
  Watchers& operator=(const Watchers&) = delete;
  ~Watchers() { End(); }

  // A stream for one more; null where there are as many as there may be.
  std::shared_ptr<EventStream> Add();
  void Put(std::string_view name, std::string_view data);
  // Of all that are there.
  void End();
  [[nodiscard]] size_t count() const;
  // Waits until all are gone, but no longer than `longest`.
  void WaitUntilGone(Duration longest);

 private:
  // Outlives the watchers where a connection does.
  struct Shared {
    std::mutex mutex;
    std::condition_variable gone;
    std::vector<std::weak_ptr<EventStream>> streams;
    size_t count = 0;
  };
  // Those that are still there.
  std::vector<std::shared_ptr<EventStream>> Streams();

  const size_t count_max_;
  const std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
};

}  // namespace vecload::http
