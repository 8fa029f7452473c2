#include "load/plan_target.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "client/value_shards.h"
#include "load/load_options.h"
#include "vecload/client.h"
#include "wire/messages.h"

namespace vecload::load {
namespace {

// Shards cannot be made beside an index that has the very name of their base: whoever reads by that
// name would see it alone.
Status CheckUndivided(Client* client, const IndexName& base) {
  Status found = client->GetIndex(base).status();
  if (found.code() == Code::kNotFound) return Status::Ok();
  if (!found.ok()) return found;
  return Status::Conflict(
      fmt::format("{} exists as an index that is not divided; name another base for the shards",
                  base.ToString()));
}

// The shards of a base where --shards says that it is one; nothing where they are not there yet.
Result<std::optional<client::ShardSet>> FindShardsThatAreThere(Client* client,
                                                               const IndexName& base,
                                                               uint32_t shards) {
  const Result<IndexInfo> first = client->GetIndex(client::ShardName(base, 0));
  if (first.status().code() == Code::kNotFound) {
    VECLOAD_RETURN_IF_ERROR(CheckUndivided(client, base));
    return std::optional<client::ShardSet>();
  }
  if (!first.ok()) return first.status();
  VECLOAD_ASSIGN_OR_RETURN(client::ShardSet set, client::FindShards(client, base, *first));
  if (set.size() == shards) return std::optional(std::move(set));
  return Status::Conflict(fmt::format(
      "{} is divided into {} shards, not {}, which cannot be changed; name another base, or leave "
      "out --shards",
      base.ToString(), set.size(), shards));
}

// Of what is still to be made: to ask for an index by a name that cannot be finds nothing, and no
// more.
Status CheckNewNames(const IndexName& name) {
  for (const auto& [what, text] :
       {std::pair{"vector bucket", name.bucket}, {"index", name.index}}) {
    if (wire::IsResourceName(text)) continue;
    return Status::InvalidArgument(fmt::format(
        "there is no {} \"{}\" and can be none: a name has 3 to 63 lowercase letters, digits, dots "
        "and hyphens, and begins and ends with a letter or digit",
        what, text));
  }
  return Status::Ok();
}

// One index a value, as far as they are there yet.
Result<PlanTarget> FindByValue(const PlanOptions& options, Source* source) {
  PlanTarget target;
  VECLOAD_ASSIGN_OR_RETURN(target.values,
                           source::FindShardValues(source, client::kShardsMax, options.stop));
  std::vector<std::string> values;
  for (const source::ShardValues::Value& value : target.values.values) values.push_back(value.text);
  target.shards = static_cast<uint32_t>(values.size());
  if (!options.index) return target;
  VECLOAD_ASSIGN_OR_RETURN(const std::unique_ptr<Client> client, Client::Open(options.client));
  const client::ShardBy by{.base = *options.index, .column = options.source.shard_by};
  VECLOAD_ASSIGN_OR_RETURN(auto found, client::FindValueIndexes(client.get(), by, values));
  std::erase(found, std::nullopt);
  target.is_whole = found.size() == values.size();
  if (found.empty()) {
    VECLOAD_RETURN_IF_ERROR(CheckNewNames(client::ValueIndexName(by.base, values.front())));
    return target;
  }
  VECLOAD_ASSIGN_OR_RETURN(target.set, client::WholeSet(by, values, std::move(found)));
  return target;
}

}  // namespace

Status CheckPlanShards(const PlanOptions& options) {
  if (!options.source.shard_by.empty()) {
    if (options.shards > 0) {
      return Status::InvalidArgument("rows are divided by key or by value, not by both");
    }
    return client::CheckValueBase(options.index.value_or(IndexName{}));
  }
  if (options.shards == 0) return Status::Ok();
  // Without a name its length is not judged.
  return client::CheckShardNames(options.index.value_or(IndexName{}), options.shards);
}

Result<PlanTarget> FindPlanTarget(const PlanOptions& options, Source* source) {
  if (!options.source.shard_by.empty()) return FindByValue(options, source);
  PlanTarget target{.set = {}, .shards = std::max(1U, options.shards)};
  if (!options.index) return target;
  VECLOAD_ASSIGN_OR_RETURN(const std::unique_ptr<Client> client, Client::Open(options.client));
  if (options.shards > 0) {
    VECLOAD_ASSIGN_OR_RETURN(target.set,
                             FindShardsThatAreThere(client.get(), *options.index, options.shards));
    if (!target.set) VECLOAD_RETURN_IF_ERROR(CheckNewNames(*options.index));
    return target;
  }
  Result<client::ShardSet> found = client::FindIndexes(client.get(), *options.index);
  if (found.ok()) {
    target.shards = found->size();
    target.set = *std::move(found);
    return target;
  }
  if (found.status().code() != Code::kNotFound) return found.status();
  // Nothing at all, or a set of which one is missing.
  const Result<IndexInfo> first = client->GetIndex(client::ShardName(*options.index, 0));
  if (first.status().code() != Code::kNotFound) return found.status();
  VECLOAD_RETURN_IF_ERROR(CheckNewNames(*options.index));
  return target;
}

Status CheckLoadTarget(const LoadOptions& options, const PlanTarget& target) {
  const std::string name = options.index.ToString();
  if (!target.exists() && !options.create_index) {
    return Status::NotFound(
        fmt::format("{} is not there{}; create it first, or let load do so with --create-index "
                    "--distance-metric cosine|euclidean",
                    name, target.set ? " for each value" : ""));
  }
  if (!target.set) return Status::Ok();
  if (target.set->is_sharded && options.shards == 0 && options.source.shard_by.empty()) {
    return Status::Conflict(fmt::format("{} is divided into {} shards; load it with --shards {}",
                                        name, target.shards, target.shards));
  }
  for (const IndexInfo& index : target.set->indexes) {
    if (options.create_index) {
      VECLOAD_RETURN_IF_ERROR(CheckAsCreated(index, *options.create_index));
    }
  }
  return Status::Ok();
}

}  // namespace vecload::load
