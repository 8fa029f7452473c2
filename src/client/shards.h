#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vecload/client.h"
#include "vecload/record.h"
#include "vecload/status.h"

// Many indexes as one (ADR 0011): BASE-0000, BASE-0001, ... each of which holds the keys that hash
// to its number. The service knows nothing of it; tags on each index say so.
namespace vecload::client {

inline constexpr uint32_t kShardsMax = 1'000;
inline constexpr std::string_view kShardScheme = "xxh3-64";
// The tag that says how rows are divided, by whatever scheme.
inline constexpr std::string_view kSchemeTag = "vecload:shard-scheme";
// GetIndex calls at once: a thousand shards in some seconds, within the service's hundreds a
// second.
inline constexpr size_t kAskedAtOnce = 16;

// Which shard a key is in: XXH3-64 (seed 0) of its UTF-8 bytes, modulo the number of shards.
uint32_t ShardOf(std::string_view key, uint32_t shards);

// BASE-0007.
IndexName ShardName(const IndexName& base, uint32_t shard);
// kInvalidArgument: no such number of shards, or names that would be too long.
Status CheckShardNames(const IndexName& base, uint32_t shards);

// What the tags of a shard's index say.
struct ShardTags {
  std::string scheme;
  uint32_t shards = 0;
  uint32_t shard = 0;

  [[nodiscard]] std::vector<std::pair<std::string, std::string>> ToTags() const;
  // kConflict where they are not those of a shard.
  static Result<ShardTags> Read(const std::vector<std::pair<std::string, std::string>>& tags);
};

// The indexes that a name stands for.
struct ShardSet {
  IndexName name;
  // One a shard, in their order; one index of that very name where `is_sharded` is not set.
  std::vector<IndexInfo> indexes;
  bool is_sharded = false;

  [[nodiscard]] uint32_t size() const { return static_cast<uint32_t>(indexes.size()); }
  [[nodiscard]] uint32_t ShardOf(std::string_view key) const {
    return is_sharded ? client::ShardOf(key, size()) : 0;
  }
};

// Finds the index of that name, or else the shards of which it is the base. kNotFound: neither is
// there, or a shard is missing (names it); kConflict: BASE-0000 is no shard, or the shards differ
// in dimension, metric or non-filterable keys (names one).
Result<ShardSet> FindIndexes(Client* client, const IndexName& name);
// The shards of a base, all of which must be there, whether or not an index has its very name.
Result<ShardSet> FindShards(Client* client, const IndexName& base);

// The same, BASE-0000 being known.
Result<ShardSet> FindShards(Client* client, const IndexName& base, const IndexInfo& first);

// kConflict where one differs from the first in dimension, metric or non-filterable keys.
Status CheckAlike(const std::vector<IndexInfo>& indexes);

// Makes the shards of a base that are not there yet, the first one last: it says that all are.
// kConflict: an index of such a name is no shard of this set.
Status CreateShards(Client* client, const IndexName& base, uint32_t shards,
                    const IndexSettings& settings);

}  // namespace vecload::client
