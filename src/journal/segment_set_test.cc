// Goal: whatever the order in which segments are settled, and whenever the table is written, the
// set holds the union of their rows, merged as far as it can be, and its changes make the table
// equal to it. Method: RapidCheck cuts files into random segments, shuffles them and stores at
// random moments; the reference is one std::map entry a row and shard.
#include "journal/segment_set.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/random.h"

namespace vecload::journal {
namespace {

constexpr uint32_t kFiles = 3;
constexpr uint32_t kShards = 2;
constexpr uint64_t kRows = 60;

using Key = std::tuple<uint32_t, uint32_t, uint64_t>;

// What the table would hold, kept by the changes alone.
class Table {
 public:
  void Apply(const SegmentSet::Changes& changes) {
    for (const Segment& segment : changes.erased) {
      RC_ASSERT(rows_.erase({segment.file, segment.shard, segment.row_begin}) == 1u);
    }
    for (const SettledSegment& settled : changes.written) {
      const Segment& segment = settled.segment;
      rows_[{segment.file, segment.shard, segment.row_begin}] = settled;
    }
  }
  [[nodiscard]] std::vector<SettledSegment> All() const {
    std::vector<SettledSegment> all;
    all.reserve(rows_.size());
    for (const auto& [key, settled] : rows_) all.push_back(settled);
    return all;
  }

 private:
  std::map<Key, SettledSegment> rows_;
};

// Some of the rows of every file and shard, cut at random, in random order.
std::vector<SettledSegment> RandomSegments(Random* random) {
  std::vector<SettledSegment> segments;
  for (uint32_t file = 0; file < kFiles; ++file) {
    for (uint32_t shard = 0; shard < kShards; ++shard) {
      for (uint64_t row = 0; row < kRows;) {
        const uint64_t end = std::min(kRows, row + 1 + random->Below(7));
        Counts counts;
        counts.rows = random->Below(end - row + 1);
        counts.superseded = random->Below(counts.rows + 1);
        counts.rejected = random->Below(counts.rows - counts.superseded + 1);
        if (random->Below(8) != 0) segments.push_back({{file, shard, row, end}, counts});
        row = end;
      }
    }
  }
  for (size_t i = segments.size(); i > 1; --i) {
    std::swap(segments[i - 1], segments[random->Below(i)]);
  }
  return segments;
}

// The longest runs of rows that are there, from one flag a row.
std::vector<RowRange> Runs(const std::map<Key, bool>& rows, uint32_t file, uint32_t shard,
                           bool there) {
  std::vector<RowRange> runs;
  for (uint64_t row = 0; row < kRows; ++row) {
    if (rows.contains({file, shard, row}) != there) continue;
    if (!runs.empty() && runs.back().end == row) {
      ++runs.back().end;
    } else {
      runs.push_back({row, row + 1});
    }
  }
  return runs;
}

std::vector<RowRange> RangesOf(const SegmentSet& set, uint32_t file, uint32_t shard) {
  std::vector<RowRange> ranges;
  for (const SettledSegment& settled : set.All()) {
    const Segment& segment = settled.segment;
    if (segment.file == file && segment.shard == shard) {
      ranges.push_back({segment.row_begin, segment.row_end});
    }
  }
  return ranges;
}

RC_GTEST_PROP(SegmentSet, IsTheUnionInAnyOrderAndItsChangesKeepTheTableEqual, (uint64_t seed)) {
  Random random(seed);
  SegmentSet set;
  Table table;
  std::map<Key, bool> rows;
  Counts counts;
  for (const SettledSegment& settled : RandomSegments(&random)) {
    const Segment& segment = settled.segment;
    RC_ASSERT(!set.Overlaps(segment));
    set.Add(settled);
    RC_ASSERT(set.Overlaps(segment));
    counts += settled.counts;
    for (uint64_t row = segment.row_begin; row < segment.row_end; ++row) {
      rows[{segment.file, segment.shard, row}] = true;
    }
    if (random.Below(5) != 0) continue;
    table.Apply(set.PendingChanges());
    set.ChangesStored();
    RC_ASSERT(set.PendingChanges().written.empty());
  }
  table.Apply(set.PendingChanges());
  set.ChangesStored();

  RC_ASSERT(table.All() == set.All());
  RC_ASSERT(set.counts() == counts);
  for (uint32_t file = 0; file < kFiles; ++file) {
    for (uint32_t shard = 0; shard < kShards; ++shard) {
      RC_ASSERT(RangesOf(set, file, shard) == Runs(rows, file, shard, true));
      RC_ASSERT(set.Gaps(file, shard, kRows) == Runs(rows, file, shard, false));
      for (uint64_t row = 0; row < kRows; ++row) {
        RC_ASSERT(set.Contains(file, shard, row) == rows.contains({file, shard, row}));
      }
    }
  }

  SegmentSet read;
  for (const SettledSegment& settled : table.All()) RC_ASSERT(read.AddStored(settled));
  RC_ASSERT(read.checksum() == set.checksum());
  RC_ASSERT(read.counts() == counts);
}

RC_GTEST_PROP(SegmentSet, FindsEveryOverlap, (uint64_t seed)) {
  Random random(seed);
  SegmentSet set;
  std::map<Key, bool> rows;
  for (int i = 0; i < 200; ++i) {
    const auto file = static_cast<uint32_t>(random.Below(kFiles));
    const auto shard = static_cast<uint32_t>(random.Below(kShards));
    const uint64_t begin = random.Below(kRows);
    const uint64_t end = begin + 1 + random.Below(10);
    bool overlaps = false;
    for (uint64_t row = begin; row < end; ++row) overlaps |= rows.contains({file, shard, row});
    RC_ASSERT(set.Overlaps({file, shard, begin, end}) == overlaps);
    if (overlaps) continue;
    set.Add({{file, shard, begin, end}, {end - begin, 0, 0}});
    for (uint64_t row = begin; row < end; ++row) rows[{file, shard, row}] = true;
  }
}

TEST(SegmentSet, RefusesStoredRowsThatOverlapOrAreOutOfOrder) {
  SegmentSet set;
  EXPECT_TRUE(set.AddStored({{1, 0, 10, 20}, {10, 0, 0}}));
  EXPECT_FALSE(set.AddStored({{1, 0, 19, 30}, {11, 0, 0}}));
  EXPECT_FALSE(set.AddStored({{1, 0, 5, 10}, {5, 0, 0}}));
  EXPECT_FALSE(set.AddStored({{0, 0, 0, 5}, {5, 0, 0}}));
  EXPECT_TRUE(set.AddStored({{1, 1, 15, 30}, {15, 0, 0}}));
}

TEST(SegmentSet, AFinishedFileIsOneRowHoweverManyBatchesItTook) {
  SegmentSet set;
  for (uint64_t batch = 0; batch < 1000; ++batch) {
    set.Add({{0, 0, batch * 500, batch * 500 + 500}, {500, 1, 2}});
  }
  EXPECT_EQ(set.All(),
            (std::vector<SettledSegment>{{{0, 0, 0, 500'000}, {500'000, 1'000, 2'000}}}));
}

TEST(SettledSegment, CountsMustFitTheRange) {
  EXPECT_TRUE((SettledSegment{{0, 0, 5, 10}, {5, 2, 3}}).IsConsistent());
  EXPECT_TRUE((SettledSegment{{0, 0, 5, 10}, {0, 0, 0}}).IsConsistent());
  EXPECT_FALSE((SettledSegment{{0, 0, 5, 10}, {6, 0, 0}}).IsConsistent());
  EXPECT_FALSE((SettledSegment{{0, 0, 5, 10}, {5, 3, 3}}).IsConsistent());
  EXPECT_FALSE((SettledSegment{{0, 0, 5, 5}, {0, 0, 0}}).IsConsistent());
  EXPECT_FALSE((SettledSegment{{0, 0, 5, 10}, {5, ~0ull, 1}}).IsConsistent());
}

}  // namespace
}  // namespace vecload::journal
