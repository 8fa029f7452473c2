#include "load/scheduler.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/check.h"
#include "pace/backoff.h"

namespace vecload::load {
namespace {

// Batch ids are the owner's; the tails of halved batches get ids from a range that it does not use.
constexpr BatchId kTailIds = BatchId{1} << 63;
// After so many failures in a row with no answer of another kind, one probe at a time goes out: a
// service that is down is not helped by a storm.
constexpr uint32_t kCircuitFailures = 16;
// So many whole batches that halve to nothing but bad rows mean that the mistake is
// not in the rows.
constexpr uint32_t kRootsAllBadMax = 2;
constexpr Duration kPatienceBeforeFirst = std::chrono::minutes(1);

}  // namespace

Scheduler::Scheduler(const Options& options, TimePoint now)
    : options_(options),
      pacer_(options.pace, now),
      concurrency_(options.in_flight_max),
      random_(options.seed),
      last_progress_(now),
      waiting_since_(now) {}

void Scheduler::OnBatch(BatchId id, size_t vectors, TimePoint now) {
  CHECK(id < kTailIds);
  // Patience counts time in which something could have been acknowledged.
  if (batches_.empty()) last_progress_ = now;
  const bool is_new = batches_.emplace(id, Batch{.vectors = vectors, .root = id}).second;
  CHECK(is_new);
  if (vectors == 0) {
    Settle(id);
  } else {
    ready_.push_back(id);
  }
}

void Scheduler::OnSourceEnd() { source_ended_ = true; }

void Scheduler::OnStop(const Status& reason) {
  if (stopping_) return;
  stopping_ = true;
  stop_reason_ = reason;
}

void Scheduler::OnRefreshed(const Status& status) {
  refreshing_ = false;
  if (!status.ok()) OnStop(status.WithContext("the credentials expired and cannot be refreshed"));
}

void Scheduler::OnAnswer(BatchId id, const Answer& answer, TimePoint now) {
  CHECK(in_flight_ > 0);
  const auto found = batches_.find(id);
  CHECK(found != batches_.end());
  const Batch& batch = found->second;
  const pace::Remedy remedy =
      pace::DecideRemedy(answer.status, {.names_records = !answer.named_records.empty(),
                                         .refreshed = batch.refreshed,
                                         .clock_mended = batch.clock_mended});
  if (remedy == pace::Remedy::kDone) {
    concurrency_.OnAnswer(answer.latency, RequestsPerS(), in_flight_);
  } else {
    last_failure_ = answer.status;
  }
  --in_flight_;
  ApplyRemedy(id, remedy, answer, now);
}

void Scheduler::ApplyRemedy(BatchId id, pace::Remedy remedy, const Answer& answer, TimePoint now) {
  Batch& batch = batches_.at(id);
  // Anything but a transient failure shows that the service is there and thinks.
  const bool transient = remedy == pace::Remedy::kRetry || remedy == pace::Remedy::kRetrySlower;
  if (!transient) failures_in_a_row_ = 0;
  if (remedy != pace::Remedy::kRefreshCredentials && remedy != pace::Remedy::kMendClock) {
    // Keys and clock were good, and may have to be mended again: a batch can be tried for longer
    // than keys live.
    batch.refreshed = batch.clock_mended = false;
  }
  switch (remedy) {
    case pace::Remedy::kDone:
      Acknowledge(id, now);
      return;
    case pace::Remedy::kRetrySlower:
      pacer_.OnThrottled(now - answer.latency, now);
      [[fallthrough]];
    case pace::Remedy::kRetry:
      ++failures_in_a_row_;
      RetryLater(id, answer, now);
      return;
    case pace::Remedy::kRejectNamed:
      RejectRecords(id, answer.named_records);
      return;
    case pace::Remedy::kHalve:
      if (batch.vectors == 1) {
        RejectRecords(id, {0});
      } else {
        Halve(id);
      }
      return;
    case pace::Remedy::kRefreshCredentials:
      batch.refreshed = true;
      ready_.push_front(id);
      if (!refreshing_) actions_.push_back({.kind = Action::Kind::kRefresh});
      refreshing_ = true;
      return;
    case pace::Remedy::kMendClock:
      batch.clock_mended = true;
      ready_.push_front(id);
      return;
    case pace::Remedy::kStop:
      // Not settled: its rows remain to do.
      OnStop(answer.status);
      return;
  }
}

void Scheduler::Acknowledge(BatchId id, TimePoint now) {
  anything_acknowledged_ = true;
  last_progress_ = now;
  const BatchId root = batches_.at(id).root;
  Settle(id);
  PieceDone(root, true);
}

void Scheduler::Settle(BatchId id) {
  batches_.erase(id);
  actions_.push_back({.kind = Action::Kind::kCommit, .batch = id});
}

void Scheduler::RejectRecords(BatchId id, std::vector<size_t> records) {
  Batch& batch = batches_.at(id);
  // A service that names records that were not sent cannot be followed.
  std::erase_if(records, [&](size_t record) { return record >= batch.vectors; });
  if (records.empty()) {
    if (batch.vectors > 1) return Halve(id);
    records = {0};
  }
  batch.vectors -= records.size();
  const bool empty = batch.vectors == 0;
  const BatchId root = batch.root;
  actions_.push_back({.kind = Action::Kind::kReject, .batch = id, .records = std::move(records)});
  if (!empty) {
    ready_.push_front(id);
    return;
  }
  Settle(id);
  PieceDone(root, false);
}

void Scheduler::Halve(BatchId id) {
  Batch& batch = batches_.at(id);
  const BatchId tail = kTailIds + tails_made_++;
  const size_t divide_at = (batch.vectors + 1) / 2;
  Root& root = roots_[batch.root];
  ++root.pieces;
  const bool is_new =
      batches_.emplace(tail, Batch{.vectors = batch.vectors - divide_at, .root = batch.root})
          .second;
  CHECK(is_new);
  batches_.at(id).vectors = divide_at;
  actions_.push_back(
      {.kind = Action::Kind::kHalve, .batch = id, .tail = tail, .divide_at = divide_at});
  ready_.push_front(tail);
  ready_.push_front(id);
}

void Scheduler::PieceDone(BatchId root_id, bool acknowledged) {
  const auto found = roots_.find(root_id);
  if (found == roots_.end()) return;
  Root& root = found->second;
  root.any_acknowledged |= acknowledged;
  if (--root.pieces > 0) return;
  if (!root.any_acknowledged) ++roots_all_bad_;
  roots_.erase(found);
  if (roots_all_bad_ >= kRootsAllBadMax && !anything_acknowledged_ &&
      !options_.acknowledged_before) {
    OnStop(last_failure_.WithContext(fmt::format(
        "the service refused every row of {} whole batches, so the rows are not what is wrong",
        roots_all_bad_)));
  }
}

void Scheduler::RetryLater(BatchId id, const Answer& answer, TimePoint now) {
  Batch& batch = batches_.at(id);
  ++batch.failures;
  const Duration wait = std::max(answer.retry_after, pace::FullJitter(batch.failures, &random_));
  retries_.push({now + wait, id});
}

void Scheduler::MoveDueRetries(TimePoint now) {
  while (!retries_.empty() && retries_.top().due <= now) {
    ready_.push_front(retries_.top().batch);
    retries_.pop();
  }
}

uint32_t Scheduler::InFlightAllowed() const {
  return failures_in_a_row_ >= kCircuitFailures ? 1 : concurrency_.limit();
}

double Scheduler::RequestsPerS() const {
  if (pacer_.rate_vectors_per_s() <= 0 || mean_vectors_ <= 0) return 0;
  return pacer_.rate_vectors_per_s() / mean_vectors_;
}

Duration Scheduler::Patience() const {
  return anything_acknowledged_ ? options_.give_up_after
                                : std::min(options_.give_up_after, kPatienceBeforeFirst);
}

void Scheduler::CheckPatience(TimePoint now) {
  if (batches_.empty() || stopping_ || now - last_progress_ < Patience()) return;
  const std::string waited =
      fmt::format("no batch was acknowledged for {:.0f} s{}", Seconds(now - last_progress_),
                  anything_acknowledged_ ? " (--give-up-after)" : "");
  OnStop(last_failure_.ok() ? Status::Unavailable(waited) : last_failure_.WithContext(waited));
}

std::optional<Action> Scheduler::NextSend(TimePoint now) {
  if (ready_.empty() || refreshing_) return std::nullopt;
  if (in_flight_ >= InFlightAllowed()) return WaitUntil(TimePoint::max(), Waiting::kInFlight);
  const BatchId id = ready_.front();
  const auto vectors = static_cast<double>(batches_.at(id).vectors);
  const TimePoint ready_at = pacer_.ReadyAt(vectors, now);
  if (ready_at > now) return WaitUntil(ready_at, Waiting::kTokens);
  ready_.pop_front();
  pacer_.OnSend(vectors, now);
  mean_vectors_ = mean_vectors_ == 0 ? vectors : mean_vectors_ + 0.1 * (vectors - mean_vectors_);
  ++in_flight_;
  return Action{.kind = Action::Kind::kSend, .batch = id};
}

Action Scheduler::Next(TimePoint now) {
  AccountWait(now);
  MoveDueRetries(now);
  CheckPatience(now);
  if (!actions_.empty()) {
    Action action = std::move(actions_.front());
    actions_.pop_front();
    return action;
  }
  if (stopping_) {
    if (in_flight_ > 0) return WaitUntil(TimePoint::max(), Waiting::kNothing);
    return {.kind = Action::Kind::kFinish, .status = stop_reason_};
  }
  std::optional<Action> send = NextSend(now);
  if (send.has_value() && send->kind == Action::Kind::kSend) return *std::move(send);
  if (source_ended_ && batches_.empty()) return {.kind = Action::Kind::kFinish};
  Action wait =
      send.has_value() ? *std::move(send) : WaitUntil(TimePoint::max(), Waiting::kBatches);
  if (!retries_.empty()) wait.until = std::min(wait.until, retries_.top().due);
  if (!batches_.empty()) wait.until = std::min(wait.until, last_progress_ + Patience());
  return wait;
}

Action Scheduler::WaitUntil(TimePoint until, Waiting reason) {
  waiting_ = reason;
  return {.kind = Action::Kind::kWait, .until = until};
}

void Scheduler::AccountWait(TimePoint now) {
  const Duration waited = std::max(Duration{}, now - waiting_since_);
  switch (waiting_) {
    case Waiting::kTokens:
      wait_times_.tokens += waited;
      break;
    case Waiting::kInFlight:
      wait_times_.in_flight += waited;
      break;
    case Waiting::kBatches:
      wait_times_.batches += waited;
      break;
    case Waiting::kNothing:
      break;
  }
  waiting_ = Waiting::kNothing;
  waiting_since_ = now;
}

}  // namespace vecload::load
