#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "client/value_shards.h"
#include "journal/segment_set.h"
#include "load/cutter.h"
#include "vecload/source.h"

namespace vecload::load {

// Which rows of what is read are to be loaded. A shard may have had rows of a range settled that
// others still need, so that a range is read again for some shards only.
class RowFilter {
 public:
  // All; those that are not in the set; those that are.
  RowFilter() = default;
  static RowFilter AllBut(journal::SegmentSet settled) { return {std::move(settled), false}; }
  static RowFilter Only(journal::SegmentSet wanted) { return {std::move(wanted), true}; }

  // Whether the shard's row is wanted; then `since` is where the wanted rows begin, next to which
  // it stands.
  struct Answer {
    bool wanted = true;
    uint64_t since = 0;
  };
  // Asked for ascending rows of a file mostly, so the last answer of each shard is kept.
  [[nodiscard]] Answer Ask(RowId id, uint32_t shard);
  // What of the shard's range is wanted.
  [[nodiscard]] std::vector<Segment> Wanted(const Segment& range) const;

 private:
  RowFilter(journal::SegmentSet set, bool wants_contained)
      : has_set_(true), wants_contained_(wants_contained), set_(std::move(set)) {}

  struct Kept {
    uint32_t file = UINT32_MAX;
    journal::SegmentSet::Found found;
  };
  bool has_set_ = false;
  bool wants_contained_ = false;
  journal::SegmentSet set_;
  std::vector<Kept> kept_;  // by shard
};

// Divides a stream of blocks over the shards, by key or by value, and cuts each shard's rows into
// batches. One shard is the plain case. Not thread-safe.
class Divider {
 public:
  // A load whose first rows are all bad has the wrong column.
  static constexpr uint64_t kAllRejectedMax = 10'000;

  struct Options {
    uint32_t shards = 1;
    const client::ValueNumbers* values = nullptr;  // null: the key says which shard a row is of
    source::RowRules rules = {};
    const std::atomic<uint32_t>* batch_vectors_max = nullptr;
    const DuplicateRows* duplicates = nullptr;
    // So many first rows that are all bad end the work.
    uint64_t all_rejected_max = kAllRejectedMax;
  };
  Divider(const Options& options, const BatchCutter::Emit& emit);

  // What is read from now on is judged by this one.
  void SetFilter(RowFilter filter) { filter_ = std::move(filter); }
  // What of a shard's range would be taken if it were read.
  [[nodiscard]] std::vector<Segment> Wanted(const Segment& range) const {
    return filter_.Wanted(range);
  }
  Status Add(const std::shared_ptr<const RowBlock>& block);
  // Emits all that is left.
  Status Finish();
  // Emits the batch that has the most rows, so that memory is freed. False: there is none.
  Result<bool> FlushFullest();
  // How many blocks the batches that are being filled keep alive.
  [[nodiscard]] uint32_t blocks_held() const { return static_cast<uint32_t>(blocks_held_.size()); }

 private:
  // A shard, and up to where its rows were seen in which run of blocks.
  struct Shard {
    BatchCutter cutter;
    uint64_t run = 0;
    uint64_t seen = 0;
  };
  Status AddRow(const SourceRow& row, RowId id, const std::shared_ptr<const RowBlock>& block);
  Status Count(BatchCutter::Added added, const CutBatch& batch);

  Options options_;
  RowFilter filter_;
  std::vector<Shard> shards_;
  RowId next_{UINT32_MAX, 0};  // behind the last block
  uint64_t run_ = 0;           // blocks of a file without a gap are a run; earlier rows may follow
  uint64_t run_begin_ = 0;     // its first row
  // Blocks that open batches hold, and how many of those do.
  std::unordered_map<const RowBlock*, uint32_t> blocks_held_;
  uint64_t emitted_ = 0;  // batches
  uint64_t rows_seen_ = 0;
  uint64_t rows_rejected_ = 0;
};

}  // namespace vecload::load
