#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "base/clock.h"
#include "journal/journal.h"
#include "load/coverage.h"
#include "load/rejects_file.h"
#include "load/tally.h"
#include "vecload/source.h"

namespace vecload::load {

// Where settled batches are written down: rejects file, journal and figures, in the order that
// loses nothing. Rejected rows are in their file before the transaction that settles them, synced,
// and that transaction holds the file's length. Not thread-safe.
class Ledger {
 public:
  struct Parts {
    RejectsFile* rejects = nullptr;
    journal::Journal* journal = nullptr;  // null: the load cannot be resumed
    const Manifest* manifest = nullptr;
    Tally* tally = nullptr;
  };
  explicit Ledger(const Parts& parts) : parts_(parts) {}

  // Takes a batch whose rows are all done: what is to be said of the rejected ones, and which
  // segments it settles. A failure means that the load cannot go on: what the journal does not have
  // remains to do.
  Status Settle(std::span<const Reject> rejects, std::span<const journal::SettledSegment> settled,
                TimePoint now);
  [[nodiscard]] bool CommitDue(TimePoint now) const { return now >= CommitDueAt(); }
  [[nodiscard]] TimePoint CommitDueAt() const;  // TimePoint::max() where nothing waits
  // Makes all that was settled survive a kill, and once a second a power cut: a fast load commits
  // several times a second, and a sync takes milliseconds. After a failure it may be called again.
  Status Commit(TimePoint now);
  // The last commit, a synced one, of a run that ended with `status`. Where that is ok, all rows
  // must be done (else kCorrupt), and the journal says so. Returns the first thing that went wrong.
  Status Finish(const Status& status, WallTime now);

 private:
  Status Write(journal::Survives survives);

  Parts parts_;
  std::optional<TimePoint> synced_at_;
};

}  // namespace vecload::load
