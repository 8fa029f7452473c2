#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <unordered_map>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "client/caller.h"
#include "load/cutter.h"
#include "load/encoder.h"
#include "load/ledger.h"
#include "load/memory_budget.h"
#include "load/queue.h"
#include "load/reading_plan.h"
#include "load/scheduler.h"
#include "load/tally.h"
#include "vecload/loader.h"
#include "vecload/source.h"

namespace vecload::load {

// What rows and requests may take: as the user says, else a default for this machine.
uint64_t MemoryBytesMax(const LoadOptions& options);
// The part of it in which files on S3 are read ahead.
uint64_t ReadAheadBytesMax(const LoadOptions& options);

// Runs a planned load. Owns its threads: one reads and cuts, some encode, and the one that calls
// Run schedules, signs and commits; the transport's own thread sends. Between them stand queues
// and the memory budget; no lock is taken per row.
class Pipeline {
 public:
  struct Parts {
    Source* source = nullptr;
    client::Caller* caller = nullptr;
    RejectsFile* rejects = nullptr;
    journal::Journal* journal = nullptr;        // null: the load cannot be resumed
    const ReadingPlan* plan = nullptr;          // null: all rows
    const DuplicateRows* duplicates = nullptr;  // null: a batch's own later rows win
    IndexInfo index;
    const LoadOptions* options = nullptr;
  };
  explicit Pipeline(Parts parts);

  // Loads everything, or stops; once.
  LoadReport Run();

 private:
  // An encoded batch until it is settled.
  struct Live {
    std::shared_ptr<EncodedBatch> batch;
    uint64_t charged_bytes = 0;  // of the budget; 0: another batch carries the charge
    bool sent = false;
    std::string refusal = {};  // why the service refused records
  };
  struct EncodedEvent {
    EncodedBatch batch;
    uint64_t charged_bytes = 0;
  };
  struct AnsweredEvent {
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
  Status TakeBlock(RowBlock block, BatchCutter* cutter, Duration* in_cutter);
  // Encoders' threads.
  void EncodeBatches();
  void EncodeBatch(CutBatch cut, Encoder* encoder);
  void LearnBatchSize(const EncodedBatch& batch);

  // The scheduling thread.
  void StartThreads();
  void StopThreads();
  Status Schedule();
  void Handle(Event event);
  void Perform(const Action& action);
  void Send(BatchId id);
  void Commit(BatchId id);
  void CommitLedger();
  void StopUnlessOk(const Status& status);
  Status Finish(const Status& status);
  void RejectRecords(BatchId id, const std::vector<size_t>& records);
  void Halve(const Action& action);
  void RefreshCredentials();
  void CheckStops();
  void ShowProgress(TimePoint now);
  LoadReport MakeReport(const Status& status);

  Parts parts_;
  Clock& clock_ = Clock::System();
  std::vector<ReadRequest> to_read_;  // what is left of each file, in order
  uint32_t encoders_;
  std::atomic<uint32_t> batch_vectors_max_;
  std::atomic<uint64_t> body_bytes_per_vector_;
  MemoryBudget block_budget_;
  MemoryBudget body_budget_;
  BufferPool buffers_;
  Queue<CutBatch> cut_;
  Queue<Event> events_;
  std::vector<std::thread> threads_;
  std::thread refresh_;
  std::atomic<uint32_t> encoders_running_{0};
  std::atomic<bool> cancelled_{false};
  Status read_status_;  // written before cut_ is closed, read after the source ended
  ThreadTimes times_;

  Scheduler scheduler_;
  Tally tally_;
  Ledger ledger_;
  std::string subject_;  // of the calls, in failures
  Encoder divider_;      // for batches that the service refuses
  std::unordered_map<BatchId, Live> live_;
  BatchId next_id_ = 0;
  uint64_t refused_ = 0;
  TimePoint next_progress_{};
};

}  // namespace vecload::load
