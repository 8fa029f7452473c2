#include "observe/html_text.h"

#include <cstdint>

#include "base/json_text.h"

namespace vecload::observe {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

}  // namespace

std::string Escaped(std::string_view text) {
  const bool is_utf8 = IsUtf8(text);
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '"') {
      out += "&quot;";
    } else if (c == '\'') {
      out += "&#39;";
    } else if ((byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7f ||
               (byte >= 0x80 && !is_utf8)) {
      out += kReplacement;
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace vecload::observe
