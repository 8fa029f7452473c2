#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sqlite/database.h"
#include "vecload/status.h"

namespace vecload::store {

using Tags = std::vector<std::pair<std::string, std::string>>;  // key, value; no key twice

// Whose tags: a bucket's, or where `index_id` is set those of an index in it. They go with it.
struct TagOwner {
  std::string_view bucket;
  std::optional<int64_t> index_id = std::nullopt;
};

extern const char kTagsSchema[];

// In the order of their keys.
Result<Tags> ReadTags(sqlite::Database* catalog, const TagOwner& owner);
// Replaces all; within the caller's transaction.
Status WriteTags(sqlite::Database* catalog, const TagOwner& owner, const Tags& tags);

}  // namespace vecload::store
