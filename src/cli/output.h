#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace vecload::cli {

// Text for a terminal or a line-based tool: as it is where it is plain, else as a JSON string, so
// that a key with a newline or an escape sequence cannot forge a line or steer the terminal.
std::string Printable(std::string_view text);

// The same for a sentence, whose spaces are no reason to quote it.
std::string Sentence(std::string_view text);

// `text` broken between words for 80 columns, where it begins at column `indent`, and so do the
// lines that go on with it.
std::string Wrapped(std::string_view text, size_t indent);

// `text` cut to at most `bytes_max` bytes at a character's boundary, with "..." where it was cut.
std::string Shortened(std::string_view text, size_t bytes_max);

// The shortest text that reads back to the same float32.
std::string FloatText(float value);

// "2026-11-24T21:30:00Z"; the service gives seconds since the epoch.
std::string TimeText(double seconds_since_epoch);

// When a command that writes lines to where there is no terminal is to write one: every five
// seconds, as a load does.
class LinePace {
 public:
  // Whether one is due; asked once for each.
  bool IsDue();

 private:
  static constexpr std::chrono::seconds kEvery{5};
  std::chrono::steady_clock::time_point next_ = std::chrono::steady_clock::now() + kEvery;
};

// Columns aligned by the widest cell, two spaces between them; the first row is the head.
std::string Table(const std::vector<std::vector<std::string>>& rows);

}  // namespace vecload::cli
