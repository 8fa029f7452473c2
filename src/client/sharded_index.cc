#include "vecload/sharded_index.h"

#include <algorithm>
#include <span>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "client/at_once.h"
#include "client/merged_query.h"
#include "client/shards.h"
#include "wire/float_text.h"
#include "wire/limits.h"

namespace vecload {

struct ShardedIndex::State {
  std::shared_ptr<Client> client;
  client::ShardSet set;
};

namespace {

// Calls at once that write or fetch: enough to hide their latency, few enough that their bodies, of
// up to 20 MiB each, are no matter.
constexpr size_t kCallsAtOnce = 8;
constexpr size_t kShardDigits = 4;

// A call's share of what is to be done: places in what the caller gave, all of one shard.
struct Share {
  uint32_t shard = 0;
  std::vector<size_t> places;
};

// What a record takes in a body at most; `metadata` may become longer where numbers in it are
// written in full. Too much only makes calls smaller.
size_t BodyBytesMax(const Record& record) {
  constexpr size_t kPunctuationBytes = 64;
  constexpr size_t kEscapedBytes = 6;
  return kEscapedBytes * record.key.size() + wire::kFloat32ListedMax * record.vector.size() +
         2 * record.metadata.size() + kPunctuationBytes;
}

// Divides `places` by shard into shares of at most `count_max`, and of `bytes_max` where that many
// bytes are counted by `bytes_of`.
template <typename KeyOf, typename BytesOf>
std::vector<Share> Divide(const client::ShardSet& set, std::span<const size_t> places,
                          size_t count_max, KeyOf key_of, BytesOf bytes_of) {
  std::vector<Share> full;
  std::vector<Share> open(set.size());
  std::vector<size_t> bytes(set.size());
  for (const size_t place : places) {
    const uint32_t shard = set.ShardOf(key_of(place));
    const size_t more = bytes_of(place);
    Share& share = open[shard];
    if (share.places.size() == count_max ||
        (!share.places.empty() && bytes[shard] + more > wire::kBodyBytesMax)) {
      full.push_back(std::exchange(share, {}));
      bytes[shard] = 0;
    }
    share.shard = shard;
    share.places.push_back(place);
    bytes[shard] += more;
  }
  for (Share& share : open) {
    if (!share.places.empty()) full.push_back(std::move(share));
  }
  return full;
}

size_t NoBytes(size_t /*place*/) { return 0; }

// The place of each key's last coming, in the order of the places.
template <typename KeyOf>
std::vector<size_t> LastOfEachKey(size_t count, KeyOf key_of) {
  std::unordered_map<std::string_view, size_t> last;
  for (size_t place = 0; place < count; ++place) last[key_of(place)] = place;
  std::vector<size_t> places;
  places.reserve(last.size());
  for (const auto& [key, place] : last) places.push_back(place);
  std::ranges::sort(places);
  return places;
}

// Whether `name` is that of a shard of `base`, by its form.
bool LooksLikeShard(std::string_view name, std::string_view base) {
  if (!name.starts_with(base)) return false;
  name.remove_prefix(base.size());
  return name.size() == 1 + kShardDigits && name.front() == '-' &&
         std::ranges::all_of(name.substr(1), [](char c) { return c >= '0' && c <= '9'; });
}

// All indexes that are tagged as shards of the base, whether or not the set is whole; the first
// shard, whose tags tell of the others, last. An index that only has such a name is left out.
Result<std::vector<IndexName>> WhatIsThere(Client* client, const IndexName& base) {
  VECLOAD_ASSIGN_OR_RETURN(std::vector<IndexInfo> found,
                           client->ListIndexes(base.bucket, base.index + "-"));
  std::erase_if(
      found, [&](const IndexInfo& info) { return !LooksLikeShard(info.name.index, base.index); });
  std::vector<char> is_shard(found.size());
  VECLOAD_RETURN_IF_ERROR(client::AtOnce(found.size(), kCallsAtOnce, [&](size_t i) -> Status {
    VECLOAD_ASSIGN_OR_RETURN(const auto tags, client->ListTags(found[i].arn));
    const auto read = client::ShardTags::Read(tags);
    is_shard[i] =
        read.ok() && client::ShardName(base, read->shard).index == found[i].name.index ? 1 : 0;
    return Status::Ok();
  }));
  std::vector<IndexName> names;
  for (size_t i = 0; i < found.size(); ++i) {
    if (is_shard[i] != 0) names.push_back({base.bucket, found[i].name.index});
  }
  std::ranges::sort(names, std::ranges::greater(), &IndexName::index);
  return names;
}

}  // namespace

ShardedIndex::ShardedIndex(std::unique_ptr<const State> state) : state_(std::move(state)) {}
ShardedIndex::~ShardedIndex() = default;

Result<std::unique_ptr<ShardedIndex>> ShardedIndex::Open(std::shared_ptr<Client> client,
                                                         const IndexName& name) {
  VECLOAD_ASSIGN_OR_RETURN(client::ShardSet set, client::FindIndexes(client.get(), name));
  auto state = std::make_unique<State>();
  state->client = std::move(client);
  state->set = std::move(set);
  return std::unique_ptr<ShardedIndex>(new ShardedIndex(std::move(state)));
}

Result<uint32_t> ShardedIndex::Delete(Client* client, const IndexName& name) {
  // Asked for first: to delete at once and to look for shards where that finds nothing would, after
  // an answer that was lost, delete both.
  const Result<IndexInfo> plain = client->GetIndex(name);
  if (plain.ok()) {
    VECLOAD_RETURN_IF_ERROR(client->DeleteIndex(name));
    return 1;
  }
  if (plain.status().code() != Code::kNotFound) return plain.status();
  const Result<std::vector<IndexName>> shards = WhatIsThere(client, name);
  // Without the bucket there is no listing either; what was asked for is the index.
  if (shards.status().code() == Code::kNotFound) return plain.status();
  if (!shards.ok()) return shards.status();
  if (shards->empty()) return plain.status();
  const auto remove = [&](size_t i) -> Status {
    const Status status = client->DeleteIndex((*shards)[i]);
    // Gone by somebody else's hand, or by a try whose answer was lost.
    return status.code() == Code::kNotFound ? Status::Ok() : status;
  };
  Status status = client::AtOnce(shards->size() - 1, kCallsAtOnce, remove);
  if (status.ok()) status = remove(shards->size() - 1);
  if (!status.ok()) {
    return status.WithContext(name.ToString() +
                              " is not deleted as a whole; the same command deletes the rest");
  }
  return static_cast<uint32_t>(shards->size());
}

const IndexName& ShardedIndex::name() const { return state_->set.name; }
bool ShardedIndex::is_sharded() const { return state_->set.is_sharded; }
const std::vector<IndexInfo>& ShardedIndex::indexes() const { return state_->set.indexes; }
uint32_t ShardedIndex::ShardOf(std::string_view key) const { return state_->set.ShardOf(key); }

Result<std::vector<Neighbor>> ShardedIndex::QueryVectors(const Query& query) const {
  VECLOAD_ASSIGN_OR_RETURN(PartialNeighbors all,
                           client::MergedQuery(state_->client.get(), state_->set, query, false));
  return std::move(all.neighbors);
}

Result<PartialNeighbors> ShardedIndex::QueryAvailable(const Query& query) const {
  return client::MergedQuery(state_->client.get(), state_->set, query, true);
}

Result<std::vector<Record>> ShardedIndex::GetVectors(const std::vector<std::string>& keys,
                                                     bool return_data, bool return_metadata) const {
  const auto key_of = [&](size_t place) -> const std::string& { return keys[place]; };
  const std::vector<size_t> places = LastOfEachKey(keys.size(), key_of);
  const std::vector<Share> shares =
      Divide(state_->set, places, wire::kGetVectorsMax, key_of, NoBytes);
  std::vector<std::vector<Record>> answers(shares.size());
  VECLOAD_RETURN_IF_ERROR(client::AtOnce(shares.size(), kCallsAtOnce, [&](size_t i) -> Status {
    std::vector<std::string> wanted;
    for (const size_t place : shares[i].places) wanted.push_back(keys[place]);
    VECLOAD_ASSIGN_OR_RETURN(
        answers[i], state_->client->GetVectors(state_->set.indexes[shares[i].shard].name, wanted,
                                               return_data, return_metadata));
    return Status::Ok();
  }));
  // The service keeps no order and leaves out what is not there.
  std::unordered_map<std::string_view, Record*> by_key;
  for (std::vector<Record>& answer : answers) {
    for (Record& record : answer) by_key.emplace(record.key, &record);
  }
  std::vector<Record> found;
  for (const std::string& key : keys) {
    const auto at = by_key.find(key);
    if (at != by_key.end()) found.push_back(*at->second);
  }
  return found;
}

Status ShardedIndex::PutVectors(const std::vector<Record>& vectors) const {
  const auto key_of = [&](size_t place) -> const std::string& { return vectors[place].key; };
  const auto bytes_of = [&](size_t place) { return BodyBytesMax(vectors[place]); };
  // Calls are made at once, so that two rows of one key could land in either order.
  const std::vector<size_t> places = LastOfEachKey(vectors.size(), key_of);
  const std::vector<Share> shares =
      Divide(state_->set, places, wire::kPutVectorsMax, key_of, bytes_of);
  return client::AtOnce(shares.size(), kCallsAtOnce, [&](size_t i) {
    std::vector<Record> batch;
    for (const size_t place : shares[i].places) batch.push_back(vectors[place]);
    return state_->client->PutVectors(state_->set.indexes[shares[i].shard].name, batch);
  });
}

Status ShardedIndex::DeleteVectors(const std::vector<std::string>& keys) const {
  const auto key_of = [&](size_t place) -> const std::string& { return keys[place]; };
  const std::vector<size_t> places = LastOfEachKey(keys.size(), key_of);
  const std::vector<Share> shares =
      Divide(state_->set, places, wire::kDeleteVectorsMax, key_of, NoBytes);
  return client::AtOnce(shares.size(), kCallsAtOnce, [&](size_t i) {
    std::vector<std::string> batch;
    for (const size_t place : shares[i].places) batch.push_back(keys[place]);
    return state_->client->DeleteVectors(state_->set.indexes[shares[i].shard].name, batch);
  });
}

}  // namespace vecload
