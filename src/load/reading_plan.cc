#include "load/reading_plan.h"

#include <algorithm>
#include <span>
#include <utility>

#include "journal/checksum.h"

namespace vecload::load {
namespace {

using journal::RowRange;

// Two files that agree in all of this go to the same part; the path is not in it, since it is
// another one on another machine.
uint32_t PartOfFile(const SourceFile& file, uint32_t parts) {
  const std::string name = file.uri.substr(file.uri.rfind('/') + 1);
  journal::Checksum checksum;
  checksum.Add(name).Add(file.size).Add(file.rows);
  for (const auto& [key, value] : file.partitions) checksum.Add(key).Add(value);
  return static_cast<uint32_t>(checksum.value() % parts) + 1;
}

RowRange ShareOf(const SourceFile& file, uint32_t part, uint32_t parts) {
  if (file.rows / parts >= ReadingPlan::kRowsPerPartMin) {
    // Of rows = parts x each + rest, the first `rest` parts have one more.
    const uint64_t each = file.rows / parts;
    const uint64_t rest = file.rows % parts;
    const auto begin = [&](uint64_t before) { return before * each + std::min(before, rest); };
    return {begin(part - 1), begin(part)};
  }
  return PartOfFile(file, parts) == part ? RowRange{0, file.rows} : RowRange{};
}

std::vector<RowRange> OneRange(const RowRange& range) {
  return range.begin < range.end ? std::vector<RowRange>{range} : std::vector<RowRange>{};
}

// In order, what touches or overlaps made one.
std::vector<RowRange> Merged(std::vector<RowRange> ranges) {
  std::ranges::sort(ranges, {}, &RowRange::begin);
  std::vector<RowRange> merged;
  for (const RowRange& range : ranges) {
    if (!merged.empty() && range.begin <= merged.back().end) {
      merged.back().end = std::max(merged.back().end, range.end);
    } else if (range.begin < range.end) {
      merged.push_back(range);
    }
  }
  return merged;
}

// The least range of each row group that holds all of its listed rows.
std::vector<RowRange> Spans(std::span<const RowRange> listed, const SourceFile& file) {
  std::vector<RowRange> spans;
  uint64_t group_begin = 0;
  const std::vector<uint64_t> undivided = {file.rows};
  for (const uint64_t group_rows : file.row_group_rows.empty() ? undivided : file.row_group_rows) {
    const uint64_t group_end = group_begin + group_rows;
    const auto first = std::ranges::find_if(
        listed, [&](const RowRange& range) { return range.end > group_begin; });
    const auto after = std::find_if(
        first, listed.end(), [&](const RowRange& range) { return range.begin >= group_end; });
    if (first != after) {
      spans.push_back(
          {std::max(first->begin, group_begin), std::min(std::prev(after)->end, group_end)});
    }
    listed = listed.subspan(static_cast<size_t>(first - listed.begin()));
    group_begin = group_end;
  }
  return Merged(std::move(spans));
}

}  // namespace

ReadingPlan ReadingPlan::Whole(const Manifest& manifest) {
  return OfPart(manifest, /*part=*/1, /*parts=*/1);
}

ReadingPlan ReadingPlan::OfPart(const Manifest& manifest, uint32_t part, uint32_t parts) {
  ReadingPlan plan;
  for (const SourceFile& file : manifest.files) {
    plan.rows_.push_back(OneRange(ShareOf(file, part, parts)));
  }
  return plan;
}

ReadingPlan ReadingPlan::OfRows(std::vector<std::vector<RowRange>> rows) {
  ReadingPlan plan;
  plan.listed_ = true;
  plan.rows_ = std::move(rows);
  for (std::vector<RowRange>& ranges : plan.rows_) ranges = Merged(std::move(ranges));
  return plan;
}

uint64_t ReadingPlan::rows() const {
  uint64_t rows = 0;
  for (const std::vector<RowRange>& ranges : rows_) {
    for (const RowRange& range : ranges) rows += range.end - range.begin;
  }
  return rows;
}

std::vector<RowRange> ReadingPlan::Shares() const {
  std::vector<RowRange> shares;
  for (const std::vector<RowRange>& ranges : rows_) {
    shares.push_back(ranges.empty() ? RowRange{} : ranges.front());
  }
  return shares;
}

std::vector<ReadRequest> ReadingPlan::Requests(const Manifest& manifest,
                                               const journal::Journal* journal,
                                               const ReadRequest& request) const {
  std::vector<ReadRequest> requests;
  for (uint32_t file = 0; file < rows_.size(); ++file) {
    std::vector<RowRange> ranges = rows_[file];
    if (listed_) ranges = Spans(ranges, manifest.files[file]);
    if (journal != nullptr) ranges = journal->Remaining(file);
    for (const RowRange& range : ranges) {
      requests.push_back(request);
      requests.back().file = file;
      requests.back().row_begin = range.begin;
      requests.back().row_end = range.end;
    }
  }
  return requests;
}

std::vector<ReadRequest> RequestsFor(const journal::SegmentSet& wanted, const ReadRequest& request,
                                     std::vector<bool>* shards) {
  std::vector<Segment> segments;
  for (const journal::SettledSegment& one : wanted.All()) {
    segments.push_back(one.segment);
    (*shards)[one.segment.shard] = true;
  }
  std::ranges::sort(segments, {}, [](const Segment& segment) {
    return std::pair(segment.file, segment.row_begin);
  });
  std::vector<ReadRequest> requests;
  for (const Segment& segment : segments) {
    if (!requests.empty() && requests.back().file == segment.file &&
        segment.row_begin <= requests.back().row_end) {
      requests.back().row_end = std::max(requests.back().row_end, segment.row_end);
      continue;
    }
    requests.push_back(request);
    requests.back().file = segment.file;
    requests.back().row_begin = segment.row_begin;
    requests.back().row_end = segment.row_end;
  }
  return requests;
}

}  // namespace vecload::load
