#pragma once

#include <cstdint>
#include <functional>
#include <queue>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace vecload::sim {

// The time of everything. The loader's machine may have the civil time wrong; the service has it
// right.
class WorldClock final : public Clock {
 public:
  [[nodiscard]] TimePoint Now() const override { return now_; }
  [[nodiscard]] WallTime WallNow() const override { return TrueNow() + off_; }
  [[nodiscard]] WallTime TrueNow() const { return kStart + now_.time_since_epoch(); }
  void SetOff(Duration off) { off_ = off; }
  void MoveTo(TimePoint now) { now_ = now; }

 private:
  static constexpr WallTime kStart{std::chrono::seconds(1'795'562'100)};
  TimePoint now_{};
  Duration off_{};
};

// What happens when. Events of one time happen in the order in which they were planned, so a seed
// fixes a whole run.
class World {
 public:
  void At(TimePoint time, std::function<void()> happen) {
    events_.push({time, next_++, std::move(happen)});
  }
  void After(Duration wait, std::function<void()> happen) {
    At(clock_.Now() + wait, std::move(happen));
  }
  // Lets the next event happen if it is due by `until`; else it is `until` now. Whether one did.
  bool Step(TimePoint until) {
    if (events_.empty() || events_.top().time > until) {
      clock_.MoveTo(std::max(clock_.Now(), until));
      return false;
    }
    // Taken out first: what happens may plan more.
    Event event = std::move(const_cast<Event&>(events_.top()));
    events_.pop();
    clock_.MoveTo(std::max(clock_.Now(), event.time));
    event.happen();
    return true;
  }
  void PassUntil(TimePoint until) {
    while (Step(until)) {
    }
  }
  [[nodiscard]] WorldClock& clock() { return clock_; }
  [[nodiscard]] TimePoint Now() const { return clock_.Now(); }

 private:
  struct Event {
    TimePoint time;
    uint64_t number;
    std::function<void()> happen;
    friend bool operator>(const Event& a, const Event& b) {
      return std::pair(a.time, a.number) > std::pair(b.time, b.number);
    }
  };

  WorldClock clock_;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  uint64_t next_ = 0;
};

}  // namespace vecload::sim
