#include "base/clock.h"

#include <ctime>

namespace vecload {
namespace {

class SystemClock final : public Clock {
 public:
  [[nodiscard]] TimePoint Now() const override { return std::chrono::steady_clock::now(); }
  [[nodiscard]] WallTime WallNow() const override { return std::chrono::system_clock::now(); }
};

}  // namespace

Clock& Clock::System() {
  static SystemClock clock;
  return clock;
}

std::string UtcText(int64_t seconds_since_epoch) {
  const std::time_t seconds = seconds_since_epoch;
  std::tm utc{};
  if (gmtime_r(&seconds, &utc) == nullptr) return std::to_string(seconds_since_epoch);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc)};
}

std::string UtcText(WallTime time) {
  return UtcText(std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count());
}

}  // namespace vecload
