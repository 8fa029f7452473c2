#include "load/coverage.h"

#include <algorithm>
#include <functional>
#include <iterator>

#include "base/check.h"

namespace vecload::load {
namespace {

template <typename T, typename IdOf>
std::vector<T> TakeTail(std::vector<T>* items, RowId at, IdOf id_of) {
  const auto begin = std::ranges::lower_bound(*items, at, {}, id_of);
  std::vector<T> tail(std::make_move_iterator(begin), std::make_move_iterator(items->end()));
  items->erase(begin, items->end());
  return tail;
}

// How many of the items, in order, are of the segment's rows.
template <typename Items, typename IdOf>
uint64_t CountOf(const Items& items, const Segment& segment, IdOf id_of) {
  const RowId begin{segment.file, segment.row_begin};
  const RowId end{segment.file, segment.row_end};
  return static_cast<uint64_t>(std::ranges::lower_bound(items, end, {}, id_of) -
                               std::ranges::lower_bound(items, begin, {}, id_of));
}

}  // namespace

bool Coverage::Append(RowId id, uint32_t shard, uint64_t since) {
  CHECK(since <= id.row);
  if (!segments.empty()) {
    Segment& last = segments.back();
    CHECK((RowId{last.file, last.row_end}) <= id);
    if (last.file == id.file && last.row_end == since && last.shard == shard) {
      last.row_end = id.row + 1;
      return true;
    }
  }
  if (segments.size() == kSegmentsMax) return false;
  segments.push_back({id.file, shard, since, id.row + 1});
  return true;
}

std::vector<journal::SettledSegment> Coverage::Settled(std::span<const RowId> sent) const {
  std::vector<journal::SettledSegment> settled = Settled();
  for (auto& [segment, counts] : settled) {
    counts.rows = CountOf(sent, segment, std::identity()) + counts.rejected + counts.superseded;
  }
  return settled;
}

std::vector<journal::SettledSegment> Coverage::Settled() const {
  std::vector<journal::SettledSegment> settled;
  for (const Segment& segment : segments) {
    settled.push_back({segment,
                       {.rows = segment.row_end - segment.row_begin,
                        .superseded = CountOf(superseded, segment, std::identity()),
                        .rejected = CountOf(rejects, segment, &Reject::id)}});
  }
  return settled;
}

Coverage Coverage::SplitOff(RowId at) {
  Coverage tail;
  tail.rejects = TakeTail(&rejects, at, &Reject::id);
  tail.superseded = TakeTail(&superseded, at, [](const RowId& id) { return id; });
  std::vector<Segment> head;
  for (const Segment& segment : segments) {
    const RowId begin{segment.file, segment.row_begin};
    const RowId end{segment.file, segment.row_end};
    if (end <= at) {
      head.push_back(segment);
    } else if (begin >= at) {
      tail.segments.push_back(segment);
    } else {
      head.push_back({segment.file, segment.shard, segment.row_begin, at.row});
      tail.segments.push_back({segment.file, segment.shard, at.row, segment.row_end});
    }
  }
  segments = std::move(head);
  return tail;
}

}  // namespace vecload::load
