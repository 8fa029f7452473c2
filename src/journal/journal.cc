#include "journal/journal.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/check.h"
#include "journal/opening.h"

namespace vecload::journal {
namespace {

int64_t SinceEpoch(WallTime time) { return time.time_since_epoch().count(); }

// Rounded down: 100 % is said only when it is so.
double PercentDone(const Contents& contents) {
  const uint64_t total = contents.Rows();
  if (total == 0) return 100;
  const uint64_t rows = contents.segments.counts().rows;
  return std::floor(static_cast<double>(rows) * 1000 / static_cast<double>(total)) / 10;
}

Status SetSync(sqlite::Database* database, Survives survives) {
  return database->Execute(survives == Survives::kPowerCut ? "PRAGMA synchronous = FULL"
                                                           : "PRAGMA synchronous = NORMAL");
}

bool AnyOverlap(std::span<const SettledSegment> batch) {
  for (size_t i = 0; i < batch.size(); ++i) {
    const Segment& a = batch[i].segment;
    for (const auto& [b, counts] : batch.subspan(i + 1)) {
      if (a.file == b.file && a.shard == b.shard && a.row_begin < b.row_end &&
          b.row_begin < a.row_end) {
        return true;
      }
    }
  }
  return false;
}

Contents NewContents(const JobIdentity& identity, const OpenOptions& options) {
  Contents contents;
  contents.identity = identity.Fields();
  contents.created_ns = SinceEpoch(options.now);
  contents.rejects_path = options.rejects_path;
  return contents;
}

std::string Message(const Opened& opened, const Contents& contents,
                    const std::vector<std::string>& made_again) {
  switch (opened.outcome) {
    case Outcome::kNew:
      return "new job";
    case Outcome::kIndexMadeAgain:
      return fmt::format("{} was deleted and made again since: a new job, of all rows",
                         fmt::join(made_again, ", "));
    case Outcome::kComplete:
      return fmt::format("complete since {}; use --restart to begin it anew",
                         UtcText(*opened.complete_since));
    case Outcome::kResuming:
      break;
  }
  const bool is_open_ended = contents.Rows() >= kRowsUnknown;
  std::string text =
      is_open_ended ? fmt::format("resuming: {} rows are done", contents.segments.counts().rows)
                    : fmt::format("resuming: {:.1f} % done", PercentDone(contents));
  if (opened.files_added > 0) {
    text += fmt::format("; {} new file{}", opened.files_added, opened.files_added == 1 ? "" : "s");
  }
  return text;
}

// A rejects file of which some length is recorded must stay the one, or its lines would be cut, or
// come twice.
Status CheckRejectsPath(const Contents& contents, const OpenOptions& options) {
  if (contents.rejects_bytes == 0 || contents.rejects_path == options.rejects_path) {
    return Status::Ok();
  }
  return Status::Conflict(
      fmt::format("this job's rejects are in {}; give it with --rejects, or "
                  "begin anew with --restart",
                  contents.rejects_path));
}

// Takes a resumed journal to what this run adds to it.
Status WriteResumed(sqlite::Database* database, const OpenOptions& options, size_t added,
                    std::span<const IdentityField> shards_added, Contents* contents) {
  VECLOAD_RETURN_IF_ERROR(AllowWriting(database));
  if (added == 0 && shards_added.empty() && contents->rejects_path == options.rejects_path) {
    return Status::Ok();
  }
  contents->identity.insert(contents->identity.end(), shards_added.begin(), shards_added.end());
  contents->rejects_path = options.rejects_path;
  if (added > 0) contents->complete_ns = 0;
  VECLOAD_ASSIGN_OR_RETURN(Writer writer, Writer::Prepare(database));
  sqlite::Transaction transaction(database);
  VECLOAD_RETURN_IF_ERROR(transaction.Begin());
  VECLOAD_RETURN_IF_ERROR(writer.AddIdentity(shards_added));
  VECLOAD_RETURN_IF_ERROR(writer.AddFiles(contents, contents->files.size() - added));
  VECLOAD_RETURN_IF_ERROR(writer.WriteJob(*contents));
  return transaction.Commit();
}

struct Prepared {
  OpenFile file;
  Contents contents;
  FileMatch match;
  Outcome outcome = Outcome::kNew;
  std::vector<std::string> made_again;
};

// Reads what is there and decides. On return `contents` is what the journal is to hold.
Status Resume(const JobIdentity& identity, const Manifest& manifest, const OpenOptions& options,
              Prepared* prepared) {
  VECLOAD_ASSIGN_OR_RETURN(prepared->contents, ReadAll(&prepared->file.database));
  Contents& contents = prepared->contents;
  const IdentityDifference difference = Compare(contents.identity, identity.Fields(), identity);
  if (!difference.other_job.empty()) {
    return Status::Conflict(
        fmt::format("it is another job's: {}; give this one its own --journal "
                    "PATH, or overwrite that one with --restart",
                    fmt::join(difference.other_job, ", ")));
  }
  if (!difference.made_again.empty()) {
    prepared->outcome = Outcome::kIndexMadeAgain;
    prepared->made_again = difference.made_again;
    return Status::Ok();
  }
  for (const SettledSegment& settled : contents.segments.All()) {
    if (settled.segment.shard >= identity.indexes.size()) {
      return Status::Corrupt("the journal is damaged: a segment of a shard that is not there");
    }
  }
  VECLOAD_RETURN_IF_ERROR(CheckRejectsPath(contents, options));
  VECLOAD_ASSIGN_OR_RETURN(prepared->match, MatchFiles(manifest, &contents));
  prepared->outcome = contents.complete_ns != 0 && prepared->match.added == 0 ? Outcome::kComplete
                                                                              : Outcome::kResuming;
  return WriteResumed(&prepared->file.database, options, prepared->match.added, difference.added,
                      &contents);
}

Status WriteNewJob(const JobIdentity& identity, const Manifest& manifest,
                   const OpenOptions& options, Prepared* prepared) {
  prepared->contents = NewContents(identity, options);
  VECLOAD_ASSIGN_OR_RETURN(prepared->match, MatchFiles(manifest, &prepared->contents));
  prepared->match.added = 0;
  VECLOAD_RETURN_IF_ERROR(WriteNew(&prepared->file.database, &prepared->contents));
  return AllowWriting(&prepared->file.database);
}

Status Prepare(const JobIdentity& identity, const Manifest& manifest, const OpenOptions& options,
               Prepared* prepared) {
  VECLOAD_ASSIGN_OR_RETURN(const bool holds_journal, HoldsJournal(&prepared->file.database));
  if (holds_journal && !options.restart) {
    Status status = Resume(identity, manifest, options, prepared);
    if (status.code() == Code::kCorrupt) {
      return Status::Corrupt(status.message() +
                             "; nothing was changed: restore it from a copy, or begin anew "
                             "with --restart");
    }
    if (!status.ok() || prepared->outcome != Outcome::kIndexMadeAgain) return status;
  }
  if (holds_journal) {
    const std::string path = prepared->file.path;
    prepared->file.database = sqlite::Database();
    VECLOAD_RETURN_IF_ERROR(RemoveJournal(path, options.vfs));
    VECLOAD_ASSIGN_OR_RETURN(prepared->file, OpenForWriting(path, options.vfs));
  }
  return WriteNewJob(identity, manifest, options, prepared);
}

// Leaves of each file what is this job's.
void TakeShares(std::span<const RowRange> shares, Manifest* manifest,
                std::vector<uint64_t>* first_rows) {
  for (size_t i = 0; i < shares.size(); ++i) {
    CHECK(shares[i].begin <= shares[i].end && shares[i].end <= manifest->files[i].rows);
    manifest->files[i].rows = shares[i].end - shares[i].begin;
    (*first_rows)[i] = shares[i].begin;
  }
}

}  // namespace

Journal::Journal(sqlite::Database lock, sqlite::Database database, Writer writer, Contents contents,
                 std::vector<uint32_t> numbers, std::vector<uint64_t> first_rows, uint32_t shards)
    : lock_(std::move(lock)),
      database_(std::move(database)),
      writer_(std::move(writer)),
      contents_(std::move(contents)),
      numbers_(std::move(numbers)),
      first_rows_(std::move(first_rows)),
      shards_(shards),
      rows_total_(contents_.Rows()) {}

Result<Opened> Journal::Open(const std::string& path, const JobIdentity& identity,
                             const Manifest& manifest, const OpenOptions& options) {
  CHECK(!identity.indexes.empty());
  CHECK(options.shares.empty() || options.shares.size() == manifest.files.size());
  const std::string context = "journal " + path;
  Prepared prepared;
  auto file = OpenForWriting(path, options.vfs);
  if (!file.ok()) return file.status().WithContext(context);
  prepared.file = *std::move(file);
  auto lock = TakeLock(prepared.file.path, options.vfs);
  if (!lock.ok()) return lock.status().WithContext(context);
  Manifest of_job = manifest;
  std::vector<uint64_t> first_rows(manifest.files.size());
  TakeShares(options.shares, &of_job, &first_rows);
  const Status status = Prepare(identity, of_job, options, &prepared);
  if (!status.ok()) return status.WithContext(context);
  auto writer = Writer::Prepare(&prepared.file.database);
  if (!writer.ok()) return writer.status().WithContext(context);

  Opened opened;
  opened.outcome = prepared.outcome;
  opened.files_added = prepared.match.added;
  opened.files_vanished = prepared.match.vanished;
  if (opened.outcome == Outcome::kComplete) {
    opened.complete_since = WallTime(Duration(prepared.contents.complete_ns));
  }
  opened.message = Message(opened, prepared.contents, prepared.made_again);
  opened.journal.reset(new Journal(*std::move(lock), std::move(prepared.file.database),
                                   *std::move(writer), std::move(prepared.contents),
                                   std::move(prepared.match.numbers), std::move(first_rows),
                                   static_cast<uint32_t>(identity.indexes.size())));
  return opened;
}

Status Journal::Discard(std::unique_ptr<Journal> journal) {
  sqlite3* handle = journal->database_.handle();
  const std::string path = sqlite3_db_filename(handle, "main");
  sqlite3_vfs* vfs = nullptr;
  sqlite3_file_control(handle, "main", SQLITE_FCNTL_VFS_POINTER, static_cast<void*>(&vfs));
  CHECK(vfs != nullptr);
  // While the lock is held: nobody else can have begun with the file.
  return RemoveJournal(path, vfs->zName);
}

// Names the file as the table does, or says what is wrong with the segment.
Result<SettledSegment> Journal::ToStored(const SettledSegment& settled) const {
  const Segment& segment = settled.segment;
  const auto fault = [&](std::string_view what) {
    return Status::Internal(fmt::format("journal: rows {} to {} of file {}, shard {}: {}",
                                        segment.row_begin, segment.row_end, segment.file,
                                        segment.shard, what));
  };
  if (segment.file >= numbers_.size()) return fault("no such file");
  const uint32_t number = numbers_[segment.file];
  const uint64_t first_row = first_rows_[segment.file];
  if (segment.shard >= shards_) return fault("no such shard");
  if (segment.row_begin < first_row || segment.row_end > first_row + contents_.files[number].rows) {
    return fault("not among the file's rows that are this job's");
  }
  if (!settled.IsConsistent()) return fault("counts that do not fit the rows");
  SettledSegment stored = settled;
  stored.segment.file = number;
  stored.segment.row_begin -= first_row;
  stored.segment.row_end -= first_row;
  if (contents_.segments.Overlaps(stored.segment)) return fault("settled twice");
  return stored;
}

Status Journal::Record(std::span<const SettledSegment> batch, TimePoint now) {
  if (contents_.complete_ns != 0) return Status::Internal("journal: the job is complete");
  std::vector<SettledSegment> stored;
  stored.reserve(batch.size());
  for (const SettledSegment& settled : batch) {
    VECLOAD_ASSIGN_OR_RETURN(const SettledSegment one, ToStored(settled));
    stored.push_back(one);
  }
  if (AnyOverlap(stored)) return Status::Internal("journal: a batch settles a row twice");
  for (const SettledSegment& settled : stored) contents_.segments.Add(settled);
  if (batches_waiting_++ == 0) waiting_since_ = now;
  return Status::Ok();
}

TimePoint Journal::CommitDueAt() const {
  if (batches_waiting_ == 0) return TimePoint::max();
  return batches_waiting_ >= kGroupBatches ? waiting_since_ : waiting_since_ + kGroupWait;
}

Status Journal::Commit(uint64_t rejects_bytes, Survives survives) {
  const bool is_there = batches_waiting_ == 0 && rejects_bytes == contents_.rejects_bytes;
  if (is_there && (survives == Survives::kKill || survived_ == survives)) return Status::Ok();
  const uint64_t before = std::exchange(contents_.rejects_bytes, rejects_bytes);
  Status status = Write(survives);
  if (!status.ok()) contents_.rejects_bytes = before;
  return status;
}

Status Journal::MarkComplete(WallTime at) {
  if (batches_waiting_ != 0 || counts().rows != rows_total_) {
    return Status::Internal(fmt::format("journal: {} of {} rows are settled, {} batches wait",
                                        counts().rows, rows_total_, batches_waiting_));
  }
  // 0 stands for "not complete".
  contents_.complete_ns = std::max<int64_t>(1, SinceEpoch(at));
  Status status = Write(Survives::kPowerCut);
  if (!status.ok()) contents_.complete_ns = 0;
  return status;
}

Status Journal::Write(Survives survives) {
  const auto write = [&]() -> Status {
    VECLOAD_RETURN_IF_ERROR(SetSync(&database_, survives));
    sqlite::Transaction transaction(&database_);
    VECLOAD_RETURN_IF_ERROR(transaction.Begin());
    VECLOAD_RETURN_IF_ERROR(writer_.WriteSegments(contents_.segments.PendingChanges()));
    VECLOAD_RETURN_IF_ERROR(writer_.WriteJob(contents_));
    return transaction.Commit();
  };
  Status status = write();
  if (!status.ok()) {
    return status.WithContext("cannot write the journal; what it does not have is sent again");
  }
  contents_.segments.ChangesStored();
  batches_waiting_ = 0;
  survived_ = survives;
  return status;
}

std::vector<RowRange> Journal::Remaining(uint32_t file, uint32_t shard) const {
  CHECK(file < numbers_.size() && shard < shards_);
  const uint32_t number = numbers_[file];
  std::vector<RowRange> gaps = contents_.segments.Gaps(number, shard, contents_.files[number].rows);
  for (RowRange& gap : gaps) gap = {gap.begin + first_rows_[file], gap.end + first_rows_[file]};
  return gaps;
}

uint64_t Journal::RowsRecorded(uint32_t file) const {
  CHECK(file < numbers_.size());
  return contents_.segments.RowsOf(numbers_[file]);
}

std::vector<RowRange> Journal::Remaining(uint32_t file) const {
  CHECK(file < numbers_.size());
  const uint32_t number = numbers_[file];
  const uint64_t rows = contents_.files[number].rows;
  const uint64_t settled = contents_.segments.RowsOf(number);
  if (settled == rows) return {};
  if (settled == 0) return {{first_rows_[file], first_rows_[file] + rows}};
  std::vector<RowRange> all = Remaining(file, 0);
  for (uint32_t shard = 1; shard < shards_; ++shard) {
    std::ranges::copy(Remaining(file, shard), std::back_inserter(all));
  }
  std::ranges::sort(all, {}, &RowRange::begin);
  std::vector<RowRange> merged;
  for (const RowRange& range : all) {
    if (!merged.empty() && range.begin <= merged.back().end) {
      merged.back().end = std::max(merged.back().end, range.end);
    } else {
      merged.push_back(range);
    }
  }
  return merged;
}

bool Journal::IsRecorded(uint32_t file, uint32_t shard, uint64_t row) const {
  CHECK(file < numbers_.size());
  return row >= first_rows_[file] &&
         contents_.segments.Contains(numbers_[file], shard, row - first_rows_[file]);
}

SegmentSet Journal::Recorded() const {
  std::vector<uint32_t> place(contents_.files.size(), UINT32_MAX);  // of the table's files
  for (uint32_t file = 0; file < numbers_.size(); ++file) place[numbers_[file]] = file;
  SegmentSet recorded;
  for (SettledSegment settled : contents_.segments.All()) {
    Segment& segment = settled.segment;
    const uint32_t file = place[segment.file];
    if (file == UINT32_MAX) continue;  // vanished, and done
    segment.file = file;
    segment.row_begin += first_rows_[file];
    segment.row_end += first_rows_[file];
    recorded.Add(settled);
  }
  return recorded;
}

}  // namespace vecload::journal
