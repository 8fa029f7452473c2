#include "load/cutter.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "load/rejects_file.h"

namespace vecload::load {
namespace {

// A batch that only rejects must end too: its lines would otherwise pile up in memory.
constexpr size_t kBatchRejectsMax = 2'000;
// Superseded rows make no vector either: 160 KB of row numbers at most.
constexpr size_t kBatchSupersededMax = 10'000;
// Where few rows of each block are sent, 500 of them would keep any number of blocks alive. As many
// as a batch has segments at most, so that small files still fill a batch.
constexpr size_t kBatchBlocksMax = Coverage::kSegmentsMax;

}  // namespace

BatchCutter::BatchCutter(const source::RowRules& rules,
                         const std::atomic<uint32_t>* batch_vectors_max, Emit emit,
                         const Options& options)
    : rules_(rules),
      batch_vectors_max_(batch_vectors_max),
      emit_(std::move(emit)),
      options_(options) {}

Status BatchCutter::Add(const std::shared_ptr<const RowBlock>& block) {
  for (size_t i = 0; i < block->rows.size(); ++i) {
    VECLOAD_RETURN_IF_ERROR(AddRow(block->rows[i], {block->file, block->row_begin + i}, block));
  }
  return Status::Ok();
}

Status BatchCutter::AddRow(const SourceRow& row, RowId id,
                           const std::shared_ptr<const RowBlock>& block) {
  if (IsFull(block) || !batch_.coverage.Append(id, 0)) {
    VECLOAD_RETURN_IF_ERROR(EmitBatch());
    (void)batch_.coverage.Append(id, 0);  // an empty coverage takes any row
  }
  if (options_.duplicates != nullptr && options_.duplicates->IsSuperseded(id)) {
    batch_.coverage.superseded.push_back(id);
    return Status::Ok();
  }
  ++rows_seen_;
  const RejectRule rule = source::CheckRow(row, rules_);
  if (rule != RejectRule::kNone) return RejectRow(row, id, rule);
  const auto [place, is_new] = row_of_key_.try_emplace(row.key, batch_.rows.size());
  if (!is_new) {
    Supersede(place->second);
    place->second = batch_.rows.size();
  }
  batch_.rows.push_back({&row, id});
  ++live_;
  if (batch_.blocks.empty() || batch_.blocks.back() != block) batch_.blocks.push_back(block);
  return Status::Ok();
}

bool BatchCutter::IsFull(const std::shared_ptr<const RowBlock>& block) const {
  return live_ >= batch_vectors_max_->load(std::memory_order_relaxed) ||
         batch_.coverage.rejects.size() >= kBatchRejectsMax ||
         batch_.coverage.superseded.size() >= kBatchSupersededMax ||
         (batch_.blocks.size() == kBatchBlocksMax && batch_.blocks.back() != block);
}

Status BatchCutter::RejectRow(const SourceRow& row, RowId id, RejectRule rule) {
  ++rows_rejected_;
  Reject reject{.id = id, .rule = rule, .message = source::RejectMessage(row, rule, rules_)};
  if (rule != RejectRule::kKeyMissing) SetRejectKey(row.key, &reject);
  batch_.coverage.rejects.push_back(std::move(reject));
  if (rows_rejected_ < options_.all_rejected_max || rows_rejected_ != rows_seen_)
    return Status::Ok();
  const std::string message = batch_.coverage.rejects.back().message;
  VECLOAD_RETURN_IF_ERROR(EmitBatch());
  return Status::InvalidArgument(
      fmt::format("the first {} rows were all rejected, the last one because {}; is this the right "
                  "column (--vector-column, --key-column) and the right index?",
                  rows_seen_, message));
}

void BatchCutter::Supersede(size_t earlier) {
  batch_.coverage.superseded.push_back(batch_.rows[earlier].id);
  batch_.rows[earlier].row = nullptr;
  --live_;
}

Status BatchCutter::EmitBatch() {
  if (batch_.coverage.segments.empty()) return Status::Ok();
  std::erase_if(batch_.rows, [](const CutBatch::Row& row) { return row.row == nullptr; });
  std::ranges::sort(batch_.coverage.superseded);
  row_of_key_.clear();
  live_ = 0;
  return emit_(std::exchange(batch_, {}));
}

Status BatchCutter::Finish() { return EmitBatch(); }

}  // namespace vecload::load
