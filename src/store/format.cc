#include "store/format.h"

#include <string>

namespace vecload::store {
namespace {

// E.g. `sqlite3` in a user's hand gets a moment to let go of the file.
constexpr int kBusyTimeoutMs = 5000;

}  // namespace

Result<sqlite::Database> OpenDatabase(const std::string& path, const Files& files, int flags) {
  auto database = sqlite::Database::Open(path, SQLITE_OPEN_READWRITE | flags, files.vfs);
  if (!database.ok()) return database.status().WithContext("cannot open");
  sqlite3_busy_timeout(database->handle(), kBusyTimeoutMs);
  return database;
}

Status CreateFormat(sqlite::Database* database, const Files& files, const Format& format,
                    const char* schema) {
  VECLOAD_RETURN_IF_ERROR(database->Execute("PRAGMA journal_mode=WAL"));
  VECLOAD_RETURN_IF_ERROR(SetUpConnection(database, files));
  sqlite::Transaction transaction(database);
  VECLOAD_RETURN_IF_ERROR(transaction.Begin());
  VECLOAD_RETURN_IF_ERROR(database->Execute(schema));
  const std::string mark = "PRAGMA application_id=" + std::to_string(format.application_id) +
                           "; PRAGMA user_version=" + std::to_string(format.version);
  VECLOAD_RETURN_IF_ERROR(database->Execute(mark.c_str()));
  return transaction.Commit();
}

Status CheckFormat(sqlite::Database* database, const Format& format) {
  const std::string path = sqlite3_db_filename(database->handle(), "main");
  VECLOAD_ASSIGN_OR_RETURN(const int64_t id, database->Number("PRAGMA application_id"));
  if (id != format.application_id) {
    return Status::Corrupt(path + " was not made by vecload; choose another --data-dir");
  }
  VECLOAD_ASSIGN_OR_RETURN(const int64_t version, database->Number("PRAGMA user_version"));
  if (version != format.version) {
    return Status::Corrupt(path + " has format " + std::to_string(version) +
                           ", and this vecload reads format " + std::to_string(format.version) +
                           "; use the version of vecload that wrote it");
  }
  return Status::Ok();
}

Status SetUpConnection(sqlite::Database* database, const Files& files) {
  // FULL syncs the write-ahead log at each commit; it cost nothing that could be measured against
  // NORMAL (ADR 0005). The log is checkpointed by the owner, outside of its commits.
  VECLOAD_RETURN_IF_ERROR(
      database->Execute(files.synced ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=OFF"));
  return database->Execute("PRAGMA wal_autocheckpoint=0; PRAGMA temp_store=MEMORY");
}

}  // namespace vecload::store
