#include "cli/values.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include <fmt/core.h>

namespace vecload::cli {
namespace {

// Splits "256MiB" into 256 and "MiB"; false where no number begins the text.
bool SplitUnit(std::string_view text, uint64_t* number, std::string_view* unit) {
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
  if (error != std::errc()) return false;
  *unit = text.substr(static_cast<size_t>(rest - text.data()));
  return true;
}

std::string_view SkipSpace(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  return begin == std::string_view::npos ? std::string_view() : text.substr(begin);
}

Status NotAVector(std::string_view what) {
  return Status::InvalidArgument(
      fmt::format("not a JSON array of numbers ({}); write it like [0.25,-1,3e-2]", what));
}

// JSON's numbers are narrower than from_chars's: no "inf", "nan", "+1", ".5", "01" or "1.".
bool LooksLikeJsonNumber(std::string_view text) {
  if (!text.empty() && text.front() == '-') text.remove_prefix(1);
  if (text.empty() || text.front() < '0' || text.front() > '9') return false;
  if (text.size() > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9') return false;
  const size_t point = text.find('.');
  return point == std::string_view::npos ||
         (point + 1 < text.size() && text[point + 1] >= '0' && text[point + 1] <= '9');
}

}  // namespace

Result<uint64_t> ParseBytes(std::string_view text) {
  uint64_t number = 0;
  std::string_view unit;
  int shift = -1;
  if (SplitUnit(text, &number, &unit)) {
    if (unit.empty() || unit == "B") shift = 0;
    if (unit == "KiB") shift = 10;
    if (unit == "MiB") shift = 20;
    if (unit == "GiB") shift = 30;
    if (unit == "TiB") shift = 40;
  }
  if (shift < 0 || number == 0 || number > std::numeric_limits<uint64_t>::max() >> shift) {
    return Status::InvalidArgument(
        fmt::format("'{}' is not a size; write it like 256MiB or 1GiB", text));
  }
  return number << shift;
}

Result<std::chrono::seconds> ParseDuration(std::string_view text) {
  // Longer waits than a year are a typo, and keep the arithmetic far from overflow.
  constexpr uint64_t kSecondsMax = 366ULL * 24 * 3600;
  uint64_t number = 0;
  std::string_view unit;
  uint64_t seconds = 0;
  if (SplitUnit(text, &number, &unit) && number <= kSecondsMax) {
    if (unit == "s") seconds = number;
    if (unit == "m") seconds = number * 60;
    if (unit == "h") seconds = number * 3600;
  }
  if (seconds == 0 || seconds > kSecondsMax) {
    return Status::InvalidArgument(
        fmt::format("'{}' is not a duration; write it like 90s, 5m or 1h", text));
  }
  return std::chrono::seconds(seconds);
}

Result<double> ParseRate(std::string_view text) {
  if (text == "unlimited") return 0.0;
  double rate = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), rate);
  if (error != std::errc() || rest != text.data() + text.size() || !std::isfinite(rate) ||
      rate <= 0) {
    return Status::InvalidArgument(
        fmt::format("'{}' is not a rate; write a number above 0, or unlimited", text));
  }
  return rate;
}

Result<LoadRate> ParseLoadRate(std::string_view text) {
  if (text == "auto") return LoadRate{.is_auto = true};
  const Result<double> rate = ParseRate(text);
  if (!rate.ok()) return Status::InvalidArgument(rate.status().message() + " or auto");
  return LoadRate{.per_s = *rate};
}

Result<Part> ParsePart(std::string_view text) {
  // More machines than that are a typo.
  constexpr uint32_t kPartsMax = 10'000;
  Part part;
  const size_t slash = std::min(text.find('/'), text.size());
  const auto is_number = [](std::string_view digits, uint32_t* number) {
    const auto [rest, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), *number);
    return error == std::errc() && rest == digits.data() + digits.size();
  };
  const bool is_part = slash < text.size() && is_number(text.substr(0, slash), &part.part) &&
                       is_number(text.substr(slash + 1), &part.parts);
  if (!is_part || part.part < 1 || part.part > part.parts || part.parts > kPartsMax) {
    return Status::InvalidArgument(fmt::format(
        "'{}' is not a part; write it like 2/3 for the second of three, 10000 at most", text));
  }
  return part;
}

Result<Tag> ParseTag(std::string_view text) {
  const size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    return Status::InvalidArgument(
        fmt::format("'{}' is not a tag; write it like team=search", text));
  }
  return Tag(text.substr(0, equals), text.substr(equals + 1));
}

Result<std::vector<float>> ParseVector(std::string_view text) {
  text = SkipSpace(text);
  if (text.empty() || text.front() != '[') return NotAVector("it does not begin with [");
  text.remove_prefix(1);
  std::vector<float> vector;
  while (true) {
    text = SkipSpace(text);
    double value = 0;
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const std::string_view number = text.substr(0, static_cast<size_t>(rest - text.data()));
    if (error != std::errc() || !LooksLikeJsonNumber(number)) {
      return NotAVector(fmt::format("element {}", vector.size()));
    }
    const auto rounded = static_cast<float>(value);
    if (!std::isfinite(rounded)) {
      return Status::InvalidArgument(
          fmt::format("element {} is too large for a float32", vector.size()));
    }
    vector.push_back(rounded);
    text = SkipSpace(text.substr(number.size()));
    if (text.empty()) return NotAVector("it does not end with ]");
    const char separator = text.front();
    text.remove_prefix(1);
    if (separator == ']') break;
    if (separator != ',') return NotAVector(fmt::format("after element {}", vector.size() - 1));
  }
  if (!SkipSpace(text).empty()) return NotAVector("something follows the ]");
  return vector;
}

}  // namespace vecload::cli
