#include "sim/loader.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/check.h"

namespace vecload::sim {
namespace {

// Bodies that wait to be sent, as in the pipeline.
constexpr size_t kReadyBatches = 4;
// As often as the pipeline looks whether a commit is due.
constexpr Duration kTick = std::chrono::milliseconds(100);
constexpr Duration kRefreshTime = std::chrono::milliseconds(300);
// The pacer lets a tenth of a second's requests go at once, at most these.
constexpr double kBurstRequestsMax = 100;

load::Scheduler::Options SchedulerOptions(const Scenario& scenario, const journal::Journal& journal,
                                          uint64_t seed) {
  return {.pace = {.rate_vectors_per_s = scenario.rate_vectors_per_s,
                   .rate_requests_per_s = scenario.rate_requests_per_s,
                   .burst_vectors = static_cast<double>(scenario.batch_vectors),
                   .beyond_limit = scenario.rate_auto},
          .in_flight_max = scenario.in_flight_max,
          .give_up_after = scenario.give_up_after,
          .acknowledged_before = journal.counts().acknowledged() > 0,
          .seed = seed};
}

}  // namespace

bool RateCheck::Take(double count, TimePoint now) {
  owed_ = std::max(0.0, owed_ - rate_per_s_ * Seconds(now - last_)) + count;
  last_ = now;
  return rate_per_s_ <= 0 || owed_ <= burst_ * (1 + 1e-6);
}

LoaderRun::LoaderRun(const Parts& parts)
    : parts_(parts),
      tally_(parts.journal->rows_total(), parts.journal->counts(), parts.world->Now()),
      ledger_({.rejects = parts.rejects,
               .journal = parts.journal,
               .manifest = parts.manifest,
               .tally = &tally_}),
      scheduler_(SchedulerOptions(parts.job->scenario(), *parts.journal, parts.seed),
                 parts.world->Now()),
      source_(parts.job, *parts.journal, static_cast<uint32_t>(parts.manifest->files.size())),
      segments_at_start_(parts.journal->segments()),
      vectors_rate_(parts.job->scenario().rate_auto ? 0 : parts.job->scenario().rate_vectors_per_s,
                    parts.job->scenario().batch_vectors),
      requests_rate_(
          parts.job->scenario().rate_requests_per_s,
          std::clamp(parts.job->scenario().rate_requests_per_s / 10, 1.0, kBurstRequestsMax)),
      last_activity_(parts.world->Now()) {}

LoaderRun::End LoaderRun::Run(const Ending& ending) {
  if (ending.crash_at_disk_change != UINT64_MAX) {
    parts_.disk->CutPowerAfter(ending.crash_at_disk_change);
  }
  while (true) {
    if (++counts_.steps >= ending.crash_at_step) parts_.disk->CutPowerAfter(0);
    if (!parts_.disk->HasPower() || parts_.violations->any()) return End::kCrashed;
    if (counts_.steps >= ending.stop_at_step) {
      scheduler_.OnStop(Status::Cancelled("stopped on request"));
    }
    const load::Action action = scheduler_.Next(parts_.world->Now());
    if (action.kind == load::Action::Kind::kFinish) {
      status_ = action.status;
      break;
    }
    if (!Perform(action) && !Feed()) Wait(action.until);
  }
  status_ = ledger_.Finish(status_, parts_.world->clock().WallNow());
  if (!parts_.disk->HasPower()) return End::kCrashed;
  CheckReport();
  return status_.ok() ? End::kDone : End::kStopped;
}

// False: there is nothing to perform.
bool LoaderRun::Perform(const load::Action& action) {
  switch (action.kind) {
    case load::Action::Kind::kSend:
      Send(action.batch);
      return true;
    case load::Action::Kind::kCommit:
      Settle(action.batch);
      return true;
    case load::Action::Kind::kReject:
      live_.at(action.batch).Reject(*parts_.job, action.records);
      return true;
    case load::Action::Kind::kHalve:
      live_[action.tail] = live_.at(action.batch).DivideAt(*parts_.job, action.divide_at);
      return true;
    case load::Action::Kind::kRefresh:
      parts_.world->After(kRefreshTime, [inbox = inbox_, caller = parts_.caller] {
        // Nobody is left to refresh for when the run is over.
        if (inbox.use_count() > 1) inbox->refreshed.push_back(caller->RefreshCredentials());
      });
      return true;
    case load::Action::Kind::kWait:
    case load::Action::Kind::kFinish:
      break;
  }
  return false;
}

void LoaderRun::Send(load::BatchId id) {
  SimBatch& batch = live_.at(id);
  CheckRate(batch.vectors());
  const auto body = std::make_shared<const std::string>(BodyOf(batch.rows));
  tally_.OnSend(!std::exchange(batch.sent, true), body->size());
  parts_.caller->Start("PutVectors", *body, auth::PayloadHash{}, body,
                       [inbox = std::weak_ptr(inbox_), id](client::Outcome outcome) {
                         const auto open = inbox.lock();
                         if (open != nullptr) open->answers.emplace_back(id, std::move(outcome));
                       });
}

void LoaderRun::CheckRate(size_t vectors) {
  last_activity_ = parts_.world->Now();
  if (!vectors_rate_.Take(static_cast<double>(vectors), last_activity_) ||
      !requests_rate_.Take(1, last_activity_)) {
    parts_.violations->Add("sent faster than the rate limit allows");
  }
}

void LoaderRun::Settle(load::BatchId id) {
  const auto node = live_.extract(id);
  CHECK(!node.empty());
  const SimBatch& batch = node.mapped();
  for (const RowRange& range : batch.rows) {
    for (uint64_t row = parts_.service->index().FirstMissing(range); row < range.end;
         row = parts_.service->index().FirstMissing({row + 1, range.end})) {
      if (parts_.service->Holds(row)) continue;
      parts_.violations->Add(fmt::format("row {} is settled, and was never put", row));
    }
  }
  counts_.acknowledged += batch.vectors();
  counts_.batches_not_committed_max =
      std::max(counts_.batches_not_committed_max, ++batches_not_committed_);
  const Status settled =
      ledger_.Settle(batch.coverage.rejects, batch.coverage.Settled(), parts_.world->Now());
  if (settled.code() == Code::kInternal) parts_.violations->Add(settled.ToString());
  if (!settled.ok()) scheduler_.OnStop(settled);
  CheckSegments();
}

// The journal's size follows the files and what is under way, not the batches that are done.
void LoaderRun::CheckSegments() {
  const size_t segments = parts_.journal->segments();
  counts_.journal_segments_max = std::max(counts_.journal_segments_max, segments);
  // Each live batch may hold apart as many segments as it is made of.
  const size_t under_way = (live_.size() + 1) * load::Coverage::kSegmentsMax;
  const size_t bound = segments_at_start_ + parts_.manifest->files.size() + under_way + 1;
  if (segments > bound) {
    parts_.violations->Add(
        fmt::format("the journal has {} segments, {} should do", segments, bound));
  }
}

void LoaderRun::Commit() {
  const Status committed = ledger_.Commit(parts_.world->Now());
  if (committed.ok()) {
    batches_not_committed_ = 0;
  } else {
    scheduler_.OnStop(committed);
  }
}

bool LoaderRun::Feed() {
  if (source_ended_ || live_.size() >= scheduler_.in_flight_limit() + kReadyBatches) return false;
  std::optional<SimBatch> batch = source_.Next();
  if (!batch.has_value()) {
    source_ended_ = true;
    scheduler_.OnSourceEnd();
    return true;
  }
  const load::BatchId id = next_id_++;
  const size_t vectors = batch->vectors();
  live_[id] = *std::move(batch);
  scheduler_.OnBatch(id, vectors, parts_.world->Now());
  return true;
}

void LoaderRun::Wait(TimePoint until) {
  const TimePoint now = parts_.world->Now();
  if (ledger_.CommitDue(now)) Commit();
  // A commit that failed is due still.
  until = std::min(until, std::max(ledger_.CommitDueAt(), now + kTick));
  // A scheduler that has anything to do gives up after a time.
  const TimePoint stuck_at =
      last_activity_ + 2 * parts_.job->scenario().give_up_after + std::chrono::hours(1);
  (void)parts_.world->Step(std::min(until, stuck_at));
  if (parts_.world->Now() >= stuck_at) parts_.violations->Add("the load is stuck");
  Handle();
}

void LoaderRun::Handle() {
  const TimePoint now = parts_.world->Now();
  while (!inbox_->answers.empty()) {
    auto [id, outcome] = std::move(inbox_->answers.front());
    inbox_->answers.pop_front();
    const load::Answer answer{std::move(outcome.status), std::move(outcome.named_records),
                              outcome.retry_after, outcome.latency};
    tally_.OnAnswer(answer);
    scheduler_.OnAnswer(id, answer, now);
  }
  while (!inbox_->refreshed.empty()) {
    scheduler_.OnRefreshed(inbox_->refreshed.front());
    inbox_->refreshed.pop_front();
  }
}

void LoaderRun::CheckReport() {
  const JobReport report = tally_.Report({}, parts_.world->Now());
  const uint64_t sum = report.vectors_acknowledged + report.vectors_resumed +
                       report.vectors_rejected + report.vectors_superseded + report.rows_remaining;
  if (report.rows_total != sum || report.vectors_acknowledged != counts_.acknowledged) {
    parts_.violations->Add(
        fmt::format("the report says {} acknowledged ({} were) and {} rows in all ({} are)",
                    report.vectors_acknowledged, counts_.acknowledged, sum, report.rows_total));
  }
}

}  // namespace vecload::sim
