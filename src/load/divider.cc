#include "load/divider.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "client/shards.h"

namespace vecload::load {

RowFilter::Answer RowFilter::Ask(RowId id, uint32_t shard) {
  if (!has_set_) return {};
  if (kept_.size() <= shard) kept_.resize(shard + 1);
  Kept& kept = kept_[shard];
  const journal::RowRange& range = kept.found.range;
  if (kept.file != id.file || id.row < range.begin || id.row >= range.end) {
    kept = {.file = id.file, .found = set_.Find(id.file, shard, id.row)};
  }
  return {.wanted = kept.found.contained == wants_contained_, .since = kept.found.range.begin};
}

std::vector<Segment> RowFilter::Wanted(const Segment& range) const {
  if (!has_set_) return {range};
  std::vector<Segment> wanted;
  Segment piece = range;
  for (; piece.row_begin < range.row_end; piece.row_begin = piece.row_end) {
    const journal::SegmentSet::Found found = set_.Find(range.file, range.shard, piece.row_begin);
    piece.row_end = std::min(range.row_end, found.range.end);
    if (found.contained == wants_contained_) wanted.push_back(piece);
  }
  return wanted;
}

Divider::Divider(const Options& options, const BatchCutter::Emit& emit) : options_(options) {
  const auto emit_and_forget = [this, emit](CutBatch batch) {
    ++emitted_;
    for (const auto& block : batch.blocks) {
      const auto held = blocks_held_.find(block.get());
      if (--held->second == 0) blocks_held_.erase(held);
    }
    return emit(std::move(batch));
  };
  shards_.reserve(options_.shards);
  for (uint32_t shard = 0; shard < options_.shards; ++shard) {
    // Of a block, each of many shards has a few rows.
    shards_.push_back(
        {BatchCutter({.rules = options_.rules,
                      .shard = shard,
                      .batch_vectors_max = options_.batch_vectors_max,
                      .duplicates = options_.duplicates,
                      .batch_blocks_max = size_t{Coverage::kSegmentsMax} * options_.shards},
                     emit_and_forget)});
  }
}

Status Divider::Add(const std::shared_ptr<const RowBlock>& block) {
  const RowId begin{block->file, block->row_begin};
  if (begin != next_) {
    ++run_;
    run_begin_ = begin.row;
  }
  next_ = {block->file, block->row_begin + block->rows.size()};
  for (size_t i = 0; i < block->rows.size(); ++i) {
    VECLOAD_RETURN_IF_ERROR(AddRow(block->rows[i], {block->file, block->row_begin + i}, block));
  }
  return Status::Ok();
}

Status Divider::AddRow(const SourceRow& row, RowId id,
                       const std::shared_ptr<const RowBlock>& block) {
  uint32_t number = 0;
  if (options_.values != nullptr) {
    VECLOAD_ASSIGN_OR_RETURN(number, options_.values->Find(row));
  } else if (options_.shards > 1) {
    number = client::ShardOf(row.key, options_.shards);
  }
  const RowFilter::Answer answer = filter_.Ask(id, number);
  if (!answer.wanted) return Status::Ok();
  Shard& shard = shards_[number];
  // What lies between the shard's last row and this one is other shards', as far as it was read.
  uint64_t since = std::max(answer.since, run_begin_);
  if (shard.run == run_) since = std::max(since, shard.seen);
  const auto holds_block = [&] {
    const auto& blocks = shard.cutter.open().blocks;
    return !blocks.empty() && blocks.back() == block;
  };
  const bool held = holds_block();
  const uint64_t emitted = emitted_;
  VECLOAD_ASSIGN_OR_RETURN(const BatchCutter::Added added, shard.cutter.Add(row, id, since, block));
  shard.run = run_;
  shard.seen = id.row + 1;
  // A batch that was emitted meanwhile let go of the block.
  if (holds_block() && (!held || emitted != emitted_)) ++blocks_held_[block.get()];
  return Count(added, shard.cutter.open());
}

Status Divider::Count(BatchCutter::Added added, const CutBatch& batch) {
  if (added == BatchCutter::Added::kSuperseded) return Status::Ok();
  ++rows_seen_;
  if (added != BatchCutter::Added::kRejected) return Status::Ok();
  ++rows_rejected_;
  if (rows_rejected_ < options_.all_rejected_max || rows_rejected_ != rows_seen_) {
    return Status::Ok();
  }
  const std::string message = batch.coverage.rejects.back().message;
  VECLOAD_RETURN_IF_ERROR(Finish());
  return Status::InvalidArgument(
      fmt::format("the first {} rows were all rejected, the last one because {}; is this the right "
                  "column ({}--key-column) and the right index?",
                  rows_seen_, message, options_.rules.keys_only ? "" : "--vector-column, "));
}

Status Divider::Finish() {
  for (Shard& shard : shards_) VECLOAD_RETURN_IF_ERROR(shard.cutter.Flush());
  return Status::Ok();
}

Result<bool> Divider::FlushFullest() {
  const auto fullest = std::ranges::max_element(
      shards_, {}, [](const Shard& shard) { return shard.cutter.open().rows.size(); });
  if (fullest->cutter.open().rows.empty()) return false;
  VECLOAD_RETURN_IF_ERROR(fullest->cutter.Flush());
  return true;
}

}  // namespace vecload::load
