#include "store/sqlite.h"

#include <bit>
#include <cstring>

namespace vecload::store {
namespace {

static_assert(std::endian::native == std::endian::little, "vectors are stored little-endian");

Code CodeOf(int sqlite_code) {
  switch (sqlite_code & 0xff) {
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_NOMEM:
      return Code::kIo;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Code::kCorrupt;
    case SQLITE_CONSTRAINT:
      return Code::kConflict;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Code::kUnavailable;
    default:
      return Code::kInternal;
  }
}

// Others get a moment to let go of the file, e.g. `sqlite3` in a user's hand.
constexpr int kBusyTimeoutMs = 5000;

}  // namespace

Status Database::ToStatus(sqlite3* database, int code) {
  const char* path = database == nullptr ? nullptr : sqlite3_db_filename(database, "main");
  const char* text = database == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(database);
  return {CodeOf(code), std::string(path == nullptr ? "SQLite" : path) + ": " + text};
}

Result<Database> Database::Open(const std::string& path, Mode mode) {
  sqlite3* opened = nullptr;
  // No mutex: each connection is guarded by a mutex of its owner.
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  if (mode == Mode::kCreate) flags |= SQLITE_OPEN_CREATE;
  const int code = sqlite3_open_v2(path.c_str(), &opened, flags, nullptr);
  Database database;
  database.database_.reset(opened);
  if (code != SQLITE_OK) {
    return Status(CodeOf(code), "cannot open " + path + ": " + sqlite3_errstr(code));
  }
  sqlite3_busy_timeout(opened, kBusyTimeoutMs);
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

void Database::Rollback() {
  if (database_ != nullptr && sqlite3_get_autocommit(handle()) == 0) {
    sqlite3_exec(handle(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
}

// The result of a bind is not looked at: it fails only for a parameter that is not there or a
// value beyond SQLite's 1 GB, and both are defects that the NOT NULL of the column then shows.
Statement& Statement::Bind(int parameter, int64_t value) {
  sqlite3_bind_int64(statement_.get(), parameter, value);
  return *this;
}

Statement& Statement::Bind(int parameter, double value) {
  sqlite3_bind_double(statement_.get(), parameter, value);
  return *this;
}

Statement& Statement::Bind(int parameter, std::string_view text) {
  // SQLite takes a null pointer for NULL, and an empty view may hold one.
  sqlite3_bind_text64(statement_.get(), parameter, text.data() == nullptr ? "" : text.data(),
                      text.size(), SQLITE_STATIC, SQLITE_UTF8);
  return *this;
}

Statement& Statement::Bind(int parameter, std::span<const float> floats) {
  sqlite3_bind_blob64(statement_.get(), parameter, floats.data(), floats.size_bytes(),
                      SQLITE_STATIC);
  return *this;
}

Result<bool> Statement::Step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  Status status;
  if (code != SQLITE_DONE) {
    status = Database::ToStatus(sqlite3_db_handle(statement_.get()), code);
  }
  Reset();
  if (!status.ok()) return status;
  return false;
}

Status Statement::Run() {
  VECLOAD_ASSIGN_OR_RETURN(const bool row, Step());
  if (row) Reset();
  return Status::Ok();
}

int64_t Statement::Int(int column) const { return sqlite3_column_int64(statement_.get(), column); }

double Statement::Double(int column) const {
  return sqlite3_column_double(statement_.get(), column);
}

std::string_view Statement::Text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  if (text == nullptr) return {};
  return {text, static_cast<size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

bool Statement::CopyFloats(int column, std::span<float> floats) const {
  const void* blob = sqlite3_column_blob(statement_.get(), column);
  const auto bytes = static_cast<size_t>(sqlite3_column_bytes(statement_.get(), column));
  if (blob == nullptr || bytes != floats.size_bytes()) return false;
  std::memcpy(floats.data(), blob, bytes);
  return true;
}

}  // namespace vecload::store
