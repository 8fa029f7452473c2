// What a pipeline tells of itself while it runs, and at its end.
#include "load/pipeline.h"

namespace vecload::load {
namespace {

constexpr Duration kProgressEvery = std::chrono::milliseconds(500);

}  // namespace

void Pipeline::ShowProgress(TimePoint now) {
  if (!parts_.options->on_progress || now < next_progress_) return;
  next_progress_ = now + kProgressEvery;
  if (parts_.IsOpenEnded()) tally_.SetRowsTotal(parts_.source->RowsKnown());
  parts_.options->on_progress(MakeProgress(now));
}

JobProgress Pipeline::MakeProgress(TimePoint now) {
  Standing standing = Stand();
  if (parts_.is_sharded) {
    for (const Lane& lane : lanes_) {
      standing.shards.push_back({.index = lane.subject,
                                 .vectors_acknowledged = lane.acknowledged,
                                 .rate_vectors_per_s = lane.scheduler.rate_vectors_per_s(),
                                 .in_flight = lane.scheduler.in_flight(),
                                 .throttled = lane.throttled});
    }
  }
  JobProgress progress = tally_.Progress(standing, now);
  files_.Tell(&progress);
  if (parts_.IsOpenEnded()) progress.eta_s.reset();
  return progress;
}

Standing Pipeline::Stand() const {
  Standing standing{
      .limit_vectors_per_s = parts_.LimitVectorsPerS() * static_cast<double>(lanes_.size()),
      .encoders = encoders_,
      .spent = {.read = times_.read.get(),
                .encode = times_.encode.get(),
                .wait_memory = times_.wait_memory.get(),
                .journal = times_.journal.get()}};
  WaitTimes& waits_of_all = standing.spent.waits;
  for (const Lane& lane : lanes_) {
    standing.in_flight += lane.scheduler.in_flight();
    standing.rate_vectors_per_s += lane.scheduler.rate_vectors_per_s();
    const WaitTimes& waits = lane.scheduler.wait_times();
    waits_of_all.tokens += waits.tokens / lanes_.size();
    waits_of_all.in_flight += waits.in_flight / lanes_.size();
    waits_of_all.batches += waits.batches / lanes_.size();
  }
  return standing;
}

std::vector<ShardReport> Pipeline::ReportShards() const {
  std::vector<ShardReport> reports;
  for (const Lane& lane : lanes_) {
    const double seconds = Seconds(lane.last_acknowledged - started_);
    reports.push_back(
        {.index = lane.subject,
         .vectors_acknowledged = lane.acknowledged,
         .vectors_per_s = seconds > 0 ? static_cast<double>(lane.acknowledged) / seconds : 0,
         .throttled = lane.throttled});
  }
  return reports;
}

JobReport Pipeline::MakeReport(const Status& status) {
  const TimePoint now = clock_.Now();
  if (parts_.options->on_progress) {
    parts_.options->on_progress(MakeProgress(now));
  }
  JobReport report = tally_.Report(Stand(), now);
  report.status = status;
  report.kind = parts_.kind;
  if (parts_.is_sharded) report.shards = ReportShards();
  report.exit_code = !status.ok() ? 4 : report.vectors_rejected > 0 ? 3 : 0;
  return report;
}

}  // namespace vecload::load
