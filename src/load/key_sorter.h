#pragma once

#include <atomic>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "base/temporary_file.h"
#include "vecload/status.h"

namespace vecload::load {

// A row by its key. 128 bits of a SHA-256 stand for the key: two of 10^9 keys share them with a
// probability of 10^-21, and nobody can make two that do.
struct KeyEntry {
  uint64_t digest_high = 0;
  uint64_t digest_low = 0;
  uint64_t row = 0;  // in the order in which the job reads, over all files

  static KeyEntry Of(std::string_view key, uint64_t row);
  // Of a row whose key is one among the rows of its value (--shard-by).
  static KeyEntry Of(std::string_view value, std::string_view key, uint64_t row);
  [[nodiscard]] bool SameKey(const KeyEntry& other) const {
    return digest_high == other.digest_high && digest_low == other.digest_low;
  }
  friend auto operator<=>(const KeyEntry&, const KeyEntry&) = default;
};

// Which row of a key is kept.
enum class Keep { kFirst, kLast };

// Finds the rows whose key another row has, by an external merge sort: what does not fit in memory
// is sorted in runs, which are written to one temporary file and merged. A run has each key once,
// so that a key that comes a billion times costs no space. Memory: `entries_max` entries of 24
// bytes, while filling as while merging, but at least kRunEntriesMin for each run. Disk: at most
// the entries added. Not thread-safe.
class KeySorter {
 public:
  // Told of every row that is not kept, in any order, and of one that was preferred to it.
  using OnLoser = std::function<void(uint64_t loser, uint64_t preferred)>;
  KeySorter(Keep keep, size_t entries_max, OnLoser on_loser);

  Status Add(const KeyEntry& entry);
  // Once, when all are added. kCancelled: `stop`, which may be null, was set meanwhile.
  Status Finish(const std::atomic<bool>* stop);

  [[nodiscard]] size_t runs() const { return runs_.size(); }
  [[nodiscard]] uint64_t spilled_bytes() const { return file_ ? file_->size() : 0; }

  // A page of the disk cache: reading less at a time would cost the same.
  static constexpr size_t kRunEntriesMin = 4096 / sizeof(KeyEntry);

 private:
  struct Run {
    uint64_t offset = 0;  // of the next entry to be read
    uint64_t end = 0;
    std::vector<KeyEntry> entries = {};
    size_t next = 0;  // in `entries`
  };

  // Of two rows with one key: tells of the one that is not kept, and returns the other.
  KeyEntry Prefer(const KeyEntry& earlier, const KeyEntry& later);
  void SortBuffer();
  Status Spill();
  // Whether the run has a further entry, which then is entries[next].
  Result<bool> Fill(Run* run, size_t entries_max);
  Status Merge(const std::atomic<bool>* stop);

  Keep keep_;
  size_t entries_max_;
  OnLoser on_loser_;
  std::vector<KeyEntry> buffer_;
  std::optional<TemporaryFile> file_;
  std::vector<Run> runs_;
};

}  // namespace vecload::load
