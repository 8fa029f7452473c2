#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/filter.h"

namespace vecload::wire {

// What a filter is held against besides its own form.
struct FilterRules {
  std::span<const std::string> non_filterable_keys;  // may not be named
  bool starts_with = true;                           // $startsWith: in ENHANCED mode only
};

// Reads QueryVectors' filter, a JSON object; nullopt where it is not a valid one. The language:
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-vectors-metadata-filtering.html
std::optional<Filter> ParseFilter(std::string_view json, const FilterRules& rules);

}  // namespace vecload::wire
