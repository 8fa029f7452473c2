#include "client/value_shards.h"

#include <algorithm>
#include <iterator>
#include <map>

#include <fmt/format.h>

#include "base/json_text.h"
#include "client/at_once.h"
#include "wire/limits.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace vecload::client {
namespace {

using wire::kNameCharactersMax;

// Of 1,000 values two have the same 48 bits with a probability of 2e-9, of 10,000 with 2e-7.
constexpr size_t kHashCharacters = 12;
// Two hyphens, a hash, and at least one character that tells something of the value.
constexpr size_t kBaseCharactersMax = kNameCharactersMax - kHashCharacters - 3;
constexpr std::string_view kColumnTag = "vecload:shard-by";
constexpr std::string_view kValueTag = "vecload:shard-value";

std::string HashText(std::string_view text) {
  return fmt::format("{:016x}", static_cast<uint64_t>(XXH3_64bits(text.data(), text.size())));
}

bool IsLetterOrDigit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

std::string Slug(std::string_view value, size_t characters_max) {
  std::string slug;
  for (const char c : value) {
    if (IsLetterOrDigit(c)) {
      slug.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
    } else if (!slug.empty() && slug.back() != '-') {
      slug.push_back('-');
    }
    if (slug.size() > characters_max) break;
  }
  slug.resize(std::min(slug.size(), characters_max));
  if (!slug.empty() && slug.back() == '-') slug.pop_back();
  return slug;
}

// Two values of one name would share an index.
Status CheckNamesDiffer(const ShardBy& by, std::span<const std::string> values) {
  std::map<std::string, std::string_view> value_of_name;
  for (const std::string& value : values) {
    const std::string name = ValueIndexName(by.base, value).index;
    const auto [place, is_new] = value_of_name.emplace(name, value);
    if (is_new) continue;
    return Status::InvalidArgument(fmt::format(
        "the values {} and {} of column \"{}\" would both be in index {}; rename one of them, or "
        "load its rows apart, into another base",
        Quoted(place->second), Quoted(value), by.column, name));
  }
  return Status::Ok();
}

std::string ValueOf(const std::vector<std::pair<std::string, std::string>>& tags,
                    std::string_view name) {
  const auto found = std::ranges::find(tags, name, [](const auto& tag) { return tag.first; });
  return found == tags.end() ? std::string() : found->second;
}

// An index that this value's rows may go to.
Status CheckTags(Client* client, const IndexInfo& index, const ShardBy& by,
                 std::string_view value) {
  VECLOAD_ASSIGN_OR_RETURN(const auto found, client->ListTags(index.arn));
  const auto wanted = ValueTags(by.column, value);
  const bool is_ours = std::ranges::all_of(
      wanted, [&](const auto& tag) { return std::ranges::find(found, tag) != found.end(); });
  if (is_ours) return Status::Ok();
  const std::string name = ValueIndexName(by.base, value).ToString();
  if (ValueOf(found, kSchemeTag).empty()) {
    std::string tags;
    for (const auto& [key, text] : wanted) {
      tags += fmt::format("{}{}={}", tags.empty() ? "" : " ", key, text);
    }
    return Status::Conflict(fmt::format(
        "index {} is there and has not the tags of an index for one value, so that others may use "
        "it; where it is meant for the value {} of column \"{}\" tag it: {}; else delete it, or "
        "name another base",
        name, Quoted(value), by.column, tags));
  }
  return Status::Conflict(fmt::format(
      "index {} is there for the value \"{}\" of column \"{}\" (scheme {}), as its tags have it, "
      "not for {} of \"{}\"; name another base",
      name, ValueOf(found, kValueTag), ValueOf(found, kColumnTag), ValueOf(found, kSchemeTag),
      Quoted(value), by.column));
}

}  // namespace

IndexName ValueIndexName(const IndexName& base, std::string_view value) {
  const size_t taken = base.index.size() + kHashCharacters + 2;  // and two hyphens
  std::string name = base.index;
  if (taken < kNameCharactersMax) {
    const std::string slug = Slug(value, kNameCharactersMax - taken);
    if (!slug.empty()) name += '-' + slug;
  }
  return {base.bucket, name + '-' + HashText(value).substr(0, kHashCharacters)};
}

Status CheckValueBase(const IndexName& base) {
  if (base.index.size() <= kBaseCharactersMax) return Status::Ok();
  return Status::InvalidArgument(fmt::format(
      "the name \"{}\" has {} characters; that of a base for one index a value has {} at most, "
      "since the value and a hash of it are added",
      base.index, base.index.size(), kBaseCharactersMax));
}

std::string TagText(std::string_view text, size_t bytes_max) {
  constexpr std::string_view kPlain = "_.:/+-@";
  constexpr size_t kMarkCharacters = 18;  // "==" and a hash
  std::string tag;
  size_t cut = 0;  // what is whole beside a mark
  for (const char c : text) {
    if (IsLetterOrDigit(c) || kPlain.find(c) != std::string_view::npos) {
      tag.push_back(c);
    } else {
      tag += fmt::format("={:02X}", static_cast<unsigned char>(c));
    }
    if (tag.size() + kMarkCharacters <= bytes_max) cut = tag.size();
    if (tag.size() > bytes_max) return tag.substr(0, cut) + "==" + HashText(text);
  }
  return tag;
}

std::vector<std::pair<std::string, std::string>> ValueTags(const std::string& column,
                                                           std::string_view value) {
  return {{std::string(kSchemeTag), std::string(kValueScheme)},
          {std::string(kColumnTag), TagText(column, wire::kTagValueCharactersMax)},
          {std::string(kValueTag), TagText(value, wire::kTagValueCharactersMax)}};
}

ValueNumbers::ValueNumbers(std::vector<std::string> values) : values_(std::move(values)) {
  for (uint32_t number = 0; number < values_.size(); ++number) {
    numbers_.emplace(values_[number], number);
  }
}

std::optional<uint32_t> ValueNumbers::Of(const SourceRow& row) const {
  if (!row.has_shard_value) return 0;
  const auto found = numbers_.find(row.shard_value);
  if (found == numbers_.end()) return std::nullopt;
  return found->second;
}

Result<uint32_t> ValueNumbers::Find(const SourceRow& row) const {
  const std::optional<uint32_t> number = Of(row);
  if (number.has_value()) return *number;
  return Status::Conflict(fmt::format(
      "a row has the value {}, which was not there when the values were read: the source changed "
      "meanwhile; run the same command again",
      Quoted(row.shard_value)));
}

Result<std::vector<std::optional<IndexInfo>>> FindValueIndexes(
    Client* client, const ShardBy& by, std::span<const std::string> values) {
  VECLOAD_RETURN_IF_ERROR(CheckNamesDiffer(by, values));
  std::vector<std::optional<IndexInfo>> found(values.size());
  const Status asked = AtOnce(values.size(), kAskedAtOnce, [&](size_t i) -> Status {
    const IndexName name = ValueIndexName(by.base, values[i]);
    Result<IndexInfo> index = client->GetIndex(name);
    if (index.status().code() == Code::kNotFound) return Status::Ok();
    if (!index.ok()) return index.status();
    VECLOAD_RETURN_IF_ERROR(CheckTags(client, *index, by, values[i]));
    // As the user names it: an ARN's form of the same would be another name in messages.
    index->name = name;
    found[i] = *std::move(index);
    return Status::Ok();
  });
  if (!asked.ok()) return asked;
  return found;
}

Result<ShardSet> WholeSet(const ShardBy& by, std::span<const std::string> values,
                          std::vector<std::optional<IndexInfo>> found) {
  const auto absent =
      std::ranges::count_if(found, [](const auto& index) { return !index.has_value(); });
  ShardSet set{.name = by.base, .indexes = {}, .is_sharded = true};
  for (size_t i = 0; i < found.size(); ++i) {
    if (!found[i].has_value()) {
      return Status::NotFound(
          fmt::format("of {} values {} have no index, like {}, whose index is {}", values.size(),
                      absent, Quoted(values[i]), ValueIndexName(by.base, values[i]).ToString()));
    }
    set.indexes.push_back(*std::move(found[i]));
  }
  VECLOAD_RETURN_IF_ERROR(CheckAlike(set.indexes));
  return set;
}

Status CreateValueIndexes(Client* client, const ShardBy& by, std::span<const std::string> values,
                          const IndexSettings& settings) {
  return AtOnce(values.size(), kAskedAtOnce, [&](size_t i) -> Status {
    IndexSettings own = settings;
    std::ranges::move(ValueTags(by.column, values[i]), std::back_inserter(own.tags));
    Status made = client->CreateIndex(ValueIndexName(by.base, values[i]), own);
    // Another loader's; whether it is for this value is asked when it is found.
    return made.code() == Code::kConflict ? Status::Ok() : made;
  });
}

}  // namespace vecload::client
