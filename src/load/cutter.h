#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "load/coverage.h"
#include "load/duplicates.h"
#include "source/row_check.h"
#include "vecload/source.h"

namespace vecload::load {

// Rows that go into one PutVectors call: checked, no key twice, within the count limit. The bytes
// are known only once they are encoded (encoder.h).
struct CutBatch {
  struct Row {
    const SourceRow* row = nullptr;  // into one of `blocks`
    RowId id;
  };
  std::vector<Row> rows;
  std::vector<std::shared_ptr<const RowBlock>> blocks;
  Coverage coverage;
};

// Cuts a stream of blocks into batches. A batch may span files, so that many small files do not
// cost a request each. Not thread-safe.
class BatchCutter {
 public:
  // A load whose first rows are all bad has the wrong column.
  static constexpr uint64_t kAllRejectedMax = 10'000;

  struct Options {
    // Its rows are superseded whatever else is wrong with them. Null: none.
    const DuplicateRows* duplicates = nullptr;
    // So many first rows that are all bad end the work.
    uint64_t all_rejected_max = kAllRejectedMax;
  };
  using Emit = std::function<Status(CutBatch)>;

  // `batch_vectors_max` may be lowered by others while the cutter works (bytes per vector are
  // learned by encoding). What `emit` returns ends the work.
  BatchCutter(const source::RowRules& rules, const std::atomic<uint32_t>* batch_vectors_max,
              Emit emit, const Options& options);
  Status Add(const std::shared_ptr<const RowBlock>& block);
  // Emits what is left.
  Status Finish();
  // How many blocks the batch that is being filled keeps alive.
  [[nodiscard]] uint32_t blocks_held() const { return static_cast<uint32_t>(batch_.blocks.size()); }

 private:
  Status AddRow(const SourceRow& row, RowId id, const std::shared_ptr<const RowBlock>& block);
  [[nodiscard]] bool IsFull(const std::shared_ptr<const RowBlock>& block) const;
  Status RejectRow(const SourceRow& row, RowId id, RejectRule rule);
  void Supersede(size_t earlier);
  Status EmitBatch();

  source::RowRules rules_;
  const std::atomic<uint32_t>* batch_vectors_max_;
  Emit emit_;
  Options options_;
  CutBatch batch_;
  size_t live_ = 0;  // rows of the batch that are not superseded
  std::unordered_map<std::string_view, size_t> row_of_key_;
  uint64_t rows_seen_ = 0;
  uint64_t rows_rejected_ = 0;
};

}  // namespace vecload::load
