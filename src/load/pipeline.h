#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "client/caller.h"
#include "load/divider.h"
#include "load/encoder.h"
#include "load/files_under_way.h"
#include "load/lane.h"
#include "load/ledger.h"
#include "load/memory_budget.h"
#include "load/queue.h"
#include "load/reading_plan.h"
#include "load/scheduler.h"
#include "load/shard_queues.h"
#include "load/tally.h"
#include "load/targets.h"
#include "vecload/job.h"
#include "vecload/source.h"

namespace vecload::load {

// How many requests of one of so many shards may be under way.
uint32_t InFlightMax(const JobOptions& options, uint32_t shards);
// What rows and requests may take: as the user says, else a default for this machine.
uint64_t MemoryBytesMax(const JobOptions& options, uint32_t shards);
// The part of it in which files on S3 are read ahead.
uint64_t ReadAheadBytesMax(const JobOptions& options, uint32_t shards);

// Runs a planned job. Owns its threads: one reads and cuts, some encode, and the one that calls
// Run schedules, signs and commits; the transport's own thread sends. Between them stand queues
// and the memory budget; no lock is taken per row.
class Pipeline {
 public:
  struct Parts {
    JobKind kind = JobKind::kLoad;
    Source* source = nullptr;
    client::Caller* caller = nullptr;
    RejectsFile* rejects = nullptr;
    journal::Journal* journal = nullptr;           // null: the job cannot be resumed
    const ReadingPlan* plan = nullptr;             // null: all rows
    const DuplicateRows* duplicates = nullptr;     // null: a batch's own later rows win
    const client::ValueNumbers* values = nullptr;  // null: the key says which shard a row is of
    const ShardRuns* runs = nullptr;               // where values come in turn; null: not known
    // One a shard, alike in all but their names; of an index that is not divided its own.
    std::vector<IndexInfo> indexes;
    bool is_sharded = false;  // the report tells each of them
    const JobOptions* options = nullptr;

    // A stream whose length nobody knows before its end.
    [[nodiscard]] bool IsOpenEnded() const;
    // What each index is allowed; 0: unlimited.
    [[nodiscard]] double LimitVectorsPerS() const;
  };
  explicit Pipeline(Parts parts);

  // Does everything, or stops; once.
  JobReport Run();

 private:
  struct EncodedEvent {
    uint32_t shard = 0;
    EncodedBatch batch;
    uint64_t charged_bytes = 0;
  };
  struct AnsweredEvent {
    uint32_t shard = 0;
    BatchId batch = 0;
    client::Outcome outcome;
  };
  struct SourceEndedEvent {};
  struct RefreshedEvent {
    Status status;
  };
  using Event = std::variant<EncodedEvent, AnsweredEvent, SourceEndedEvent, RefreshedEvent>;

  // Reader's thread.
  void ReadSource();
  Status ReadPass(std::span<const ReadRequest> requests, Divider* divider, Duration* in_divider);
  Status TakeBlock(RowBlock block, Divider* divider, Duration* in_divider);
  Status WaitForMemory(uint64_t bytes, Divider* divider);
  Status PushCut(CutBatch batch);
  void SetAside(const CutBatch& batch);
  Status LeaveRun(RowId next, Divider* divider);
  // Encoders' threads.
  void EncodeBatches();
  void EncodeBatch(ShardQueues::Popped popped, Encoder* encoder);
  void LearnBatchSize(const EncodedBatch& batch);

  // The scheduling thread.
  void StartThreads();
  void StopThreads();
  Status Schedule();
  // Does what the lane's scheduler wants until it waits.
  void Turn(uint32_t shard);
  void Handle(Event event);
  void Perform(uint32_t shard, const Action& action);
  void Send(uint32_t shard, BatchId id);
  void Commit(uint32_t shard, BatchId id);
  void CommitLedger();
  void StopAll(const Status& reason);
  void StopUnlessOk(const Status& status);
  Status Finish(const Status& status);
  Status LearnLength();
  void RejectRecords(uint32_t shard, BatchId id, const std::vector<size_t>& records);
  void Halve(uint32_t shard, const Action& action);
  void RefreshCredentials(uint32_t shard);
  void CheckStops();
  void ShowProgress(TimePoint now);
  JobProgress MakeProgress(TimePoint now);
  [[nodiscard]] Standing Stand() const;
  [[nodiscard]] std::vector<ShardReport> ReportShards() const;
  JobReport MakeReport(const Status& status);

  Parts parts_;
  Clock& clock_ = Clock::System();
  TimePoint started_ = clock_.Now();
  std::vector<ReadRequest> to_read_;  // what is left of each file, in order
  uint32_t encoders_;
  std::atomic<uint32_t> batch_vectors_max_;
  std::atomic<uint64_t> body_bytes_per_vector_;
  MemoryBudget block_budget_;
  BufferPool buffers_;
  ShardQueues cut_;
  Queue<Event> events_;
  std::vector<std::thread> threads_;
  std::thread refresh_;
  std::atomic<uint32_t> encoders_running_{0};
  std::atomic<bool> cancelled_{false};
  Status read_status_;  // written before cut_ is closed, read after the source ended
  // The reader's: what this pass could not keep for slow shards, the last one of these, what is
  // being read, and where it goes on from there.
  struct Jump {
    size_t request = 0;
    uint64_t row = 0;
  };
  journal::SegmentSet set_aside_;
  std::optional<uint32_t> full_shard_;
  std::span<const ReadRequest> reading_;
  std::optional<Jump> jump_;
  ThreadTimes times_;

  std::vector<Lane> lanes_;  // one a shard
  Tally tally_;
  FilesUnderWay files_;
  Ledger ledger_;
  Encoder divider_;  // for batches that the service refuses
  Status stop_reason_;
  BatchId next_id_ = 0;
  uint64_t refused_ = 0;
  TimePoint next_progress_{};
};

}  // namespace vecload::load
