#include "source/time_text.h"

#include <chrono>

namespace vecload::source {
namespace {

constexpr int64_t kSecondsPerDay = 86'400;
// 0000-01-01 and 10000-01-01 in days since 1970-01-01.
constexpr int64_t kDaysMin = -719'528;
constexpr int64_t kDaysEnd = 2'932'897;

// Rounds towards minus infinity, which makes the remainder non-negative before 1970 too.
int64_t FloorDivide(int64_t value, int64_t by) { return value / by - (value % by < 0 ? 1 : 0); }

void AppendPadded(int64_t value, int width, std::string* out) {
  const std::string digits = std::to_string(value);
  out->append(static_cast<size_t>(width) - digits.size(), '0');
  out->append(digits);
}

void AppendClock(int64_t second, int64_t fraction, int64_t units_per_second, std::string* out) {
  AppendPadded(second / 3600, 2, out);
  out->push_back(':');
  AppendPadded(second / 60 % 60, 2, out);
  out->push_back(':');
  AppendPadded(second % 60, 2, out);
  if (fraction == 0) return;
  int64_t nanoseconds = fraction * (1'000'000'000 / units_per_second);
  int width = 9;
  while (nanoseconds % 1000 == 0) {
    nanoseconds /= 1000;
    width -= 3;
  }
  out->push_back('.');
  AppendPadded(nanoseconds, width, out);
}

}  // namespace

bool AppendDate(int64_t days_since_epoch, std::string* out) {
  if (days_since_epoch < kDaysMin || days_since_epoch >= kDaysEnd) return false;
  const std::chrono::year_month_day date{
      std::chrono::sys_days(std::chrono::days(days_since_epoch))};
  AppendPadded(static_cast<int>(date.year()), 4, out);
  out->push_back('-');
  AppendPadded(static_cast<unsigned>(date.month()), 2, out);
  out->push_back('-');
  AppendPadded(static_cast<unsigned>(date.day()), 2, out);
  return true;
}

bool AppendTimestamp(int64_t value, int64_t units_per_second, std::string* out) {
  const int64_t seconds = FloorDivide(value, units_per_second);
  const int64_t days = FloorDivide(seconds, kSecondsPerDay);
  if (!AppendDate(days, out)) return false;
  out->push_back('T');
  const int64_t remainder = value % units_per_second;
  const int64_t fraction = remainder < 0 ? remainder + units_per_second : remainder;
  AppendClock(seconds - days * kSecondsPerDay, fraction, units_per_second, out);
  out->push_back('Z');
  return true;
}

bool AppendTime(int64_t value, int64_t units_per_second, std::string* out) {
  if (value < 0 || value / units_per_second >= kSecondsPerDay) return false;
  AppendClock(value / units_per_second, value % units_per_second, units_per_second, out);
  return true;
}

}  // namespace vecload::source
