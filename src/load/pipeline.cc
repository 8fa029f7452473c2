#include "load/pipeline.h"

#include <unistd.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "wire/limits.h"

namespace vecload::load {
namespace {

constexpr uint64_t kMiB = 1 << 20;
// The documented limits per index.
constexpr double kVectorsPerS = 2'500;
constexpr double kRequestsPerS = 1'000;
constexpr uint64_t kBudgetDefault = 256 * kMiB;
// Ranges of 256 KiB, of which S3 takes as long as of shorter ones.
constexpr uint64_t kReadAheadMin = 2 * kMiB;
constexpr uint64_t kReadAheadPart = 8;  // of the memory, at the expense of the bodies
constexpr uint32_t kInFlightDefaultMax = 256;
// Encoding and hashing take 10 us of a 1024-d vector, reading and sending 6 on a thread each: half
// of the cores leave room for those, and four encoders are more than one sender can follow.
constexpr uint32_t kEncodersDefaultMax = 4;
// A first guess of JSON bytes a float, comma included; then it is measured.
constexpr uint64_t kFloatBytes = 13;
constexpr uint64_t kRowOverheadBytes = 128;
// Small blocks stay in the cache from the decoder to the encoder.
constexpr uint64_t kBlockBytes = 2 * kMiB;
constexpr uint32_t kBlockRowsMax = 500;
// How soon a stop request is seen and progress is shown.
constexpr Duration kTick = std::chrono::milliseconds(100);
constexpr Duration kProgressEvery = std::chrono::milliseconds(500);

uint64_t MachineMemory() {
  return static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) *
         static_cast<uint64_t>(sysconf(_SC_PAGE_SIZE));
}

uint32_t Encoders(const LoadOptions& options) {
  if (options.encoders > 0) return options.encoders;
  return std::clamp(std::thread::hardware_concurrency() / 2, 1U, kEncodersDefaultMax);
}

// As many vectors as fit a body with a little to spare.
uint32_t FittingVectors(uint64_t bytes_per_vector, uint32_t vectors_max) {
  const uint64_t fitting = wire::kBodyBytesMax / 100 * 99 / std::max<uint64_t>(1, bytes_per_vector);
  return static_cast<uint32_t>(std::clamp<uint64_t>(fitting, 1, vectors_max));
}

uint32_t BlockRows(uint32_t dimension) {
  const uint64_t row_bytes = sizeof(float) * std::max(1U, dimension);
  return static_cast<uint32_t>(std::clamp<uint64_t>(kBlockBytes / row_bytes, 1, kBlockRowsMax));
}

std::vector<ReadRequest> WhatIsLeft(const Pipeline::Parts& parts) {
  const Manifest& manifest = parts.source->manifest();
  const ReadingPlan& plan = parts.plan != nullptr ? *parts.plan : ReadingPlan::Whole(manifest);
  return plan.Requests(manifest, parts.journal,
                       {.block_rows_max = BlockRows(parts.index.dimension),
                        .non_filterable_keys = parts.index.non_filterable_keys});
}

uint64_t RowsTotal(const Pipeline::Parts& parts) {
  if (parts.journal != nullptr) return parts.journal->rows_total();
  return parts.plan != nullptr ? parts.plan->rows() : parts.source->manifest().rows;
}

Tally MakeTally(const Pipeline::Parts& parts, TimePoint now) {
  return {RowsTotal(parts), parts.journal == nullptr ? journal::Counts() : parts.journal->counts(),
          now};
}

// Whether an earlier run of the job had rows acknowledged.
bool AcknowledgedBefore(const Pipeline::Parts& parts) {
  return parts.journal != nullptr && parts.journal->counts().acknowledged() > 0;
}

// What reading ahead takes of the memory for bodies.
uint64_t ReadAheadTaken(const Pipeline::Parts& parts) {
  const bool far = std::ranges::any_of(parts.source->manifest().files,
                                       [](const SourceFile& file) { return IsOnS3(file.uri); });
  return far ? MemoryBytesMax(*parts.options) / kReadAheadPart : 0;
}

Scheduler::Options SchedulerOptions(const Pipeline::Parts& parts) {
  const LoadOptions& options = *parts.options;
  return {.pace = {.rate_vectors_per_s =
                       options.rate_vectors_per_s.value_or(kVectorsPerS / options.parts),
                   .rate_requests_per_s =
                       options.rate_requests_per_s.value_or(kRequestsPerS / options.parts),
                   .burst_vectors = static_cast<double>(options.batch_vectors_max),
                   .beyond_limit = options.rate_auto},
          .in_flight_max = options.in_flight_max > 0 ? options.in_flight_max : kInFlightDefaultMax,
          .give_up_after = options.give_up_after,
          .acknowledged_before = AcknowledgedBefore(parts),
          .seed = static_cast<uint64_t>(Clock::System().WallNow().time_since_epoch().count())};
}

}  // namespace

uint64_t MemoryBytesMax(const LoadOptions& options) {
  if (options.memory_bytes_max > 0) return options.memory_bytes_max;
  return std::min(kBudgetDefault, MachineMemory() / 4);
}

uint64_t ReadAheadBytesMax(const LoadOptions& options) {
  return std::max(kReadAheadMin, MemoryBytesMax(options) / kReadAheadPart);
}

Pipeline::Pipeline(Parts parts)
    : parts_(std::move(parts)),
      to_read_(WhatIsLeft(parts_)),
      encoders_(Encoders(*parts_.options)),
      body_bytes_per_vector_(parts_.index.dimension * kFloatBytes + kRowOverheadBytes),
      // Rows wait as floats for a short while only; most of the memory is for bodies that wait
      // for their answers.
      block_budget_(MemoryBytesMax(*parts_.options) / 4),
      body_budget_(MemoryBytesMax(*parts_.options) / 4 * 3 - ReadAheadTaken(parts_)),
      cut_(encoders_),
      scheduler_(SchedulerOptions(parts_), clock_.Now()),
      tally_(MakeTally(parts_, clock_.Now())),
      ledger_({.rejects = parts_.rejects,
               .journal = parts_.journal,
               .manifest = &parts_.source->manifest(),
               .tally = &tally_}),
      subject_(parts_.index.name.ToString()),
      divider_(parts_.index.name, &buffers_, wire::kBodyBytesMax) {
  batch_vectors_max_ = FittingVectors(body_bytes_per_vector_, parts_.options->batch_vectors_max);
}

LoadReport Pipeline::Run() {
  StartThreads();
  const Status status = Schedule();
  StopThreads();
  return MakeReport(Finish(status.ok() ? read_status_ : status));
}

Status Pipeline::Finish(const Status& status) {
  return ledger_.Finish(status.ok() ? scheduler_.stop_reason() : status, clock_.WallNow());
}

void Pipeline::StartThreads() {
  encoders_running_ = encoders_;
  threads_.emplace_back([this] { ReadSource(); });
  for (uint32_t i = 0; i < encoders_; ++i) threads_.emplace_back([this] { EncodeBatches(); });
}

void Pipeline::StopThreads() {
  cancelled_ = true;
  block_budget_.Cancel();
  body_budget_.Cancel();
  cut_.Close();
  for (std::thread& thread : threads_) thread.join();
  if (refresh_.joinable()) refresh_.join();
}

void Pipeline::ReadSource() {
  const IndexInfo& index = parts_.index;
  BatchCutter cutter(
      {.dimension = index.dimension, .metric = index.metric}, &batch_vectors_max_,
      [this](CutBatch batch) {
        if (cut_.Push(std::move(batch))) return Status::Ok();
        return Status::Cancelled("the load is stopping");
      },
      {.duplicates = parts_.duplicates,
       .all_rejected_max = AcknowledgedBefore(parts_) ? UINT64_MAX : BatchCutter::kAllRejectedMax});
  const auto begin = clock_.Now();
  Duration in_cutter{};
  const Status status = parts_.source->ReadAll(
      to_read_, [&](RowBlock block) { return TakeBlock(std::move(block), &cutter, &in_cutter); });
  times_.read.Add(clock_.Now() - begin - in_cutter);
  // Rows that were read before a failure are good.
  const Status finished = cutter.Finish();
  read_status_ = status.ok() ? finished : status;
  cut_.Close();
}

Status Pipeline::TakeBlock(RowBlock block, BatchCutter* cutter, Duration* in_cutter) {
  const auto begin = clock_.Now();
  const uint64_t bytes = block.bytes;
  const MemoryBudget::Waited waited = block_budget_.Acquire(bytes, cutter->blocks_held());
  times_.wait_memory.Add(waited.for_bytes);
  if (!waited.granted) return Status::Cancelled("the load is stopping");
  const std::shared_ptr<const RowBlock> shared(new RowBlock(std::move(block)),
                                               [this, bytes](const RowBlock* spent) {
                                                 delete spent;
                                                 block_budget_.Release(bytes);
                                               });
  const Status status = cutter->Add(shared);
  *in_cutter += clock_.Now() - begin;
  return status;
}

void Pipeline::EncodeBatches() {
  Encoder encoder(parts_.index.name, &buffers_, wire::kBodyBytesMax);
  while (std::optional<CutBatch> cut = cut_.Pop()) {
    if (cancelled_) break;
    EncodeBatch(*std::move(cut), &encoder);
  }
  if (encoders_running_.fetch_sub(1) == 1) events_.Push(SourceEndedEvent{});
}

void Pipeline::EncodeBatch(CutBatch cut, Encoder* encoder) {
  const uint64_t estimated = cut.rows.size() * body_bytes_per_vector_.load();
  const MemoryBudget::Waited waited = body_budget_.Acquire(estimated);
  times_.wait_memory.Add(waited.for_bytes);
  if (!waited.granted) return;
  const auto begin = clock_.Now();
  std::vector<EncodedBatch> encoded = encoder->Encode(std::move(cut));
  times_.encode.Add(clock_.Now() - begin);
  uint64_t bytes = 0;
  for (const EncodedBatch& batch : encoded) bytes += batch.body.bytes.capacity();
  body_budget_.Adjust(estimated, bytes);
  LearnBatchSize(encoded.front());
  // The first one carries the charge of all, so that each holder is released once.
  uint64_t charged_bytes = bytes;
  for (EncodedBatch& batch : encoded) {
    events_.Push(EncodedEvent{std::move(batch), std::exchange(charged_bytes, UINT64_MAX)});
  }
}

void Pipeline::LearnBatchSize(const EncodedBatch& batch) {
  if (batch.ids.empty()) return;
  const uint64_t bytes_per_vector = batch.body.text().size() / batch.ids.size();
  body_bytes_per_vector_ = bytes_per_vector;
  batch_vectors_max_ = FittingVectors(bytes_per_vector, parts_.options->batch_vectors_max);
}

Status Pipeline::Schedule() {
  while (true) {
    TimePoint now = clock_.Now();
    const Action action = scheduler_.Next(now);
    if (action.kind == Action::Kind::kFinish) return action.status;
    if (action.kind != Action::Kind::kWait) {
      Perform(action);
      continue;
    }
    CheckStops();
    if (ledger_.CommitDue(now)) CommitLedger();
    ShowProgress(now);
    // Enough bodies to keep what may be in flight in flight, and no heap of them ready.
    body_budget_.SetHoldersMax(scheduler_.in_flight_limit() + 2 * encoders_);
    now = clock_.Now();
    std::optional<Event> event = events_.Pop(std::min(action.until, now + kTick));
    while (event.has_value()) {
      Handle(*std::move(event));
      event = events_.Pop(TimePoint{});  // long past: does not wait
    }
  }
}

void Pipeline::Handle(Event event) {
  const TimePoint now = clock_.Now();
  if (auto* encoded = std::get_if<EncodedEvent>(&event)) {
    const BatchId id = next_id_++;
    const size_t vectors = encoded->batch.ids.size();
    live_[id] = {.batch = std::make_shared<EncodedBatch>(std::move(encoded->batch)),
                 .charged_bytes = encoded->charged_bytes};
    scheduler_.OnBatch(id, vectors, now);
  } else if (auto* answered = std::get_if<AnsweredEvent>(&event)) {
    client::Outcome& outcome = answered->outcome;
    if (!outcome.status.ok()) live_.at(answered->batch).refusal = outcome.status.message();
    const Answer answer{std::move(outcome.status), std::move(outcome.named_records),
                        outcome.retry_after, outcome.latency};
    tally_.OnAnswer(answer);
    scheduler_.OnAnswer(answered->batch, answer, now);
  } else if (auto* refreshed = std::get_if<RefreshedEvent>(&event)) {
    scheduler_.OnRefreshed(refreshed->status);
  } else {
    scheduler_.OnSourceEnd();
  }
}

void Pipeline::Perform(const Action& action) {
  switch (action.kind) {
    case Action::Kind::kSend:
      return Send(action.batch);
    case Action::Kind::kCommit:
      return Commit(action.batch);
    case Action::Kind::kReject:
      return RejectRecords(action.batch, action.records);
    case Action::Kind::kHalve:
      return Halve(action);
    case Action::Kind::kRefresh:
      return RefreshCredentials();
    case Action::Kind::kWait:
    case Action::Kind::kFinish:
      return;
  }
}

void Pipeline::Send(BatchId id) {
  Live& live = live_.at(id);
  const std::shared_ptr<EncodedBatch> batch = live.batch;
  tally_.OnSend(!std::exchange(live.sent, true), batch->body.text().size());
  parts_.caller->Start(
      "PutVectors", batch->body.text(), batch->payload_hash, batch,
      [this, id](client::Outcome outcome) { events_.Push(AnsweredEvent{id, std::move(outcome)}); });
}

void Pipeline::Commit(BatchId id) {
  auto node = live_.extract(id);
  Live& live = node.mapped();
  EncodedBatch& batch = *live.batch;
  const TimePoint now = clock_.Now();
  StopUnlessOk(ledger_.Settle(batch.coverage, batch.ids.size(), now));
  times_.journal.Add(clock_.Now() - now);
  if (live.charged_bytes != UINT64_MAX) body_budget_.Release(live.charged_bytes);
  if (batch.body.bytes.capacity() > 0) buffers_.Give(std::move(batch.body.bytes));
}

void Pipeline::CommitLedger() {
  const TimePoint begin = clock_.Now();
  StopUnlessOk(ledger_.Commit(begin));
  times_.journal.Add(clock_.Now() - begin);
}

void Pipeline::StopUnlessOk(const Status& status) {
  if (!status.ok()) scheduler_.OnStop(status);
}

void Pipeline::RejectRecords(BatchId id, const std::vector<size_t>& records) {
  Live& live = live_.at(id);
  const EncodedBatch& batch = *live.batch;
  std::vector<size_t> kept;
  for (size_t record = 0; record < batch.ids.size(); ++record) {
    if (!std::ranges::binary_search(records, record)) kept.push_back(record);
  }
  EncodedBatch rest;
  if (!kept.empty()) rest = divider_.Select(batch, kept);
  rest.coverage = batch.coverage;
  for (const size_t record : records) {
    Reject reject{.id = batch.ids[record],
                  .key_json = std::string(batch.body.key_json(record)),
                  .rule = RejectRule::kServiceRefused,
                  .message = live.refusal};
    const auto place = std::ranges::lower_bound(rest.coverage.rejects, reject.id, {}, &Reject::id);
    rest.coverage.rejects.insert(place, std::move(reject));
  }
  refused_ += records.size();
  live.batch = std::make_shared<EncodedBatch>(std::move(rest));
  if (refused_ >= BatchCutter::kAllRejectedMax && tally_.acknowledged() == 0 &&
      !AcknowledgedBefore(parts_)) {
    scheduler_.OnStop(Status::InvalidArgument(fmt::format(
        "the service refused the first {} rows that it was sent, the last one because {}", refused_,
        live.refusal)));
  }
}

void Pipeline::Halve(const Action& action) {
  Live& live = live_.at(action.batch);
  auto [head, tail] = divider_.Divide(std::move(*live.batch), action.divide_at);
  live.batch = std::make_shared<EncodedBatch>(std::move(head));
  live_[action.tail] = {.batch = std::make_shared<EncodedBatch>(std::move(tail)),
                        .charged_bytes = UINT64_MAX};
}

void Pipeline::RefreshCredentials() {
  // May call out to a process or a network; the scheduler goes on counting meanwhile.
  if (refresh_.joinable()) refresh_.join();
  refresh_ =
      std::thread([this] { events_.Push(RefreshedEvent{parts_.caller->RefreshCredentials()}); });
}

void Pipeline::CheckStops() {
  const LoadOptions& options = *parts_.options;
  if (options.stop != nullptr && *options.stop) {
    scheduler_.OnStop(Status::Cancelled("stopped on request; what was in flight was answered"));
  }
  if (options.rejects_max.has_value() && tally_.rejected() > *options.rejects_max) {
    scheduler_.OnStop(
        Status::InvalidArgument(fmt::format("{} rows were rejected, more than --max-rejects {}",
                                            tally_.rejected(), *options.rejects_max)));
  }
}

void Pipeline::ShowProgress(TimePoint now) {
  if (!parts_.options->on_progress || now < next_progress_) return;
  next_progress_ = now + kProgressEvery;
  parts_.options->on_progress(tally_.Progress(scheduler_, now));
}

LoadReport Pipeline::MakeReport(const Status& status) {
  const TimePoint now = clock_.Now();
  if (parts_.options->on_progress) {
    parts_.options->on_progress(tally_.Progress(scheduler_, now));
  }
  LoadReport report = tally_.Report(scheduler_, times_, encoders_, now);
  report.status = status;
  report.exit_code = !status.ok() ? 4 : report.vectors_rejected > 0 ? 3 : 0;
  return report;
}

}  // namespace vecload::load
