#include "server/page_token.h"

#include <array>
#include <utility>

namespace vecload::server {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// The first byte says what the token is for: one from another operation does not fit.
constexpr char kName = 'n';
constexpr char kPosition = 'p';
constexpr char kQuery = 'q';

std::string ToBase64(std::string_view bytes) {
  std::string text;
  uint32_t bits = 0;
  int count = 0;
  for (const char byte : bytes) {
    bits = bits << 8 | static_cast<uint8_t>(byte);
    count += 8;
    for (; count >= 6; count -= 6) text += kAlphabet[bits >> (count - 6) & 63];
  }
  if (count > 0) text += kAlphabet[bits << (6 - count) & 63];
  return text;
}

std::optional<std::string> FromBase64(std::string_view text) {
  std::string bytes;
  uint32_t bits = 0;
  int count = 0;
  for (const char character : text) {
    const size_t value = kAlphabet.find(character);
    if (value == kAlphabet.npos) return std::nullopt;
    bits = bits << 6 | static_cast<uint32_t>(value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> count & 255);
  }
  return bytes;
}

template <typename T>
void Append(T value, std::string* bytes) {
  bytes->append(reinterpret_cast<const char*>(&value), sizeof value);
}

template <typename T>
bool Take(std::string_view* bytes, T* value) {
  if (bytes->size() < sizeof *value) return false;
  bytes->copy(reinterpret_cast<char*>(value), sizeof *value);
  bytes->remove_prefix(sizeof *value);
  return true;
}

std::optional<std::string> Open(std::string_view token, char kind) {
  auto bytes = FromBase64(token);
  if (!bytes || bytes->empty() || bytes->front() != kind) return std::nullopt;
  bytes->erase(0, 1);
  return bytes;
}

}  // namespace

std::string NameToken(std::string_view name) { return ToBase64(kName + std::string(name)); }

std::optional<std::string> ReadNameToken(std::string_view token) { return Open(token, kName); }

std::string PositionToken(int64_t position) {
  std::string bytes(1, kPosition);
  Append(position, &bytes);
  return ToBase64(bytes);
}

std::optional<int64_t> ReadPositionToken(std::string_view token) {
  const auto bytes = Open(token, kPosition);
  if (!bytes) return std::nullopt;
  std::string_view rest = *bytes;
  int64_t position = 0;
  if (!Take(&rest, &position) || !rest.empty() || position < 0) return std::nullopt;
  return position;
}

std::string QueryToken(const QueryPosition& position) {
  std::string bytes(1, kQuery);
  Append(position.given, &bytes);
  Append(position.after.distance, &bytes);
  return ToBase64(bytes + position.after.key);
}

std::optional<QueryPosition> ReadQueryToken(std::string_view token) {
  const auto bytes = Open(token, kQuery);
  if (!bytes) return std::nullopt;
  std::string_view rest = *bytes;
  QueryPosition position;
  if (!Take(&rest, &position.given) || !Take(&rest, &position.after.distance)) return std::nullopt;
  position.after.key = rest;
  return position;
}

}  // namespace vecload::server
