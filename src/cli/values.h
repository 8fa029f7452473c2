#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vecload/status.h"

// Values of flags that have a form of their own. Each says in its error what the form is.
namespace vecload::cli {

using Tag = std::pair<std::string, std::string>;

// "268435456", "256MiB", "1GiB", "512KiB"; powers of two only, since MB is read both ways.
Result<uint64_t> ParseBytes(std::string_view text);
// "90s", "5m", "1h"; a bare number is refused rather than guessed at.
Result<std::chrono::seconds> ParseDuration(std::string_view text);
// A positive number, or "unlimited", which is 0.
Result<double> ParseRate(std::string_view text);
// The same, or "auto".
struct LoadRate {
  std::optional<double> per_s = std::nullopt;  // absent: the default
  bool is_auto = false;
};
Result<LoadRate> ParseLoadRate(std::string_view text);
// "2/3", the second of three.
struct Part {
  uint32_t part = 1;
  uint32_t parts = 1;
};
Result<Part> ParsePart(std::string_view text);
// "k=v"; the value may be empty and may hold "=".
Result<Tag> ParseTag(std::string_view text);
// A JSON array of numbers, rounded to float32.
Result<std::vector<float>> ParseVector(std::string_view text);

}  // namespace vecload::cli
