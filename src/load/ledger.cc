#include "load/ledger.h"

namespace vecload::load {
namespace {

constexpr Duration kSyncEvery = std::chrono::seconds(1);

}  // namespace

Status Ledger::Settle(std::span<const Reject> rejects,
                      std::span<const journal::SettledSegment> settled, TimePoint now) {
  journal::Counts counts;
  for (const journal::SettledSegment& segment : settled) counts += segment.counts;
  const Status written = parts_.rejects->Append(rejects, *parts_.manifest);
  // Rejects that could not be written are not accounted for: their rows remain to do.
  if (written.ok()) parts_.tally->OnRejects(rejects);
  parts_.tally->OnCommit(counts.acknowledged(), written.ok() ? counts.rejected : 0,
                         counts.superseded);
  VECLOAD_RETURN_IF_ERROR(written);
  return parts_.journal == nullptr ? Status::Ok() : parts_.journal->Record(settled, now);
}

TimePoint Ledger::CommitDueAt() const {
  return parts_.journal == nullptr ? TimePoint::max() : parts_.journal->CommitDueAt();
}

Status Ledger::Commit(TimePoint now) {
  const bool sync = !synced_at_.has_value() || now - *synced_at_ >= kSyncEvery;
  if (sync) synced_at_ = now;
  return Write(sync ? journal::Survives::kPowerCut : journal::Survives::kKill);
}

Status Ledger::Write(journal::Survives survives) {
  // A length that the journal vouches for must be there whatever comes, synced or not itself.
  VECLOAD_RETURN_IF_ERROR(parts_.rejects->Sync());
  if (parts_.journal == nullptr) return Status::Ok();
  return parts_.journal->Commit(parts_.rejects->size(), survives);
}

Status Ledger::Finish(const Status& status, WallTime now) {
  const Status committed = Write(journal::Survives::kPowerCut);
  VECLOAD_RETURN_IF_ERROR(status);
  VECLOAD_RETURN_IF_ERROR(committed);
  if (parts_.tally->rows_done() != parts_.tally->rows_total()) {
    return Status::Corrupt(
        "the source gave fewer rows than its footers promised; did a file change meanwhile?");
  }
  return parts_.journal == nullptr ? Status::Ok() : parts_.journal->MarkComplete(now);
}

}  // namespace vecload::load
