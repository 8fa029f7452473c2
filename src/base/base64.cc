#include "base/base64.h"

#include <cstdint>

namespace vecload {
namespace {

constexpr std::string_view kLetters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrlLetters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// Both without padding.
std::string Encode(std::string_view bytes, std::string_view letters) {
  std::string text;
  uint32_t bits = 0;
  int count = 0;
  for (const char byte : bytes) {
    bits = bits << 8 | static_cast<uint8_t>(byte);
    count += 8;
    for (; count >= 6; count -= 6) text += letters[bits >> (count - 6) & 63];
  }
  if (count > 0) text += letters[bits << (6 - count) & 63];
  return text;
}

std::optional<std::string> Decode(std::string_view text, std::string_view letters) {
  std::string bytes;
  uint32_t bits = 0;
  int count = 0;
  for (const char letter : text) {
    const size_t value = letters.find(letter);
    if (value == letters.npos) return std::nullopt;
    bits = bits << 6 | static_cast<uint32_t>(value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> count & 255);
  }
  return bytes;
}

}  // namespace

std::string ToBase64(std::string_view bytes) {
  std::string text = Encode(bytes, kLetters);
  text.append((4 - text.size() % 4) % 4, '=');
  return text;
}

std::optional<std::string> FromBase64(std::string_view text) {
  std::optional<std::string> bytes = Decode(text.substr(0, text.find('=')), kLetters);
  // Padding that is missing or too much, and bits behind the last byte.
  if (!bytes.has_value() || ToBase64(*bytes) != text) return std::nullopt;
  return bytes;
}

std::string ToBase64Url(std::string_view bytes) { return Encode(bytes, kUrlLetters); }

std::optional<std::string> FromBase64Url(std::string_view text) {
  return Decode(text, kUrlLetters);
}

}  // namespace vecload
