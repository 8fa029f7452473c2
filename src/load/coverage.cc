#include "load/coverage.h"

#include <algorithm>
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

}  // namespace

bool Coverage::Append(RowId id, uint32_t shard) {
  if (!segments.empty()) {
    Segment& last = segments.back();
    CHECK((RowId{last.file, last.row_end}) <= id);
    if (last.file == id.file && last.row_end == id.row && last.shard == shard) {
      ++last.row_end;
      return true;
    }
  }
  if (segments.size() == kSegmentsMax) return false;
  segments.push_back({id.file, shard, id.row, id.row + 1});
  return true;
}

uint64_t Coverage::rows() const {
  uint64_t rows = 0;
  for (const Segment& segment : segments) rows += segment.row_end - segment.row_begin;
  return rows;
}

std::vector<journal::SettledSegment> Coverage::Settled() const {
  std::vector<journal::SettledSegment> settled;
  for (const Segment& segment : segments) {
    const RowId begin{segment.file, segment.row_begin};
    const RowId end{segment.file, segment.row_end};
    const auto in_segment = [&](const RowId& id) { return begin <= id && id < end; };
    const auto rejected = std::ranges::count_if(rejects, in_segment, &Reject::id);
    const auto replaced = std::ranges::count_if(superseded, in_segment);
    settled.push_back({segment,
                       {.rows = segment.row_end - segment.row_begin,
                        .superseded = static_cast<uint64_t>(replaced),
                        .rejected = static_cast<uint64_t>(rejected)}});
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
