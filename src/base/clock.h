#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace vecload {

using Duration = std::chrono::nanoseconds;
// Monotonic: for pacing, time-outs and latency. Only differences mean anything.
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, Duration>;
// Civil time: for signatures and reports.
using WallTime = std::chrono::time_point<std::chrono::system_clock, Duration>;

// The seam for time. Implementations are thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual TimePoint Now() const = 0;
  [[nodiscard]] virtual WallTime WallNow() const = 0;

  // The machine's clocks; lives as long as the program.
  static Clock& System();
};

// A clock that stands still until told otherwise, for tests.
class ManualClock : public Clock {
 public:
  [[nodiscard]] TimePoint Now() const override { return now_; }
  [[nodiscard]] WallTime WallNow() const override { return wall_; }
  void Advance(Duration by) {
    now_ += by;
    wall_ += by;
  }
  void SetWall(WallTime wall) { wall_ = wall; }

 private:
  TimePoint now_{};
  WallTime wall_{};
};

// "2026-11-24T21:30:00Z"; a time whose year is beyond all years as its number.
std::string UtcText(int64_t seconds_since_epoch);
std::string UtcText(WallTime time);  // rounded down

inline double Seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }
inline Duration FromSeconds(double seconds) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

}  // namespace vecload
