#include "load/plan_sample.h"

#include <algorithm>

#include "load/job_plan.h"
#include "wire/put_body.h"

namespace vecload::load {
namespace {

// Row groups read of at most. Opening a file takes 0.2 ms here; on S3 150 ms, 16 at a time.
constexpr uint64_t kNearSpotsMax = 512;
constexpr uint64_t kFarSpotsMax = 64;
constexpr uint32_t kSampleBlockRows = 64;

struct Spot {
  uint32_t file = 0;
  uint64_t row_begin = 0;
  uint64_t rows = 0;
};

// The row groups that hold `count` rows at even distances over the source, each once.
std::vector<Spot> EvenSpots(const Manifest& manifest, uint64_t count) {
  std::vector<Spot> spots;
  uint64_t number = 0;
  uint64_t passed = 0;  // rows of the row groups before
  for (uint32_t file = 0; file < manifest.files.size(); ++file) {
    uint64_t row_begin = 0;
    // A table has no row groups.
    const std::vector<uint64_t> whole = {manifest.files[file].rows};
    const std::vector<uint64_t>& groups = manifest.files[file].row_group_rows;
    for (const uint64_t rows : groups.empty() ? whole : groups) {
      // number * rows / count, with no product that could be too large.
      const auto next = [&] {
        return static_cast<uint64_t>(static_cast<double>(number) *
                                     static_cast<double>(manifest.rows) /
                                     static_cast<double>(count));
      };
      if (number < count && next() < passed + rows) {
        spots.push_back({.file = file, .row_begin = row_begin, .rows = rows});
        while (number < count && next() < passed + rows) ++number;
      }
      row_begin += rows;
      passed += rows;
    }
  }
  return spots;
}

}  // namespace

std::vector<ReadRequest> SampleRequests(const Manifest& manifest, uint64_t rows_max) {
  const bool is_far =
      std::ranges::any_of(manifest.files, [](const SourceFile& file) { return IsOnS3(file.uri); });
  const uint64_t spots_max = std::min(rows_max, is_far ? kFarSpotsMax : kNearSpotsMax);
  const std::vector<Spot> spots = EvenSpots(manifest, spots_max);
  // The smallest give all they have, and the others more for it.
  std::vector<uint64_t> sizes;
  for (const Spot& spot : spots) sizes.push_back(spot.rows);
  std::ranges::sort(sizes);
  uint64_t left = rows_max;
  uint64_t share = 0;
  for (size_t i = 0; i < sizes.size(); ++i) {
    share = (left + sizes.size() - i - 1) / (sizes.size() - i);
    if (sizes[i] > share) break;
    left -= sizes[i];
    share = sizes[i];
  }
  std::vector<ReadRequest> requests;
  left = rows_max;
  for (const Spot& spot : spots) {
    const uint64_t rows = std::min({spot.rows, share, left});
    if (rows == 0) continue;
    left -= rows;
    requests.push_back({.file = spot.file,
                        .row_begin = spot.row_begin,
                        .row_end = spot.row_begin + rows,
                        .block_rows_max = kSampleBlockRows,
                        .non_filterable_keys = {}});
  }
  return requests;
}

Status PlanSample::Read(Source* source, uint64_t rows_max) {
  std::vector<ReadRequest> requests = SampleRequests(source->manifest(), rows_max);
  for (ReadRequest& request : requests) request.non_filterable_keys = rules_.non_filterable_keys;
  return source->ReadAll(requests, [&](const RowBlock& block) {
    uint64_t number = block.row_begin;
    for (const SourceRow& row : block.rows) Take(block.file, number++, row);
    return Status::Ok();
  });
}

void PlanSample::Take(uint32_t file, uint64_t number, const SourceRow& row) {
  ++rows_read_;
  const RejectRule rule = source::CheckRow(row, rules_.rows);
  if (rule != RejectRule::kNone) return Refuse(file, number, row, rule);
  wire::PutBodyWriter writer({}, {});
  (void)writer.TakeNew();                                         // its head
  (void)writer.Add(row.key, row.vector, row.metadata, SIZE_MAX);  // an empty body takes any
  body_bytes_ += writer.TakeNew().size() + 1;                     // and a comma
  key_bytes_ += row.key.size();
  metadata_bytes_ += row.metadata_bytes;
  ++rows_;
}

void PlanSample::Refuse(uint32_t file, uint64_t number, const SourceRow& row, RejectRule rule) {
  Refused& refused = refused_[rule];
  if (refused.rows++ > 0) return;
  refused.file = file;
  refused.row = number;
  refused.message = source::RejectMessage(row, rule, rules_.rows);
}

void PlanSample::Tell(const Manifest& manifest, LoadPlan* plan) const {
  plan->sample_rows = rows_;
  plan->sample_rows_read = rows_read_;
  for (const auto& [rule, refused] : refused_) {
    plan->sample_rejects.push_back({.rule = std::string(RejectRuleName(rule)),
                                    .rows = refused.rows,
                                    .file = manifest.files[refused.file].uri,
                                    .row = refused.row,
                                    .message = refused.message});
  }
  if (rows_ == 0) return;
  plan->key_bytes_mean = Mean(key_bytes_);
  plan->metadata_bytes_mean = Mean(metadata_bytes_);
}

double PlanSample::BodyBytesOfVector() const {
  if (rows_ > 0) return Mean(body_bytes_);
  return static_cast<double>(BodyBytesGuess(rules_.rows.dimension));
}

double PlanSample::Mean(uint64_t sum) const {
  return static_cast<double>(sum) / static_cast<double>(rows_);
}

}  // namespace vecload::load
