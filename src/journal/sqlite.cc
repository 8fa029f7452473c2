#include "journal/sqlite.h"

namespace vecload::journal {
namespace {

Code CodeOf(int sqlite_code) {
  switch (sqlite_code & 0xff) {
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_NOMEM:
    case SQLITE_PROTOCOL:
      return Code::kIo;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Code::kCorrupt;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Code::kUnavailable;
    default:
      return Code::kInternal;
  }
}

Status ToStatus(sqlite3* database, int code) {
  const char* path = sqlite3_db_filename(database, "main");
  return {CodeOf(code),
          std::string(path == nullptr ? "SQLite" : path) + ": " + sqlite3_errmsg(database)};
}

}  // namespace

Result<Database> Database::Open(const std::string& name, int flags, const std::string& vfs) {
  sqlite3* opened = nullptr;
  const int code =
      sqlite3_open_v2(name.c_str(), &opened, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                      vfs.empty() ? nullptr : vfs.c_str());
  Database database;
  database.database_.reset(opened);
  if (code != SQLITE_OK) return Status(CodeOf(code), name + ": " + sqlite3_errstr(code));
  return database;
}

Status Database::Execute(const char* sql) {
  const int code = sqlite3_exec(handle(), sql, nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? Status::Ok() : ToStatus(handle(), code);
}

Result<Statement> Database::Prepare(std::string_view sql) {
  sqlite3_stmt* prepared = nullptr;
  const int code = sqlite3_prepare_v3(handle(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &prepared, nullptr);
  if (code != SQLITE_OK) return ToStatus(handle(), code);
  Statement statement;
  statement.statement_.reset(prepared);
  return statement;
}

Result<int64_t> Database::Number(std::string_view sql) {
  VECLOAD_ASSIGN_OR_RETURN(Statement statement, Prepare(sql));
  VECLOAD_ASSIGN_OR_RETURN(const bool row, statement.Step());
  if (!row) return Status::Internal(std::string(sql) + ": no row");
  return statement.Int(0);
}

Result<std::string> Database::Text(std::string_view sql) {
  VECLOAD_ASSIGN_OR_RETURN(Statement statement, Prepare(sql));
  VECLOAD_ASSIGN_OR_RETURN(const bool row, statement.Step());
  if (!row) return Status::Internal(std::string(sql) + ": no row");
  return statement.Text(0);
}

void Database::Rollback() {
  if (database_ != nullptr && sqlite3_get_autocommit(handle()) == 0) {
    sqlite3_exec(handle(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
}

// The result of a bind is not looked at: it fails only for a parameter that is not there or a text
// beyond SQLite's 1 GB, and both are defects that the NOT NULL of the column then shows.
Statement& Statement::Bind(int parameter, int64_t value) {
  sqlite3_bind_int64(statement_.get(), parameter, value);
  return *this;
}

Statement& Statement::Bind(int parameter, uint64_t value) {
  return Bind(parameter, static_cast<int64_t>(value));
}

Statement& Statement::Bind(int parameter, std::string_view text) {
  // SQLite takes a null pointer for NULL, and an empty view may hold one.
  sqlite3_bind_text64(statement_.get(), parameter, text.data() == nullptr ? "" : text.data(),
                      text.size(), SQLITE_STATIC, SQLITE_UTF8);
  return *this;
}

Result<bool> Statement::Step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  Status status;
  if (code != SQLITE_DONE) status = ToStatus(sqlite3_db_handle(statement_.get()), code);
  sqlite3_reset(statement_.get());
  if (!status.ok()) return status;
  return false;
}

Status Statement::Run() {
  VECLOAD_ASSIGN_OR_RETURN(const bool row, Step());
  if (row) sqlite3_reset(statement_.get());
  return Status::Ok();
}

int64_t Statement::Int(int column) const { return sqlite3_column_int64(statement_.get(), column); }

std::string Statement::Text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  if (text == nullptr) return {};
  return {text, static_cast<size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

}  // namespace vecload::journal
