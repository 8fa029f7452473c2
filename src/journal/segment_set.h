#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <vector>

#include "vecload/record.h"

namespace vecload::journal {

// What became of the rows of a segment.
struct Counts {
  uint64_t rows = 0;        // those of the range whose key hashes to the shard
  uint64_t superseded = 0;  // not sent: a later row had the key
  uint64_t rejected = 0;    // stand in the rejects file

  [[nodiscard]] uint64_t acknowledged() const { return rows - superseded - rejected; }
  Counts& operator+=(const Counts& other);
  friend bool operator==(const Counts&, const Counts&) = default;
};

// A segment all of whose rows are settled.
struct SettledSegment {
  Segment segment;
  Counts counts;

  // No rows, or more than the range has, or more superseded and rejected than there are.
  [[nodiscard]] bool IsConsistent() const;
  friend bool operator==(const SettledSegment&, const SettledSegment&) = default;
};

// [begin, end)
struct RowRange {
  uint64_t begin = 0;
  uint64_t end = 0;

  friend bool operator==(const RowRange&, const RowRange&) = default;
};

// The settled segments of a job, neighbours merged, and what of them the table does not have yet.
// Memory: one node for each gap between settled rows, so by files, shards and batches in flight.
class SegmentSet {
 public:
  // Whether any row of it is in the set, for its shard.
  [[nodiscard]] bool Overlaps(const Segment& segment) const;
  // Must not overlap, and must be consistent.
  void Add(const SettledSegment& settled);
  // One that the table has, in the table's order. False: it is out of order, or overlaps.
  bool AddStored(const SettledSegment& settled);

  // The rows of [0, rows) that are not in the set, for that shard, in order.
  [[nodiscard]] std::vector<RowRange> Gaps(uint32_t file, uint32_t shard, uint64_t rows) const;
  [[nodiscard]] bool Contains(uint32_t file, uint32_t shard, uint64_t row) const;
  // The segment that holds the row, or else the gap, which of a shard's last one has no end.
  struct Found {
    bool contained = false;
    RowRange range;
  };
  [[nodiscard]] Found Find(uint32_t file, uint32_t shard, uint64_t row) const;
  // How many rows of the file are settled, of all shards.
  [[nodiscard]] uint64_t RowsOf(uint32_t file) const;
  [[nodiscard]] std::vector<SettledSegment> All() const;
  [[nodiscard]] size_t size() const { return entries_.size(); }
  [[nodiscard]] const Counts& counts() const { return counts_; }
  // Of the whole set, whatever the order in which it grew.
  [[nodiscard]] uint64_t checksum() const { return checksum_; }

  // What makes the table equal to the set: erase these, then write those (insert or replace).
  struct Changes {
    std::vector<Segment> erased;
    std::vector<SettledSegment> written;
  };
  [[nodiscard]] Changes PendingChanges() const;
  // The table has them.
  void ChangesStored();

 private:
  struct Place {
    uint32_t file = 0;
    uint32_t shard = 0;
    uint64_t row_begin = 0;

    friend auto operator<=>(const Place&, const Place&) = default;
  };
  struct Entry {
    uint64_t row_end = 0;
    Counts counts;
    bool stored = false;   // the table has a row of that place
    bool changed = false;  // the table's row differs, or is not there
  };
  using Entries = std::map<Place, Entry>;

  static SettledSegment ToSettled(const Entries::value_type& entry);
  static bool SameShard(const Place& place, const Segment& segment);
  [[nodiscard]] Entries::const_iterator At(uint32_t file, uint32_t shard, uint64_t row) const;

  Entries entries_;
  std::vector<Place> changed_;  // may name places that are merged away since
  std::vector<Segment> erased_;
  Counts counts_;
  uint64_t checksum_ = 0;
};

}  // namespace vecload::journal
