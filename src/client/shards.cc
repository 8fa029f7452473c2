#include "client/shards.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <optional>

#include <fmt/format.h>

#include "client/at_once.h"
#include "wire/limits.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace vecload::client {
namespace {

constexpr size_t kBaseCharactersMax = wire::kNameCharactersMax - 5;  // "-0000" is the shard's
constexpr std::string_view kShardsTag = "vecload:shards";
constexpr std::string_view kShardTag = "vecload:shard";

std::optional<uint32_t> ParseNumber(std::string_view text) {
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

Result<std::vector<IndexInfo>> GetAll(Client* client, const std::vector<IndexName>& names) {
  std::vector<IndexInfo> found(names.size());
  VECLOAD_RETURN_IF_ERROR(AtOnce(names.size(), kAskedAtOnce, [&](size_t i) -> Status {
    VECLOAD_ASSIGN_OR_RETURN(found[i], client->GetIndex(names[i]));
    return Status::Ok();
  }));
  return found;
}

std::vector<std::string> Sorted(std::vector<std::string> keys) {
  std::ranges::sort(keys);
  return keys;
}

}  // namespace

uint32_t ShardOf(std::string_view key, uint32_t shards) {
  return static_cast<uint32_t>(XXH3_64bits(key.data(), key.size()) % shards);
}

IndexName ShardName(const IndexName& base, uint32_t shard) {
  return {base.bucket, fmt::format("{}-{:04}", base.index, shard)};
}

Status CheckShardNames(const IndexName& base, uint32_t shards) {
  if (shards < 1 || shards > kShardsMax) {
    return Status::InvalidArgument(
        fmt::format("an index is divided into 1 to {} shards, not {}", kShardsMax, shards));
  }
  if (base.index.size() > kBaseCharactersMax) {
    return Status::InvalidArgument(
        fmt::format("the name \"{}\" has {} characters; that of an index which is divided into "
                    "shards has {} at most, since \"-0000\" is added to it",
                    base.index, base.index.size(), kBaseCharactersMax));
  }
  return Status::Ok();
}

std::vector<std::pair<std::string, std::string>> ShardTags::ToTags() const {
  return {{std::string(kSchemeTag), scheme},
          {std::string(kShardsTag), std::to_string(shards)},
          {std::string(kShardTag), std::to_string(shard)}};
}

Result<ShardTags> ShardTags::Read(const std::vector<std::pair<std::string, std::string>>& tags) {
  ShardTags read;
  std::optional<uint32_t> shards;
  std::optional<uint32_t> shard;
  for (const auto& [key, value] : tags) {
    if (key == kSchemeTag) read.scheme = value;
    if (key == kShardsTag) shards = ParseNumber(value);
    if (key == kShardTag) shard = ParseNumber(value);
  }
  if (read.scheme.empty() || !shards || !shard || *shards > kShardsMax || *shard >= *shards) {
    return Status::Conflict(fmt::format("it has not the tags {}, {} and {} of a shard", kSchemeTag,
                                        kShardsTag, kShardTag));
  }
  if (read.scheme != kShardScheme) {
    return Status::Conflict(fmt::format(
        "its keys are divided by \"{}\", which this vecload does not know; use a newer one",
        read.scheme));
  }
  read.shards = *shards;
  read.shard = *shard;
  return read;
}

Result<ShardSet> FindShards(Client* client, const IndexName& base, const IndexInfo& first) {
  VECLOAD_ASSIGN_OR_RETURN(const auto tags, client->ListTags(first.arn));
  const Result<ShardTags> read = ShardTags::Read(tags);
  if (!read.ok()) return read.status().WithContext("index " + ShardName(base, 0).ToString());
  std::vector<IndexName> names;
  for (uint32_t shard = 0; shard < read->shards; ++shard) names.push_back(ShardName(base, shard));
  ShardSet set{.name = base, .indexes = {}, .is_sharded = true};
  auto found = GetAll(client, names);
  if (!found.ok()) {
    return found.status().WithContext(
        fmt::format("{} is divided into {} shards", base.ToString(), read->shards));
  }
  set.indexes = *std::move(found);
  // As the user names them: an ARN's form of the same would be another name in messages.
  for (uint32_t shard = 0; shard < set.size(); ++shard) set.indexes[shard].name = names[shard];
  VECLOAD_RETURN_IF_ERROR(CheckAlike(set.indexes));
  return set;
}

Result<ShardSet> FindShards(Client* client, const IndexName& base) {
  VECLOAD_ASSIGN_OR_RETURN(const IndexInfo first, client->GetIndex(ShardName(base, 0)));
  return FindShards(client, base, first);
}

Status CreateShards(Client* client, const IndexName& base, uint32_t shards,
                    const IndexSettings& settings) {
  const auto create = [&](uint32_t shard) -> Status {
    const ShardTags tags{.scheme = std::string(kShardScheme), .shards = shards, .shard = shard};
    IndexSettings own = settings;
    std::ranges::move(tags.ToTags(), std::back_inserter(own.tags));
    const IndexName name = ShardName(base, shard);
    Status made = client->CreateIndex(name, own);
    if (made.code() != Code::kConflict) return made;
    // Of an earlier attempt, or another loader's; one of another set is not touched.
    VECLOAD_ASSIGN_OR_RETURN(const IndexInfo index, client->GetIndex(name));
    VECLOAD_ASSIGN_OR_RETURN(const auto found, client->ListTags(index.arn));
    const Result<ShardTags> read = ShardTags::Read(found);
    if (!read.ok()) return read.status().WithContext("index " + name.ToString());
    if (read->shards == shards && read->shard == shard) return Status::Ok();
    return Status::Conflict(fmt::format("index {} is there as shard {} of {}; name another base",
                                        name.ToString(), read->shard, read->shards));
  };
  VECLOAD_RETURN_IF_ERROR(AtOnce(shards - 1, kAskedAtOnce,
                                 [&](size_t i) { return create(static_cast<uint32_t>(i) + 1); }));
  return create(0);
}

Status CheckAlike(const std::vector<IndexInfo>& indexes) {
  const IndexInfo& first = indexes.front();
  for (const IndexInfo& index : indexes) {
    std::string what;
    if (index.dimension != first.dimension) {
      what = fmt::format("dimension {}, not {}", index.dimension, first.dimension);
    } else if (index.metric != first.metric) {
      what = fmt::format("distance metric {}, not {}", DistanceMetricName(index.metric),
                         DistanceMetricName(first.metric));
    } else if (Sorted(index.non_filterable_keys) != Sorted(first.non_filterable_keys)) {
      what = "other non-filterable keys";
    } else {
      continue;
    }
    return Status::Conflict(fmt::format(
        "shard {} has {} as {} has; it is not one of the same set: delete it and load it again, or "
        "name another base",
        index.name.ToString(), what, first.name.ToString()));
  }
  return Status::Ok();
}

Result<ShardSet> FindIndexes(Client* client, const IndexName& name) {
  Result<IndexInfo> index = client->GetIndex(name);
  if (index.ok()) {
    ShardSet set{.name = name, .indexes = {*std::move(index)}};
    set.indexes.front().name = name;
    return set;
  }
  if (index.status().code() != Code::kNotFound) return index.status();
  const Result<IndexInfo> first = client->GetIndex(ShardName(name, 0));
  if (first.ok()) return FindShards(client, name, *first);
  // What is asked for is the index, where there is neither.
  return first.status().code() == Code::kNotFound ? index.status() : first.status();
}

}  // namespace vecload::client
