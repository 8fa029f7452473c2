#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "load/coverage.h"
#include "load/duplicates.h"
#include "source/row_check.h"
#include "vecload/source.h"

namespace vecload::load {

// Rows that go into one call: checked, all of one shard, no key twice, within the count
// limit. The bytes are known only once they are encoded (encoder.h).
struct CutBatch {
  struct Row {
    const SourceRow* row = nullptr;  // into one of `blocks`
    RowId id;
  };
  uint32_t shard = 0;
  std::vector<Row> rows;
  std::vector<std::shared_ptr<const RowBlock>> blocks;
  Coverage coverage;
};

// Cuts the rows of one shard into batches. A batch may span files, so that many small files do not
// cost a request each. Not thread-safe.
class BatchCutter {
 public:
  struct Options {
    source::RowRules rules = {};
    uint32_t shard = 0;
    // May be lowered by others while the cutter works (bytes per vector are learned by encoding).
    const std::atomic<uint32_t>* batch_vectors_max = nullptr;
    // Its rows are superseded whatever else is wrong with them. Null: none.
    const DuplicateRows* duplicates = nullptr;
    // Where few rows of each block are sent, 500 of them would keep any number of blocks alive.
    size_t batch_blocks_max = Coverage::kSegmentsMax;
  };
  using Emit = std::function<Status(CutBatch)>;
  enum class Added { kTaken, kSuperseded, kRejected };

  // What `emit` returns ends the work.
  BatchCutter(const Options& options, Emit emit);
  // The rows of the file from `since` on to this one are other shards'.
  Result<Added> Add(const SourceRow& row, RowId id, uint64_t since,
                    const std::shared_ptr<const RowBlock>& block);
  // Emits what there is.
  Status Flush();
  // Of the batch that is being filled.
  [[nodiscard]] const CutBatch& open() const { return batch_; }

 private:
  [[nodiscard]] bool IsFull(const std::shared_ptr<const RowBlock>& block) const;
  void Reject(const SourceRow& row, RowId id, RejectRule rule);
  void Supersede(size_t earlier);

  Options options_;
  Emit emit_;
  CutBatch batch_;
  size_t live_ = 0;  // rows of the batch that are not superseded
  std::unordered_map<std::string_view, size_t> row_of_key_;
};

}  // namespace vecload::load
