#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "client/shards.h"
#include "vecload/client.h"
#include "vecload/record.h"
#include "vecload/source.h"
#include "vecload/status.h"

// One index for each value of a column (ADR 0012): BASE-SLUG-HASH, which any client can compute.
// Tags on each index say which value's it is.
namespace vecload::client {

inline constexpr std::string_view kValueScheme = "value-xxh3-64";

// What the indexes are made for.
struct ShardBy {
  IndexName base;
  std::string column;
};

// The index of a value: SLUG is its text with ASCII's capitals made small and each run of other
// bytes than a-z and 0-9 made one hyphen, without hyphens at its ends and cut to what 63 characters
// leave; HASH the first 12 hexadecimal digits of the XXH3-64 (seed 0) of its UTF-8 bytes. Without a
// letter or digit BASE-HASH.
IndexName ValueIndexName(const IndexName& base, std::string_view value);
// kInvalidArgument: the base is so long that no slug could follow.
Status CheckValueBase(const IndexName& base);

// Text as a tag may have it, whose characters are few: any other byte is written =XX, and so are
// spaces and "=". What is longer than `bytes_max` is cut, and ends in "==" and the 16 digits of the
// whole text's XXH3-64.
std::string TagText(std::string_view text, size_t bytes_max);
std::vector<std::pair<std::string, std::string>> ValueTags(const std::string& column,
                                                           std::string_view value);

// Which shard the rows of a value are of. Immutable, so thread-safe.
class ValueNumbers {
 public:
  // Of distinct values, the first one's shard being 0.
  explicit ValueNumbers(std::vector<std::string> values);
  ValueNumbers(const ValueNumbers&) = delete;
  ValueNumbers& operator=(const ValueNumbers&) = delete;

  [[nodiscard]] const std::vector<std::string>& values() const { return values_; }
  // Rows without a value are shard 0's, which rejects them. Nothing: no such value.
  [[nodiscard]] std::optional<uint32_t> Of(const SourceRow& row) const;
  // The same; kConflict where there is no such value, as the source changed since it was asked.
  [[nodiscard]] Result<uint32_t> Find(const SourceRow& row) const;

 private:
  std::vector<std::string> values_;
  std::unordered_map<std::string_view, uint32_t> numbers_;  // of views into values_
};

// The index of each value, or nothing where it is not there. kConflict: one of such a name has not
// the tags of this column and value; kInvalidArgument: two values have one name.
Result<std::vector<std::optional<IndexInfo>>> FindValueIndexes(Client* client, const ShardBy& by,
                                                               std::span<const std::string> values);
// The set of these indexes, in the order of the values. kNotFound: one is not there; kConflict:
// they are not alike. Its ShardOf has no meaning: the value says which index a row is in.
Result<ShardSet> WholeSet(const ShardBy& by, std::span<const std::string> values,
                          std::vector<std::optional<IndexInfo>> found);
// Makes the index of each value, or leaves it as it is.
Status CreateValueIndexes(Client* client, const ShardBy& by, std::span<const std::string> values,
                          const IndexSettings& settings);

}  // namespace vecload::client
