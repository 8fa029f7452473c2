#include "sim/batches.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace vecload::sim {
namespace {

// Takes one row out of the ranges.
void Remove(std::vector<RowRange>* rows, uint64_t row) {
  const auto place = std::ranges::upper_bound(*rows, row, {}, &RowRange::end);
  CHECK(place != rows->end() && place->begin <= row);
  const RowRange whole = *place;
  const auto next = rows->erase(place);
  std::vector<RowRange> rest;
  if (whole.begin < row) rest.push_back({whole.begin, row});
  if (row + 1 < whole.end) rest.push_back({row + 1, whole.end});
  rows->insert(next, rest.begin(), rest.end());
}

bool Contains(const std::vector<RowRange>& rows, uint64_t row) {
  const auto place = std::ranges::upper_bound(rows, row, {}, &RowRange::end);
  return place != rows.end() && place->begin <= row;
}

void Append(std::vector<RowRange>* rows, const RowRange& more) {
  if (!rows->empty() && rows->back().end == more.begin) {
    rows->back().end = more.end;
  } else {
    rows->push_back(more);
  }
}

// As many rows as load::Coverage::Append would take one by one.
bool Cover(const Job& job, const RowRange& rows, load::Coverage* coverage) {
  const load::RowId id = job.IdOf(rows.begin);
  std::vector<Segment>& segments = coverage->segments;
  const uint64_t end = id.row + (rows.end - rows.begin);
  if (!segments.empty() && segments.back().file == id.file && segments.back().row_end == id.row) {
    segments.back().row_end = end;
    return true;
  }
  if (segments.size() == load::Coverage::kSegmentsMax) return false;
  segments.push_back({.file = id.file, .shard = 0, .row_begin = id.row, .row_end = end});
  return true;
}

}  // namespace

size_t SimBatch::vectors() const {
  size_t vectors = 0;
  for (const RowRange& range : rows) vectors += range.end - range.begin;
  return vectors;
}

uint64_t SimBatch::RowAt(size_t record) const {
  for (const RowRange& range : rows) {
    if (record < range.end - range.begin) return range.begin + record;
    record -= range.end - range.begin;
  }
  CHECK(false);
  return 0;
}

void SimBatch::Reject(const Job& job, std::span<const size_t> records) {
  std::vector<uint64_t> refused;
  for (const size_t record : records) refused.push_back(RowAt(record));
  for (const uint64_t row : refused) {
    Remove(&rows, row);
    load::Reject reject{.id = job.IdOf(row), .rule = RejectRule::kServiceRefused};
    const auto place = std::ranges::lower_bound(coverage.rejects, reject.id, {}, &load::Reject::id);
    coverage.rejects.insert(place, std::move(reject));
  }
}

SimBatch SimBatch::DivideAt(const Job& job, size_t record) {
  const uint64_t at = RowAt(record);
  SimBatch tail;
  tail.coverage = coverage.SplitOff(job.IdOf(at));
  std::vector<RowRange> head;
  for (const RowRange& range : rows) {
    if (range.begin < at) head.push_back({range.begin, std::min(range.end, at)});
    if (range.end > at) tail.rows.push_back({std::max(range.begin, at), range.end});
  }
  rows = std::move(head);
  return tail;
}

BatchSource::BatchSource(const Job* job, const journal::Journal& journal, uint32_t files)
    : job_(*job) {
  for (uint32_t file = 0; file < files; ++file) {
    for (const RowRange& range : journal.Remaining(file)) {
      left_.push_back({job_.FileBegin(file) + range.begin, job_.FileBegin(file) + range.end});
    }
  }
  std::ranges::reverse(left_);
}

std::optional<SimBatch> BatchSource::Next() {
  if (left_.empty()) return std::nullopt;
  SimBatch batch;
  size_t vectors = 0;
  while (!left_.empty() && TakeSome(&batch, &vectors)) {
  }
  std::ranges::sort(batch.coverage.superseded);
  return batch;
}

bool BatchSource::TakeSome(SimBatch* batch, size_t* vectors) {
  RowRange& front = left_.back();
  const size_t room = job_.scenario().batch_vectors - *vectors;
  if (room == 0) return false;
  const uint64_t special = job_.NextSpecial(front.begin);
  if (special == front.begin) {
    if (!TakeOne(special, batch, vectors)) return false;
    ++front.begin;
  } else {
    const RowRange plain{front.begin, std::min({front.end, special, front.begin + room})};
    if (!Cover(job_, plain, &batch->coverage)) return false;
    Append(&batch->rows, plain);
    *vectors += plain.end - plain.begin;
    front.begin = plain.end;
  }
  if (front.begin == front.end) left_.pop_back();
  return true;
}

bool BatchSource::TakeOne(uint64_t row, SimBatch* batch, size_t* vectors) {
  load::Coverage& coverage = batch->coverage;
  if (!Cover(job_, {row, row + 1}, &coverage)) return false;
  if (job_.IsDropped(row)) {
    coverage.superseded.push_back(job_.IdOf(row));
    return true;
  }
  if (job_.IsBadHere(row)) {
    coverage.rejects.push_back({.id = job_.IdOf(row), .rule = RejectRule::kVectorNotFinite});
    return true;
  }
  const std::optional<uint64_t> twin = job_.TwinOf(row);
  if (twin.has_value() && *twin < row && Contains(batch->rows, *twin)) {
    Remove(&batch->rows, *twin);
    coverage.superseded.push_back(job_.IdOf(*twin));
    --*vectors;
  }
  Append(&batch->rows, {row, row + 1});
  ++*vectors;
  return true;
}

}  // namespace vecload::sim
