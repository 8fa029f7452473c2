#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "search/flat_index.h"

// What stands in nextToken: where the next page begins. Callers see URL-safe Base64 and are not to
// look inside; whatever does not read back gives nullopt.
namespace vecload::server {

// Listings by name go on after a name.
std::string NameToken(std::string_view name);
std::optional<std::string> ReadNameToken(std::string_view token);

// ListVectors goes on after a position in the store.
std::string PositionToken(int64_t position);
std::optional<int64_t> ReadPositionToken(std::string_view token);

// QueryVectors goes on after a match; `given` neighbours were given before.
struct QueryPosition {
  uint32_t given = 0;
  search::Match after;
};
std::string QueryToken(const QueryPosition& position);
std::optional<QueryPosition> ReadQueryToken(std::string_view token);

}  // namespace vecload::server
