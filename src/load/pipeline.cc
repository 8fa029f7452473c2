#include "load/pipeline.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "load/job_plan.h"
#include "load/operation.h"
#include "wire/limits.h"

namespace vecload::load {
namespace {

constexpr uint64_t kMiB = 1 << 20;
// A batch that goes so much late, since the processors were busy, costs no part of the rate: the
// tokens that came meanwhile are kept. The service tolerates bursts of a second and more.
constexpr double kLateMaxS = 0.05;
// Ranges of 256 KiB, of which S3 takes as long as of shorter ones.
constexpr uint64_t kReadAheadMin = 2 * kMiB;
constexpr uint64_t kReadAheadPart = 8;  // of the memory, at the expense of the bodies
constexpr uint32_t kInFlightDefaultMax = 256;
// Of many shards together: each answer that is awaited is a connection.
constexpr uint32_t kInFlightOfAllMax = 4096;
constexpr uint32_t kInFlightOfShardMin = 4;
// Cut batches of one of several shards that wait for an encoder: their batches become full at about
// the same time, so that one set is encoded while the next is filled.
constexpr size_t kWaitingOfShard = 2;
// How soon a reader that waits for memory looks whether a shard has nothing to send meanwhile.
constexpr Duration kMemoryTick = std::chrono::milliseconds(20);
// Encoding and hashing take 10 us of a 1024-d vector, reading and sending 6 on a thread each: half
// of the cores leave room for those, and four encoders are more than one sender can follow.
constexpr uint32_t kEncodersDefaultMax = 4;
// How soon a stop request is seen, and whether progress is due.
constexpr Duration kTick = std::chrono::milliseconds(100);
// Fewer rows are read sooner than the file is opened again and sought in.
constexpr uint64_t kLeaveRowsMin = 2'000;

uint32_t Encoders(const JobOptions& options) {
  if (options.encoders > 0) return options.encoders;
  return std::clamp(std::thread::hardware_concurrency() / 2, 1U, kEncodersDefaultMax);
}

std::vector<ReadRequest> WhatIsLeft(const Pipeline::Parts& parts) {
  const Manifest& manifest = parts.source->manifest();
  const ReadingPlan& plan = parts.plan != nullptr ? *parts.plan : ReadingPlan::Whole(manifest);
  return plan.Requests(manifest, parts.journal, RequestOf(parts.kind, parts.indexes.front()));
}

uint32_t Shards(const Pipeline::Parts& parts) {
  return static_cast<uint32_t>(parts.indexes.size());
}

uint64_t RowsTotal(const Pipeline::Parts& parts) {
  if (parts.journal != nullptr) return parts.journal->rows_total();
  return parts.plan != nullptr ? parts.plan->rows() : parts.source->manifest().rows;
}

Tally MakeTally(const Pipeline::Parts& parts, TimePoint now) {
  return {RowsTotal(parts), parts.journal == nullptr ? journal::Counts() : parts.journal->counts(),
          now};
}

FilesUnderWay MakeFiles(const Pipeline::Parts& parts) {
  if (parts.IsOpenEnded()) return {};
  const Manifest& manifest = parts.source->manifest();
  const ReadingPlan whole = ReadingPlan::Whole(manifest);
  return {manifest, parts.plan != nullptr ? *parts.plan : whole, [&parts](uint32_t file) {
            return parts.journal == nullptr ? 0 : parts.journal->RowsRecorded(file);
          }};
}

// Whether an earlier run of the job had rows acknowledged.
bool AcknowledgedBefore(const Pipeline::Parts& parts) {
  return parts.journal != nullptr && parts.journal->counts().acknowledged() > 0;
}

// What reading ahead takes of the memory for bodies.
uint64_t ReadAheadTaken(const Pipeline::Parts& parts) {
  const bool far = std::ranges::any_of(parts.source->manifest().files,
                                       [](const SourceFile& file) { return IsOnS3(file.uri); });
  return far ? MemoryBytesMax(*parts.options, Shards(parts)) / kReadAheadPart : 0;
}

Scheduler::Options SchedulerOptions(const Pipeline::Parts& parts) {
  const JobOptions& options = *parts.options;
  const double rate = parts.LimitVectorsPerS();
  return {.pace = {.rate_vectors_per_s = rate,
                   .rate_requests_per_s = options.rate_requests_per_s.value_or(
                       wire::kRateRequestsPerS / options.parts),
                   .burst_vectors = options.batch_vectors_max + rate * kLateMaxS,
                   .beyond_limit = options.rate_auto},
          .in_flight_max = InFlightMax(options, Shards(parts)),
          .give_up_after = options.give_up_after,
          .acknowledged_before = AcknowledgedBefore(parts),
          .seed = static_cast<uint64_t>(Clock::System().WallNow().time_since_epoch().count())};
}

std::vector<Lane> MakeLanes(const Pipeline::Parts& parts, TimePoint now) {
  std::vector<Lane> lanes;
  lanes.reserve(parts.indexes.size());
  Scheduler::Options options = SchedulerOptions(parts);
  for (const IndexInfo& index : parts.indexes) {
    lanes.emplace_back(index.name, options, now);
    ++options.seed;
  }
  return lanes;
}

}  // namespace

uint32_t InFlightMax(const JobOptions& options, uint32_t shards) {
  if (options.in_flight_max > 0) return std::max(1U, options.in_flight_max / shards);
  return std::min(kInFlightDefaultMax, std::max(kInFlightOfShardMin, kInFlightOfAllMax / shards));
}

uint64_t MemoryBytesMax(const JobOptions& options, uint32_t shards) {
  if (options.memory_bytes_max > 0) return options.memory_bytes_max;
  return MemoryBytesDefault(shards, MachineMemoryBytes());
}

uint64_t ReadAheadBytesMax(const JobOptions& options, uint32_t shards) {
  return std::max(kReadAheadMin, MemoryBytesMax(options, shards) / kReadAheadPart);
}

bool Pipeline::Parts::IsOpenEnded() const { return source->manifest().rows >= kRowsUnknown; }

double Pipeline::Parts::LimitVectorsPerS() const {
  return options->rate_vectors_per_s.value_or(wire::kRateVectorsPerS / options->parts);
}

Pipeline::Pipeline(Parts parts)
    : parts_(std::move(parts)),
      to_read_(WhatIsLeft(parts_)),
      encoders_(Encoders(*parts_.options)),
      body_bytes_per_vector_(BodyBytesGuessOf(parts_.kind, parts_.indexes.front())),
      // Rows wait as floats for a short while only; most of the memory is for bodies that wait
      // for their answers.
      block_budget_(MemoryBytesMax(*parts_.options, Shards(parts_)) / 4),
      cut_({.shards = Shards(parts_),
            .waiting_max = Shards(parts_) == 1 ? encoders_ : kWaitingOfShard,
            .body_bytes_max =
                MemoryBytesMax(*parts_.options, Shards(parts_)) / 4 * 3 - ReadAheadTaken(parts_),
            .may_set_aside = parts_.source->CanReadAgain()}),
      lanes_(MakeLanes(parts_, clock_.Now())),
      tally_(MakeTally(parts_, clock_.Now())),
      files_(MakeFiles(parts_)),
      ledger_({.rejects = parts_.rejects,
               .journal = parts_.journal,
               .manifest = &parts_.source->manifest(),
               .tally = &tally_}),
      divider_(parts_.kind, &buffers_, wire::kBodyBytesMax) {
  batch_vectors_max_ = std::min(BatchVectors(static_cast<double>(body_bytes_per_vector_)),
                                parts_.options->batch_vectors_max);
}

JobReport Pipeline::Run() {
  StartThreads();
  const Status status = Schedule();
  StopThreads();
  return MakeReport(Finish(status.ok() ? read_status_ : status));
}

Status Pipeline::Finish(const Status& status) {
  const Status length = LearnLength();
  const Status& first = status.ok() ? stop_reason_ : status;
  return ledger_.Finish(first.ok() ? length : first, clock_.WallNow());
}

// How many rows there were of a stream that told it only by ending, or were read of it.
Status Pipeline::LearnLength() {
  if (!parts_.IsOpenEnded()) return Status::Ok();
  const uint64_t rows = parts_.source->RowsKnown();
  tally_.SetRowsTotal(rows);
  if (parts_.journal != nullptr) parts_.journal->SetRowsTotal(tally_.rows_total());
  if (tally_.rows_done() <= rows) return Status::Ok();
  return Status::Conflict(
      fmt::format("{} ended after {} rows, but {} of it are done already; is it the stream that "
                  "this journal is of? Load it anew with --restart",
                  parts_.source->manifest().files.front().uri, rows, tally_.rows_done()));
}

void Pipeline::StartThreads() {
  encoders_running_ = encoders_;
  threads_.emplace_back([this] { ReadSource(); });
  for (uint32_t i = 0; i < encoders_; ++i) threads_.emplace_back([this] { EncodeBatches(); });
}

void Pipeline::StopThreads() {
  cancelled_ = true;
  block_budget_.Cancel();
  cut_.Cancel();
  for (std::thread& thread : threads_) thread.join();
  if (refresh_.joinable()) refresh_.join();
}

void Pipeline::ReadSource() {
  Divider divider(
      {.shards = Shards(parts_),
       .values = parts_.values,
       .rules = RulesOf(parts_.kind, parts_.indexes.front()),
       .batch_vectors_max = &batch_vectors_max_,
       .duplicates = parts_.duplicates,
       .all_rejected_max = AcknowledgedBefore(parts_) ? UINT64_MAX : Divider::kAllRejectedMax},
      [this](CutBatch batch) { return PushCut(std::move(batch)); });
  // With one shard the requests are for what is left, and no more.
  if (Shards(parts_) > 1 && parts_.journal != nullptr && parts_.journal->segments() > 0) {
    divider.SetFilter(RowFilter::AllBut(parts_.journal->Recorded()));
  }
  const auto begin = clock_.Now();
  Duration in_divider{};
  Status status = ReadPass(to_read_, &divider, &in_divider);
  // What was set aside for slow shards is read again, by now for them alone.
  while (status.ok() && set_aside_.size() > 0) {
    std::vector<bool> supplied(Shards(parts_));
    std::vector<ReadRequest> requests = RequestsFor(set_aside_, to_read_.front(), &supplied);
    divider.SetFilter(RowFilter::Only(std::exchange(set_aside_, {})));
    cut_.SetSupplied(supplied);
    status = ReadPass(requests, &divider, &in_divider);
  }
  times_.read.Add(clock_.Now() - begin - in_divider);
  read_status_ = std::move(status);
  cut_.Close();
}

Status Pipeline::ReadPass(std::span<const ReadRequest> requests, Divider* divider,
                          Duration* in_divider) {
  std::vector<ReadRequest> left(requests.begin(), requests.end());
  std::span<ReadRequest> rest(left);
  Status status;
  do {
    jump_.reset();
    reading_ = rest;
    status = parts_.source->ReadAll(
        rest, [&](RowBlock block) { return TakeBlock(std::move(block), divider, in_divider); });
    if (!jump_.has_value()) break;
    rest = rest.subspan(jump_->request);
    rest.front().row_begin = jump_->row;
    if (jump_->row == rest.front().row_end) rest = rest.subspan(1);
  } while (true);
  // Rows that were read before a failure are good.
  const Status finished = divider->Finish();
  return status.ok() ? finished : status;
}

Status Pipeline::TakeBlock(RowBlock block, Divider* divider, Duration* in_divider) {
  const auto begin = clock_.Now();
  const uint64_t bytes = block.bytes;
  VECLOAD_RETURN_IF_ERROR(WaitForMemory(bytes, divider));
  const std::shared_ptr<const RowBlock> shared(new RowBlock(std::move(block)),
                                               [this, bytes](const RowBlock* spent) {
                                                 delete spent;
                                                 block_budget_.Release(bytes);
                                               });
  Status status = divider->Add(shared);
  const RowId next{shared->file, shared->row_begin + shared->rows.size()};
  if (status.ok()) status = LeaveRun(next, divider);
  *in_divider += clock_.Now() - begin;
  return status;
}

Status Pipeline::WaitForMemory(uint64_t bytes, Divider* divider) {
  while (true) {
    // Batches that are not full yet hold it all: nobody but their shards could let go of it.
    while (block_budget_.IsSpentBy(divider->blocks_held(), bytes)) {
      VECLOAD_ASSIGN_OR_RETURN(const bool flushed, divider->FlushFullest());
      if (!flushed) break;
    }
    const MemoryBudget::Waited waited =
        block_budget_.Acquire(bytes, divider->blocks_held(), kMemoryTick);
    if (!waited.granted || waited.time > Duration{}) times_.wait_memory.Add(waited.time);
    if (waited.granted) return Status::Ok();
    if (cancelled_) return Status::Cancelled("the job is stopping");
    for (const CutBatch& batch : cut_.TakeFromBlocked()) SetAside(batch);
  }
}

Status Pipeline::PushCut(CutBatch batch) {
  switch (cut_.Push(&batch)) {
    case ShardQueues::Pushed::kTaken:
      return Status::Ok();
    case ShardQueues::Pushed::kSetAside:
      SetAside(batch);
      return Status::Ok();
    case ShardQueues::Pushed::kClosed:
      break;
  }
  return Status::Cancelled("the job is stopping");
}

// Where all that comes next is a full shard's and would be set aside too, it is not read first: the
// reader goes on behind it. `next` is the row behind those that were read.
Status Pipeline::LeaveRun(RowId next, Divider* divider) {
  if (parts_.runs == nullptr || !full_shard_.has_value()) return Status::Ok();
  const uint32_t shard = *std::exchange(full_shard_, std::nullopt);
  const auto request = std::ranges::partition_point(reading_, [&](const ReadRequest& one) {
    return std::pair(one.file, one.row_end) <= std::pair(next.file, next.row);
  });
  if (request == reading_.end() || request->file != next.file) return Status::Ok();
  const uint64_t end = std::min(parts_.runs->EndOf(next, shard), request->row_end);
  if (request->row_begin > next.row || end < next.row + kLeaveRowsMin) return Status::Ok();
  for (const Segment& segment : divider->Wanted({next.file, shard, next.row, end})) {
    set_aside_.Add({segment, {.rows = segment.row_end - segment.row_begin}});
  }
  jump_ = {.request = static_cast<size_t>(request - reading_.begin()), .row = end};
  return Status::Cancelled("reading goes on elsewhere");
}

void Pipeline::SetAside(const CutBatch& batch) {
  full_shard_ = batch.shard;
  for (const Segment& segment : batch.coverage.segments) {
    set_aside_.Add({segment, {.rows = segment.row_end - segment.row_begin}});
  }
}

void Pipeline::EncodeBatches() {
  Encoder encoder(parts_.kind, &buffers_, wire::kBodyBytesMax);
  while (std::optional<ShardQueues::Popped> popped = cut_.Pop(body_bytes_per_vector_)) {
    times_.wait_memory.Add(popped->waited_for_bytes);
    EncodeBatch(*std::move(popped), &encoder);
  }
  if (encoders_running_.fetch_sub(1) == 1) events_.Push(SourceEndedEvent{});
}

void Pipeline::EncodeBatch(ShardQueues::Popped popped, Encoder* encoder) {
  const uint32_t shard = popped.batch.shard;
  const auto begin = clock_.Now();
  std::vector<EncodedBatch> encoded =
      encoder->Encode(parts_.indexes[shard].name, std::move(popped.batch));
  times_.encode.Add(clock_.Now() - begin);
  uint64_t bytes = 0;
  for (const EncodedBatch& batch : encoded) bytes += batch.body.bytes.capacity();
  cut_.Adjust(shard, popped.charged_bytes, bytes);
  LearnBatchSize(encoded.front());
  // The first one carries the charge of all, so that each holder is released once.
  uint64_t charged_bytes = bytes;
  for (EncodedBatch& batch : encoded) {
    events_.Push(
        EncodedEvent{shard, std::move(batch), std::exchange(charged_bytes, Lane::kNoCharge)});
  }
}

void Pipeline::LearnBatchSize(const EncodedBatch& batch) {
  if (batch.ids.empty()) return;
  const uint64_t bytes_per_vector = batch.body.text().size() / batch.ids.size();
  body_bytes_per_vector_ = bytes_per_vector;
  batch_vectors_max_ = std::min(BatchVectors(static_cast<double>(bytes_per_vector)),
                                parts_.options->batch_vectors_max);
}

Status Pipeline::Schedule() {
  while (true) {
    TimePoint now = clock_.Now();
    TimePoint until = now + kTick;
    bool all_finished = true;
    for (uint32_t shard = 0; shard < lanes_.size(); ++shard) {
      Lane& lane = lanes_[shard];
      if (!lane.finished && lane.wake <= now) Turn(shard);
      all_finished = all_finished && lane.finished;
      if (!lane.finished) until = std::min(until, lane.wake);
    }
    if (all_finished) return stop_reason_;
    CheckStops();
    now = clock_.Now();
    if (ledger_.CommitDue(now)) CommitLedger();
    ShowProgress(now);
    std::optional<Event> event = events_.Pop(until);
    while (event.has_value()) {
      Handle(*std::move(event));
      event = events_.Pop(TimePoint{});  // long past: does not wait
    }
  }
}

void Pipeline::Turn(uint32_t shard) {
  Lane& lane = lanes_[shard];
  while (true) {
    const Action action = lane.scheduler.Next(clock_.Now());
    if (lane.scheduler.stopping()) StopAll(lane.scheduler.stop_reason());
    if (action.kind == Action::Kind::kFinish) lane.finished = true;
    lane.wake = action.until;
    if (action.kind == Action::Kind::kFinish || action.kind == Action::Kind::kWait) break;
    Perform(shard, action);
  }
  // Enough bodies to keep what may be in flight in flight, and no heap of them ready.
  const uint32_t limit = lane.scheduler.in_flight_limit();
  cut_.SetDemand(shard, limit + 2 * encoders_, lane.scheduler.in_flight(),
                 lane.scheduler.in_flight() < limit);
}

void Pipeline::Handle(Event event) {
  const TimePoint now = clock_.Now();
  if (auto* encoded = std::get_if<EncodedEvent>(&event)) {
    Lane& lane = lanes_[encoded->shard];
    const BatchId id = next_id_++;
    const size_t vectors = encoded->batch.ids.size();
    lane.live[id] = {.batch = std::make_shared<EncodedBatch>(std::move(encoded->batch)),
                     .charged_bytes = encoded->charged_bytes};
    lane.scheduler.OnBatch(id, vectors, now);
    lane.wake = now;
  } else if (auto* answered = std::get_if<AnsweredEvent>(&event)) {
    Lane& lane = lanes_[answered->shard];
    client::Outcome& outcome = answered->outcome;
    if (!outcome.status.ok()) lane.live.at(answered->batch).refusal = outcome.status.message();
    const Answer answer{std::move(outcome.status), std::move(outcome.named_records),
                        outcome.retry_after, outcome.latency};
    lane.throttled += tally_.OnAnswer(answer) ? 1 : 0;
    lane.scheduler.OnAnswer(answered->batch, answer, now);
    lane.wake = now;
  } else {
    const auto* refreshed = std::get_if<RefreshedEvent>(&event);
    for (Lane& lane : lanes_) {
      lane.wake = now;
      if (refreshed == nullptr) {
        lane.scheduler.OnSourceEnd();
      } else if (std::exchange(lane.refreshing, false)) {
        lane.scheduler.OnRefreshed(refreshed->status);
      }
    }
  }
}

void Pipeline::Perform(uint32_t shard, const Action& action) {
  switch (action.kind) {
    case Action::Kind::kSend:
      return Send(shard, action.batch);
    case Action::Kind::kCommit:
      return Commit(shard, action.batch);
    case Action::Kind::kReject:
      return RejectRecords(shard, action.batch, action.records);
    case Action::Kind::kHalve:
      return Halve(shard, action);
    case Action::Kind::kRefresh:
      return RefreshCredentials(shard);
    case Action::Kind::kWait:
    case Action::Kind::kFinish:
      return;
  }
}

void Pipeline::Send(uint32_t shard, BatchId id) {
  Lane& lane = lanes_[shard];
  Lane::Live& live = lane.live.at(id);
  const std::shared_ptr<EncodedBatch> batch = live.batch;
  tally_.OnSend(!std::exchange(live.sent, true), batch->body.text().size());
  parts_.caller->Start(
      CallOf(parts_.kind), batch->body.text(), batch->payload_hash, batch,
      [this, shard, id](client::Outcome outcome) {
        events_.Push(AnsweredEvent{shard, id, std::move(outcome)});
      },
      lane.subject);
}

void Pipeline::Commit(uint32_t shard, BatchId id) {
  Lane& lane = lanes_[shard];
  auto node = lane.live.extract(id);
  Lane::Live& live = node.mapped();
  EncodedBatch& batch = *live.batch;
  const TimePoint now = clock_.Now();
  const auto settled = batch.coverage.Settled(batch.ids);
  StopUnlessOk(ledger_.Settle(batch.coverage.rejects, settled, now));
  files_.OnSettled(settled);
  lane.acknowledged += batch.ids.size();
  lane.last_acknowledged = now;
  times_.journal.Add(clock_.Now() - now);
  if (live.charged_bytes != Lane::kNoCharge) cut_.Release(shard, live.charged_bytes);
  if (batch.body.bytes.capacity() > 0) buffers_.Give(std::move(batch.body.bytes));
}

void Pipeline::CommitLedger() {
  const TimePoint begin = clock_.Now();
  StopUnlessOk(ledger_.Commit(begin));
  times_.journal.Add(clock_.Now() - begin);
}

// What ends one shard's work ends the job: it can be resumed as a whole.
void Pipeline::StopAll(const Status& reason) {
  if (!stop_reason_.ok()) return;
  stop_reason_ = reason;
  for (Lane& lane : lanes_) {
    lane.scheduler.OnStop(reason);
    lane.wake = TimePoint{};
  }
}

void Pipeline::StopUnlessOk(const Status& status) {
  if (!status.ok()) StopAll(status);
}

void Pipeline::RejectRecords(uint32_t shard, BatchId id, const std::vector<size_t>& records) {
  Lane::Live& live = lanes_[shard].live.at(id);
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
  if (refused_ >= Divider::kAllRejectedMax && tally_.acknowledged() == 0 &&
      !AcknowledgedBefore(parts_)) {
    StopAll(Status::InvalidArgument(fmt::format(
        "the service refused the first {} rows that it was sent, the last one because {}", refused_,
        live.refusal)));
  }
}

void Pipeline::Halve(uint32_t shard, const Action& action) {
  Lane& lane = lanes_[shard];
  Lane::Live& live = lane.live.at(action.batch);
  auto [head, tail] = divider_.Divide(std::move(*live.batch), action.divide_at);
  live.batch = std::make_shared<EncodedBatch>(std::move(head));
  lane.live[action.tail] = {.batch = std::make_shared<EncodedBatch>(std::move(tail)),
                            .charged_bytes = Lane::kNoCharge};
}

// Once for all shards that ask while it is under way.
void Pipeline::RefreshCredentials(uint32_t shard) {
  const bool under_way = std::ranges::any_of(lanes_, &Lane::refreshing);
  lanes_[shard].refreshing = true;
  if (under_way) return;
  // May call out to a process or a network; the schedulers go on counting meanwhile.
  if (refresh_.joinable()) refresh_.join();
  refresh_ =
      std::thread([this] { events_.Push(RefreshedEvent{parts_.caller->RefreshCredentials()}); });
}

void Pipeline::CheckStops() {
  const JobOptions& options = *parts_.options;
  if (options.stop != nullptr && *options.stop) {
    StopAll(Status::Cancelled("stopped on request; what was in flight was answered"));
  }
  if (options.rejects_max.has_value() && tally_.rejected() > *options.rejects_max) {
    StopAll(Status::InvalidArgument(fmt::format("{} rows were rejected, more than --max-rejects {}",
                                                tally_.rejected(), *options.rejects_max)));
  }
}

}  // namespace vecload::load
