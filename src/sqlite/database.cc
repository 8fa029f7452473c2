#include "sqlite/database.h"

#include <bit>
#include <cstring>

namespace vecload::sqlite {
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
    case SQLITE_PROTOCOL:
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

Status ToStatus(sqlite3* database, int code) {
  const char* path = sqlite3_db_filename(database, "main");
  return {CodeOf(code),
          std::string(path == nullptr ? "SQLite" : path) + ": " + sqlite3_errmsg(database)};
}

sqlite3_vfs* FindVfs(const std::string& name) {
  return sqlite3_vfs_find(name.empty() ? nullptr : name.c_str());
}

}  // namespace

Result<Database> Database::Open(const std::string& name, int flags, const std::string& vfs) {
  sqlite3* opened = nullptr;
  // No mutex: each connection is guarded by its owner.
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
  return std::string(statement.Text(0));
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

Statement& Statement::Bind(int parameter, uint64_t value) {
  return Bind(parameter, static_cast<int64_t>(value));
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
  if (code != SQLITE_DONE) status = ToStatus(sqlite3_db_handle(statement_.get()), code);
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

bool FileExists(const std::string& path, const std::string& vfs) {
  sqlite3_vfs* found = FindVfs(vfs);
  int exists = 0;
  return found != nullptr &&
         found->xAccess(found, path.c_str(), SQLITE_ACCESS_EXISTS, &exists) == SQLITE_OK &&
         exists != 0;
}

Status RemoveFile(const std::string& path, const std::string& vfs) {
  sqlite3_vfs* found = FindVfs(vfs);
  if (found == nullptr) return Status::Internal("there is no VFS " + vfs);
  const int code = found->xDelete(found, path.c_str(), /*syncDir=*/1);
  if (code == SQLITE_OK || code == SQLITE_IOERR_DELETE_NOENT) return Status::Ok();
  return Status::Io("cannot remove " + path + ": " + sqlite3_errstr(code));
}

}  // namespace vecload::sqlite
