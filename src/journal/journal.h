#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "journal/identity.h"
#include "journal/segment_set.h"
#include "journal/tables.h"
#include "sqlite/database.h"
#include "vecload/source.h"
#include "vecload/status.h"

namespace vecload::journal {

class Journal;

enum class Outcome {
  kNew,
  kResuming,
  kComplete,        // nothing is left to do
  kIndexMadeAgain,  // of an index deleted since: emptied, a new job
};

// What a commit is there after. A synced one costs some milliseconds.
enum class Survives {
  kKill,      // of the process
  kPowerCut,  // synced
};

struct OpenOptions {
  bool restart = false;      // forget what the journal holds
  std::string rejects_path;  // where this run writes rejects; empty: nowhere
  // Of each file of the manifest the rows that are this job's, where they are not all: another
  // part's machine has the others. Empty: all.
  std::vector<RowRange> shares;
  WallTime now{};   // when the job began, if it is new
  std::string vfs;  // SQLite's name of the file system; empty: the machine's
};

struct Opened {
  std::unique_ptr<Journal> journal;
  Outcome outcome = Outcome::kNew;
  std::string message;        // for the user: "resuming: 41.3 % done; 2 new files"
  size_t files_added = 0;     // since the last run; 0 for a new job
  size_t files_vanished = 0;  // all of them done
  std::optional<WallTime> complete_since;
};

// What is done of a job, durable and resumable: a SQLite file. Files and rows are named as in the
// manifest given to Open, whatever the order was in earlier runs. Of a file of which only a share
// is this job's, the table counts rows from the share's first one, and knows no others. Not
// thread-safe.
//
// Record keeps a settled batch in memory; Commit makes all that was recorded durable, at once and
// whole. The destructor does not commit: what is not committed is sent again.
class Journal {
 public:
  // Creates the journal, or resumes from it. Files that are new since are added. Changes nothing
  // where it fails:
  //   kConflict  another run has it open; it is another job's, which names what differs; a file
  //              changed since; its rejects are elsewhere; a newer vecload's; another program's
  //   kNotFound  a file of the job is gone and was not done
  //   kCorrupt   damaged, or not SQLite
  //   kIo        the folder or the file cannot be read and written
  static Result<Opened> Open(const std::string& path, const JobIdentity& identity,
                             const Manifest& manifest, const OpenOptions& options);

  // Removes the file of a job that never began, so that it binds nobody to the files as they were.
  // Other runs are kept out until it is gone. kIo: it cannot be removed.
  static Status Discard(std::unique_ptr<Journal> journal);

  // Takes a batch whose rows are all settled, at `now`. kInternal, and nothing taken: a segment is
  // outside its file, or has rows that were recorded before.
  Status Record(std::span<const SettledSegment> batch, TimePoint now);
  // Group commit: when 64 batches wait, or one has waited for a second.
  [[nodiscard]] bool CommitDue(TimePoint now) const { return now >= CommitDueAt(); }
  [[nodiscard]] TimePoint CommitDueAt() const;  // TimePoint::max() where nothing waits
  // Writes all that was recorded and the length of the rejects file, which must be synced to that
  // length already. What only survives a kill is on disk whole after the next commit that survives
  // a power cut; a cut before leaves the journal as it was after some earlier commit. On failure
  // nothing of it is in the journal, as far as the disk tells, and all of it still waits, so that
  // it may be called again: kIo for a full disk.
  Status Commit(uint64_t rejects_bytes, Survives survives = Survives::kPowerCut);
  // Of a job whose stream did not know its length: the rows that there were, before MarkComplete.
  void SetRowsTotal(uint64_t rows) { rows_total_ = rows; }
  // Every row is settled and committed (else kInternal).
  Status MarkComplete(WallTime at);

  // The rows of a file that are not recorded for every shard, or for one; in order. Where a shard
  // has no row behind its last segment, what is behind remains, but not of a file all of whose rows
  // are settled.
  [[nodiscard]] std::vector<RowRange> Remaining(uint32_t file) const;
  [[nodiscard]] std::vector<RowRange> Remaining(uint32_t file, uint32_t shard) const;
  // How many of the file's rows are recorded, of all shards.
  [[nodiscard]] uint64_t RowsRecorded(uint32_t file) const;
  [[nodiscard]] bool IsRecorded(uint32_t file, uint32_t shard, uint64_t row) const;
  // All that is recorded of the manifest's files, as a copy: for whoever reads them on a thread of
  // its own.
  [[nodiscard]] SegmentSet Recorded() const;
  // Of the whole job, vanished files included; `counts` has what was recorded, committed or not.
  [[nodiscard]] uint64_t rows_total() const { return rows_total_; }
  [[nodiscard]] const Counts& counts() const { return contents_.segments.counts(); }
  // As of the last commit: what the rejects file is to be cut back to after Open.
  [[nodiscard]] uint64_t rejects_bytes() const { return contents_.rejects_bytes; }
  // Segments after merging: what memory and file size follow.
  [[nodiscard]] size_t segments() const { return contents_.segments.size(); }

  static constexpr uint32_t kGroupBatches = 64;
  static constexpr Duration kGroupWait = std::chrono::seconds(1);

 private:
  Journal(sqlite::Database lock, sqlite::Database database, Writer writer, Contents contents,
          std::vector<uint32_t> numbers, std::vector<uint64_t> first_rows, uint32_t shards);
  Status Write(Survives survives);
  Result<SettledSegment> ToStored(const SettledSegment& settled) const;

  sqlite::Database lock_;  // closed last
  sqlite::Database database_;
  Writer writer_;
  Contents contents_;
  std::vector<uint32_t> numbers_;     // of the manifest's files in the table
  std::vector<uint64_t> first_rows_;  // of each file's share
  uint32_t shards_;
  uint64_t rows_total_;
  uint32_t batches_waiting_ = 0;
  Survives survived_ = Survives::kPowerCut;  // by the last commit
  TimePoint waiting_since_{};
};

}  // namespace vecload::journal
