#include "cli/output.h"

#include <algorithm>
#include <cmath>

#include <fmt/core.h>

#include "base/clock.h"
#include "base/json_text.h"

namespace vecload::cli {

std::string Printable(std::string_view text) {
  const bool plain = !text.empty() && text.front() != '"' && IsUtf8(text) &&
                     std::none_of(text.begin(), text.end(), [](char c) {
                       const auto byte = static_cast<unsigned char>(c);
                       return byte <= ' ' || byte == 0x7F;
                     });
  if (plain) return std::string(text);
  std::string quoted;
  AppendJsonString(text, &quoted);
  return quoted;
}

std::string Sentence(std::string_view text) {
  const bool plain = IsUtf8(text) && std::ranges::none_of(text, [](char c) {
                       const auto byte = static_cast<unsigned char>(c);
                       return byte < ' ' || byte == 0x7F;
                     });
  return plain ? std::string(text) : Printable(text);
}

std::string Wrapped(std::string_view text, size_t indent) {
  constexpr size_t kColumns = 80;
  const size_t width = kColumns - indent;
  std::string wrapped;
  while (Utf8Length(text) > width) {
    // Bytes are at least as many as columns, so that a line may end early, never late.
    size_t cut = text.rfind(' ', width);
    if (cut == std::string_view::npos || cut == 0) cut = text.find(' ', 1);
    if (cut == std::string_view::npos) break;
    wrapped += text.substr(0, cut);
    wrapped += '\n';
    wrapped.append(indent, ' ');
    text.remove_prefix(cut + 1);
  }
  return wrapped + std::string(text);
}

std::string Shortened(std::string_view text, size_t bytes_max) {
  if (text.size() <= bytes_max) return std::string(text);
  size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return std::string(text.substr(0, end)) + "...";
}

std::string FloatText(float value) { return fmt::format("{}", value); }

std::string TimeText(double seconds_since_epoch) {
  return UtcText(static_cast<int64_t>(seconds_since_epoch));
}

bool LinePace::IsDue() {
  const auto now = std::chrono::steady_clock::now();
  if (now < next_) return false;
  next_ = now + kEvery;
  return true;
}

std::string Table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], Utf8Length(row[i]));
  }
  std::string text;
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      text += row[i];
      if (i + 1 < row.size()) text.append(widths[i] - Utf8Length(row[i]) + 2, ' ');
    }
    text += '\n';
  }
  return text;
}

}  // namespace vecload::cli
