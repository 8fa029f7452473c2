#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace vecload::observe {

// An event as the text/event-stream format has it (HTML standard, 9.2). `json` is one line.
std::string EventText(std::string_view name, std::string_view json);

// The present state of something, as the latest event of each name, for any number of watchers.
// A watcher is a place in the course of the events and has no queue: one that is slow misses what
// was replaced meanwhile, costs nothing, and never misses the latest. Thread-safe; outlives its
// watchers.
class EventHub {
 public:
  using Text = std::shared_ptr<const std::string>;
  struct News {
    std::vector<Text> texts;
    bool ended = false;  // nothing comes after these
  };

  class Watcher {
   public:
    ~Watcher();
    Watcher(const Watcher&) = delete;
    Watcher& operator=(const Watcher&) = delete;
    // What came since the last call, each name once; at first the opening and the latest of each.
    // Waits for nothing.
    News Next();

   private:
    friend class EventHub;
    Watcher(EventHub* hub, std::string opening);
    EventHub& hub_;
    Text opening_;
    uint64_t seen_ = 0;
    std::function<void()> wake_;
    std::list<Watcher*>::iterator place_;
  };

  static constexpr size_t kWatchersMax = 200;

  // Replaces the event of that name; the order is that of publishing.
  void Publish(std::string_view name, std::string_view json);
  // After this, Next says `ended` once all was given.
  void End();

  // nullptr: there are kWatchersMax. `opening` is given before all else. `wake` is called on a
  // publisher's thread when Next has something; also for a moment after the watcher went.
  std::unique_ptr<Watcher> Watch(std::string opening, std::function<void()> wake);
  // Whether it came to that within `max`.
  bool WaitUntilWatched(Duration max);
  bool WaitUntilUnwatched(Duration max);
  // Ends such waits, now and later.
  void StopWaiting();

 private:
  struct Event {
    std::string name;
    Text text;
    uint64_t number = 0;
  };

  void WakeAll();

  std::mutex mutex_;
  std::condition_variable changed_;  // whether there are watchers
  std::vector<Event> events_;        // by number; a handful
  uint64_t number_ = 0;              // of the latest
  bool ended_ = false;
  bool no_waiting_ = false;
  std::list<Watcher*> watchers_;
};

}  // namespace vecload::observe
