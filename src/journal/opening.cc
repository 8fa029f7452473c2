#include "journal/opening.h"

#include <string_view>
#include <unordered_map>

#include <fmt/format.h>

namespace vecload::journal {
namespace {

// `vecload journal show`, or sqlite3 in a user's hand, gets a moment to let go of the file.
constexpr int kBusyTimeoutMs = 5000;

// Size and rows always; then the etag where S3 gave one, the time of change where there is none.
bool IsChanged(const SourceFile& before, const SourceFile& now) {
  if (before.size != now.size || before.rows != now.rows) return true;
  if (!before.etag.empty() || !now.etag.empty()) return before.etag != now.etag;
  return before.mtime_ns != now.mtime_ns;
}

}  // namespace

Result<OpenFile> OpenForWriting(const std::string& path, const std::string& vfs) {
  OpenFile file;
  VECLOAD_ASSIGN_OR_RETURN(
      file.database, sqlite::Database::Open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, vfs));
  sqlite3* handle = file.database.handle();
  // SQLite opens what it may not write for reading.
  if (sqlite3_db_readonly(handle, "main") != 0) {
    return Status::Io("it cannot be written; give it another place with --journal PATH");
  }
  sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  sqlite3_busy_timeout(handle, kBusyTimeoutMs);
  file.path = sqlite3_db_filename(handle, "main");
  return file;
}

Status AllowWriting(sqlite::Database* database) {
  VECLOAD_ASSIGN_OR_RETURN(const std::string mode, database->Text("PRAGMA journal_mode = WAL"));
  if (mode != "wal") {
    return Status::Io(
        "its file system cannot share memory, as a write-ahead log needs; "
        "give it a local disk with --journal PATH");
  }
  sqlite3_db_config(database->handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, nullptr);
  return database->Execute("PRAGMA synchronous = FULL");
}

Result<sqlite::Database> TakeLock(const std::string& path, const std::string& vfs) {
  VECLOAD_ASSIGN_OR_RETURN(
      sqlite::Database lock,
      sqlite::Database::Open(path + "-lock", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, vfs));
  // Nothing is ever written, so no rollback journal is needed either.
  const Status status = lock.Execute("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
  if (status.code() == Code::kUnavailable) {
    return Status::Conflict(
        "another run has it open; wait for that one, or give this one its own --journal PATH");
  }
  if (!status.ok()) return status;
  return lock;
}

bool IsLocked(const std::string& path, const std::string& vfs) {
  auto lock = sqlite::Database::Open(path + "-lock", SQLITE_OPEN_READONLY, vfs);
  if (!lock.ok()) return false;
  return lock->Number("SELECT count(*) FROM sqlite_master").status().code() == Code::kUnavailable;
}

Status RemoveJournal(const std::string& path, const std::string& vfs) {
  // The database first: SQLite ignores a log without one, but not a database without its log.
  VECLOAD_RETURN_IF_ERROR(sqlite::RemoveFile(path, vfs));
  VECLOAD_RETURN_IF_ERROR(sqlite::RemoveFile(path + "-wal", vfs));
  return sqlite::RemoveFile(path + "-journal", vfs);
}

Result<FileMatch> MatchFiles(const Manifest& manifest, Contents* contents) {
  const size_t known = contents->files.size();
  // The map's keys point into `files`, which must not move from here on.
  contents->files.reserve(known + manifest.files.size());
  std::unordered_map<std::string_view, uint32_t> by_uri;
  by_uri.reserve(known + manifest.files.size());
  for (uint32_t number = 0; number < known; ++number) {
    by_uri.emplace(contents->files[number].uri, number);
  }
  std::vector<bool> present(known + manifest.files.size());
  FileMatch match;
  for (const SourceFile& file : manifest.files) {
    auto found = by_uri.find(file.uri);
    if (found == by_uri.end()) {
      contents->files.push_back({.uri = file.uri,
                                 .size = file.size,
                                 .etag = file.etag,
                                 .mtime_ns = file.mtime_ns,
                                 .rows = file.rows});
      found = by_uri.emplace(contents->files.back().uri, contents->files.size() - 1).first;
      ++match.added;
    } else if (present[found->second]) {
      return Status::Conflict(fmt::format("{} is twice among the sources", file.uri));
    } else if (IsChanged(contents->files[found->second], file)) {
      return Status::Conflict(
          fmt::format("{} changed since this job began; restore the file as it was, or begin anew "
                      "with --restart",
                      file.uri));
    }
    present[found->second] = true;
    match.numbers.push_back(found->second);
  }
  const std::vector<Counts> counts = contents->CountsByFile();
  for (size_t number = 0; number < known; ++number) {
    if (present[number]) continue;
    ++match.vanished;
    const SourceFile& file = contents->files[number];
    if (counts[number].rows < file.rows) {
      return Status::NotFound(
          fmt::format("{} is gone and {} of its {} rows are not done; restore the file and name "
                      "it among the sources, or begin anew without it with --restart",
                      file.uri, file.rows - counts[number].rows, file.rows));
    }
  }
  return match;
}

}  // namespace vecload::journal
