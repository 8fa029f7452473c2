#include "load/cutter.h"

#include <algorithm>
#include <utility>

#include "load/rejects_file.h"

namespace vecload::load {
namespace {

// A batch that only rejects must end too: its lines would otherwise pile up in memory.
constexpr size_t kBatchRejectsMax = 2'000;
// Superseded rows make no vector either: 160 KB of row numbers at most.
constexpr size_t kBatchSupersededMax = 10'000;

}  // namespace

BatchCutter::BatchCutter(const Options& options, Emit emit)
    : options_(options), emit_(std::move(emit)) {
  batch_.shard = options_.shard;
}

Result<BatchCutter::Added> BatchCutter::Add(const SourceRow& row, RowId id, uint64_t since,
                                            const std::shared_ptr<const RowBlock>& block) {
  if (IsFull(block) || !batch_.coverage.Append(id, options_.shard, since)) {
    VECLOAD_RETURN_IF_ERROR(Flush());
    (void)batch_.coverage.Append(id, options_.shard, since);  // an empty coverage takes any row
  }
  if (options_.duplicates != nullptr && options_.duplicates->IsSuperseded(id)) {
    batch_.coverage.superseded.push_back(id);
    return Added::kSuperseded;
  }
  const RejectRule rule = source::CheckRow(row, options_.rules);
  if (rule != RejectRule::kNone) {
    Reject(row, id, rule);
    return Added::kRejected;
  }
  const auto [place, is_new] = row_of_key_.try_emplace(row.key, batch_.rows.size());
  if (!is_new) {
    Supersede(place->second);
    place->second = batch_.rows.size();
  }
  batch_.rows.push_back({&row, id});
  ++live_;
  if (batch_.blocks.empty() || batch_.blocks.back() != block) batch_.blocks.push_back(block);
  return Added::kTaken;
}

bool BatchCutter::IsFull(const std::shared_ptr<const RowBlock>& block) const {
  return live_ >= options_.batch_vectors_max->load(std::memory_order_relaxed) ||
         batch_.coverage.rejects.size() >= kBatchRejectsMax ||
         batch_.coverage.superseded.size() >= kBatchSupersededMax ||
         (batch_.blocks.size() == options_.batch_blocks_max && batch_.blocks.back() != block);
}

void BatchCutter::Reject(const SourceRow& row, RowId id, RejectRule rule) {
  load::Reject reject{
      .id = id, .rule = rule, .message = source::RejectMessage(row, rule, options_.rules)};
  if (rule != RejectRule::kKeyMissing) SetRejectKey(row.key, &reject);
  batch_.coverage.rejects.push_back(std::move(reject));
}

void BatchCutter::Supersede(size_t earlier) {
  batch_.coverage.superseded.push_back(batch_.rows[earlier].id);
  batch_.rows[earlier].row = nullptr;
  --live_;
}

Status BatchCutter::Flush() {
  if (batch_.coverage.segments.empty()) return Status::Ok();
  std::erase_if(batch_.rows, [](const CutBatch::Row& row) { return row.row == nullptr; });
  std::ranges::sort(batch_.coverage.superseded);
  row_of_key_.clear();
  live_ = 0;
  return emit_(std::exchange(batch_, CutBatch{.shard = options_.shard}));
}

}  // namespace vecload::load
