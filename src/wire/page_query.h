#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wire/messages.h"

namespace vecload::wire {

// What the local server's page asks: {"bucket","index","vector":[...] or "key","top_k","filter"?}.
struct PageQuery {
  std::string bucket;
  std::string index;
  std::optional<std::string> key;  // the neighbours of its vector
  std::vector<float> vector;
  uint32_t top_k = 0;  // 1 to kPageTopKMax
  std::string filter;  // JSON object; empty: none
};

inline constexpr int64_t kPageTopKMax = 100;

Decoded<PageQuery> ReadPageQuery(std::string_view body);

}  // namespace vecload::wire
