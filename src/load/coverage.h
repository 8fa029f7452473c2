#pragma once

#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "journal/segment_set.h"
#include "vecload/record.h"

namespace vecload::load {

// One source row: its file in the manifest, and its number in that file.
struct RowId {
  uint32_t file = 0;
  uint64_t row = 0;

  friend auto operator<=>(const RowId&, const RowId&) = default;
};

// A row that cannot be sent, and why.
struct Reject {
  RowId id;
  std::string key_json = {};  // a JSON string; empty where the row has no key
  bool key_is_base64 = false;
  RejectRule rule = RejectRule::kNone;
  std::string message = {};
};

// Which source rows a batch answers for: those that it sends, those that it rejects and those that
// another row of the same key supersedes. Every row of a job is in the coverage of exactly one
// batch, so that a committed batch settles all of its rows. Rows ascend.
struct Coverage {
  std::vector<Segment> segments;
  std::vector<Reject> rejects;
  std::vector<RowId> superseded;

  // Appends one row, which must be greater than all before; the rows from `since` on to it are
  // other shards', so that the segments of a shard lie side by side. False, and nothing changed,
  // where it would start one segment too many (kSegmentsMax).
  bool Append(RowId id, uint32_t shard, uint64_t since);
  // As the journal records it: a count of each kind for each segment, `sent` being the rows that
  // are neither rejected nor superseded, in order.
  [[nodiscard]] std::vector<journal::SettledSegment> Settled(std::span<const RowId> sent) const;
  // The same of a job with one shard: all rows of a segment are its own.
  [[nodiscard]] std::vector<journal::SettledSegment> Settled() const;
  // Takes out all rows from `at` on and returns them.
  Coverage SplitOff(RowId at);

  static constexpr size_t kSegmentsMax = 16;  // design: a batch is made of 1 to 16 segments
};

}  // namespace vecload::load
