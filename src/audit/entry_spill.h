#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "audit/record_digest.h"
#include "base/temporary_file.h"
#include "vecload/status.h"

namespace vecload::audit {

inline constexpr uint32_t kIndexSide = UINT32_MAX;

// A record of one side, as the second pass compares it.
struct Entry {
  uint64_t key_hash = 0;
  Digest vector;
  Digest metadata;
  uint64_t row = 0;
  uint32_t file = kIndexSide;  // kIndexSide: of the index
  uint16_t shard = 0;          // where it is, or should be
  bool is_loadable = true;     // a row that the index cannot hold
  std::string_view key;
};

// Of the index; what a row of the source has besides is for the caller to add.
inline Entry EntryOf(std::string_view key, const RecordDigest& digest, uint32_t shard) {
  return {.key_hash = digest.key_hash,
          .vector = digest.vector,
          .metadata = digest.metadata,
          .shard = static_cast<uint16_t>(shard),
          .key = key};
}

// Entries parted by their keys' hashes: kept in memory while they are few, else appended to a
// temporary file without a name; given back part by part, each part with all entries of its keys.
// Add may be called from several threads. Memory: one part, and a buffer for each.
class EntrySpill {
 public:
  // As many parts as keep one of them within `memory_bytes_max` if there are `bytes_expected`.
  EntrySpill(uint64_t bytes_expected, uint64_t memory_bytes_max);

  Status Add(const Entry& entry);
  // Once, when all are added. The entries' keys live until `take` returns.
  Status ForEachPart(const std::function<Status(std::span<Entry> entries)>& take);

  // What an entry takes, its key apart.
  static constexpr uint64_t kEntryBytes = 64;

 private:
  struct Chunk {
    uint64_t offset = 0;
    uint64_t bytes = 0;
  };
  struct Part {
    std::string buffer;
    std::vector<Chunk> chunks;
  };
  Status Flush(Part* part);
  Result<std::string> Load(Part* part);

  std::mutex mutex_;
  std::vector<Part> parts_;
  size_t buffer_bytes_max_;
  std::optional<TemporaryFile> file_;
};

}  // namespace vecload::audit
