#include "journal/segment_set.h"

#include <algorithm>
#include <iterator>

#include "base/check.h"
#include "journal/checksum.h"

namespace vecload::journal {
namespace {

uint64_t ChecksumOf(const SettledSegment& settled) {
  const auto& [segment, counts] = settled;
  return Checksum()
      .Add(segment.file)
      .Add(segment.shard)
      .Add(segment.row_begin)
      .Add(segment.row_end)
      .Add(counts.rows)
      .Add(counts.superseded)
      .Add(counts.rejected)
      .value();
}

}  // namespace

Counts& Counts::operator+=(const Counts& other) {
  rows += other.rows;
  superseded += other.superseded;
  rejected += other.rejected;
  return *this;
}

bool SettledSegment::IsConsistent() const {
  return segment.row_begin < segment.row_end &&
         counts.rows <= segment.row_end - segment.row_begin && counts.superseded <= counts.rows &&
         counts.rejected <= counts.rows - counts.superseded;
}

SettledSegment SegmentSet::ToSettled(const Entries::value_type& entry) {
  const auto& [place, value] = entry;
  return {{place.file, place.shard, place.row_begin, value.row_end}, value.counts};
}

bool SegmentSet::SameShard(const Place& place, const Segment& segment) {
  return place.file == segment.file && place.shard == segment.shard;
}

bool SegmentSet::Overlaps(const Segment& segment) const {
  const auto next = entries_.lower_bound({segment.file, segment.shard, segment.row_begin});
  if (next != entries_.end() && SameShard(next->first, segment) &&
      next->first.row_begin < segment.row_end) {
    return true;
  }
  if (next == entries_.begin()) return false;
  const auto previous = std::prev(next);
  return SameShard(previous->first, segment) && previous->second.row_end > segment.row_begin;
}

void SegmentSet::Add(const SettledSegment& settled) {
  const Segment& segment = settled.segment;
  CHECK(settled.IsConsistent() && !Overlaps(segment));
  counts_ += settled.counts;

  const auto next = entries_.lower_bound({segment.file, segment.shard, segment.row_begin});
  auto grown = entries_.end();
  if (next != entries_.begin()) {
    const auto previous = std::prev(next);
    if (SameShard(previous->first, segment) && previous->second.row_end == segment.row_begin) {
      grown = previous;
      checksum_ -= ChecksumOf(ToSettled(*grown));
      grown->second.row_end = segment.row_end;
      grown->second.counts += settled.counts;
    }
  }
  if (grown == entries_.end()) {
    grown = entries_.emplace_hint(next, Place{segment.file, segment.shard, segment.row_begin},
                                  Entry{segment.row_end, settled.counts});
  }
  if (next != entries_.end() && SameShard(next->first, segment) &&
      next->first.row_begin == segment.row_end) {
    checksum_ -= ChecksumOf(ToSettled(*next));
    grown->second.row_end = next->second.row_end;
    grown->second.counts += next->second.counts;
    if (next->second.stored) erased_.push_back(ToSettled(*next).segment);
    entries_.erase(next);
  }
  checksum_ += ChecksumOf(ToSettled(*grown));
  if (!grown->second.changed) {
    grown->second.changed = true;
    changed_.push_back(grown->first);
  }
}

bool SegmentSet::AddStored(const SettledSegment& settled) {
  const Segment& segment = settled.segment;
  const Place place{segment.file, segment.shard, segment.row_begin};
  if (!entries_.empty()) {
    const auto& [last, entry] = *entries_.rbegin();
    if (place <= last || (SameShard(last, segment) && entry.row_end > place.row_begin)) {
      return false;
    }
  }
  entries_.emplace_hint(entries_.end(), place, Entry{segment.row_end, settled.counts, true, false});
  counts_ += settled.counts;
  checksum_ += ChecksumOf(settled);
  return true;
}

SegmentSet::Entries::const_iterator SegmentSet::At(uint32_t file, uint32_t shard,
                                                   uint64_t row) const {
  const auto after = entries_.upper_bound({file, shard, row});
  if (after == entries_.begin()) return entries_.end();
  const auto found = std::prev(after);
  const bool holds =
      found->first.file == file && found->first.shard == shard && found->second.row_end > row;
  return holds ? found : entries_.end();
}

bool SegmentSet::Contains(uint32_t file, uint32_t shard, uint64_t row) const {
  return At(file, shard, row) != entries_.end();
}

SegmentSet::Found SegmentSet::Find(uint32_t file, uint32_t shard, uint64_t row) const {
  const auto is_here = [&](Entries::const_iterator it) {
    return it != entries_.end() && it->first.file == file && it->first.shard == shard;
  };
  Found found{.contained = false, .range = {0, UINT64_MAX}};
  const auto after = entries_.upper_bound({file, shard, row});
  if (is_here(after)) found.range.end = after->first.row_begin;
  if (after == entries_.begin() || !is_here(std::prev(after))) return found;
  const auto& [place, entry] = *std::prev(after);
  if (entry.row_end > row) return {.contained = true, .range = {place.row_begin, entry.row_end}};
  found.range.begin = entry.row_end;
  return found;
}

uint64_t SegmentSet::RowsOf(uint32_t file) const {
  uint64_t rows = 0;
  for (auto it = entries_.lower_bound({file, 0, 0}); it != entries_.end() && it->first.file == file;
       ++it) {
    rows += it->second.counts.rows;
  }
  return rows;
}

std::vector<RowRange> SegmentSet::Gaps(uint32_t file, uint32_t shard, uint64_t rows) const {
  std::vector<RowRange> gaps;
  uint64_t row = 0;
  for (auto it = entries_.lower_bound({file, shard, 0});
       it != entries_.end() && it->first.file == file && it->first.shard == shard; ++it) {
    if (row < it->first.row_begin) gaps.push_back({row, it->first.row_begin});
    row = it->second.row_end;
  }
  if (row < rows) gaps.push_back({row, rows});
  return gaps;
}

std::vector<SettledSegment> SegmentSet::All() const {
  std::vector<SettledSegment> all;
  all.reserve(entries_.size());
  std::ranges::transform(entries_, std::back_inserter(all), ToSettled);
  return all;
}

SegmentSet::Changes SegmentSet::PendingChanges() const {
  Changes changes;
  changes.erased = erased_;
  changes.written.reserve(changed_.size());
  for (const Place& place : changed_) {
    const auto found = entries_.find(place);
    if (found != entries_.end()) changes.written.push_back(ToSettled(*found));
  }
  return changes;
}

void SegmentSet::ChangesStored() {
  for (const Place& place : changed_) {
    const auto found = entries_.find(place);
    if (found == entries_.end()) continue;
    found->second.stored = true;
    found->second.changed = false;
  }
  changed_.clear();
  erased_.clear();
}

}  // namespace vecload::journal
