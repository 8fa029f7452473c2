#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "vecload/client.h"
#include "vecload/record.h"
#include "vecload/status.h"

namespace vecload {

/// A shard that gave no answer, and why.
struct ShardFailure {
  IndexName index;
  Status status;
};

/// What those shards gave that answered.
struct PartialNeighbors {
  std::vector<Neighbor> neighbors;
  std::vector<ShardFailure> failures;  ///< Empty: it is the whole answer.
};

/// Many indexes as one (docs/decisions/0011-shards.md): the shards BASE-0000, BASE-0001, ... of a
/// base, each of which holds the keys that hash to its number. A plain index is the case of one,
/// so callers need not care which of them a name stands for. Holds no vectors; immutable once it
/// is opened, so thread-safe. A failure names the shard that it comes from.
class ShardedIndex {
 public:
  /// Finds the index of that name, or else the shards of that base, all of which must be there and
  /// alike. kNotFound: neither is there, or a shard is missing (names it); kConflict: an index has
  /// a shard's name and is none, or differs from the others in dimension, metric or non-filterable
  /// keys (names it). An index whose very name is the base's wins over shards.
  static Result<std::unique_ptr<ShardedIndex>> Open(std::shared_ptr<Client> client,
                                                    const IndexName& name);
  /// Deletes the index of that name, or else all shards of that base, BASE-0000 last, and returns
  /// how many indexes that were. After a failure the same call deletes the rest, also where shards
  /// are missing: it looks for what is there. Only indexes that are tagged as shards are touched.
  /// kNotFound: there is neither.
  static Result<uint32_t> Delete(Client* client, const IndexName& name);
  ~ShardedIndex();
  ShardedIndex(const ShardedIndex&) = delete;
  ShardedIndex& operator=(const ShardedIndex&) = delete;

  [[nodiscard]] const IndexName& name() const;
  /// Not so for a plain index, which is the only one of indexes() then.
  [[nodiscard]] bool is_sharded() const;
  /// The shards in their order.
  [[nodiscard]] const std::vector<IndexInfo>& indexes() const;
  /// Which of indexes() has the key, if any.
  [[nodiscard]] uint32_t ShardOf(std::string_view key) const;

  /// The nearest of all shards, which are asked at once: by distance, then by the key's bytes, as
  /// one index with all the vectors would give them. A shard is asked for further pages only while
  /// it may still have a vector that counts. The first failure ends it: no more calls are begun.
  [[nodiscard]] Result<std::vector<Neighbor>> QueryVectors(const Query& query) const;
  /// As QueryVectors, but goes on without the shards that fail. Fails where all of them do, and
  /// with kInvalidArgument where one says that the query itself is wrong.
  [[nodiscard]] Result<PartialNeighbors> QueryAvailable(const Query& query) const;
  /// Any number of keys, each of which is asked of its shard; the vectors that are there, in the
  /// order of `keys`.
  [[nodiscard]] Result<std::vector<Record>> GetVectors(const std::vector<std::string>& keys,
                                                       bool return_data,
                                                       bool return_metadata) const;
  /// Any number of vectors, in calls that the service takes. Of vectors with one key the last one
  /// is put. After a failure some may be there; the same call again does no harm.
  [[nodiscard]] Status PutVectors(const std::vector<Record>& vectors) const;
  /// Any number of keys; those that are not there are no failure.
  [[nodiscard]] Status DeleteVectors(const std::vector<std::string>& keys) const;

 private:
  struct State;
  explicit ShardedIndex(std::unique_ptr<const State> state);

  std::unique_ptr<const State> state_;
};

}  // namespace vecload
