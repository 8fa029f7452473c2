#include "server/page_token.h"

#include <utility>

#include "base/base64.h"

namespace vecload::server {
namespace {

// The first byte says what the token is for: one from another operation does not fit.
constexpr char kName = 'n';
constexpr char kPosition = 'p';
constexpr char kQuery = 'q';

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
  auto bytes = FromBase64Url(token);
  if (!bytes || bytes->empty() || bytes->front() != kind) return std::nullopt;
  bytes->erase(0, 1);
  return bytes;
}

}  // namespace

std::string NameToken(std::string_view name) { return ToBase64Url(kName + std::string(name)); }

std::optional<std::string> ReadNameToken(std::string_view token) { return Open(token, kName); }

std::string PositionToken(int64_t position) {
  std::string bytes(1, kPosition);
  Append(position, &bytes);
  return ToBase64Url(bytes);
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
  return ToBase64Url(bytes + position.after.key);
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
