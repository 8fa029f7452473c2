#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <sqlite3.h>

#include "vecload/status.h"

// SQLite with values for errors: kIo where the disk or the file system failed, kCorrupt where the
// file is damaged or is no database, kConflict where a constraint failed, kUnavailable where
// another connection holds it. Messages name the file. One connection and its statements belong to
// one thread at a time.
namespace vecload::sqlite {

class Database;

// A prepared statement. What is bound must live until the statement is reset; what a column gives
// lives until the next Step or Reset.
class Statement {
 public:
  Statement& Bind(int parameter, int64_t value);
  Statement& Bind(int parameter, uint64_t value);
  Statement& Bind(int parameter, double value);
  Statement& Bind(int parameter, std::string_view text);
  Statement& Bind(int parameter, std::span<const float> floats);  // as a blob of their bytes

  // Goes to the next row; false: there is none, and the statement is reset.
  Result<bool> Step();
  // Runs a statement that has no rows, or whose rows do not matter.
  Status Run();
  void Reset() { sqlite3_reset(statement_.get()); }

  [[nodiscard]] int64_t Int(int column) const;
  [[nodiscard]] uint64_t Uint(int column) const { return static_cast<uint64_t>(Int(column)); }
  [[nodiscard]] double Double(int column) const;
  [[nodiscard]] std::string_view Text(int column) const;
  // Copies, since SQLite does not align blobs; false where the blob is not as long as `floats`.
  [[nodiscard]] bool CopyFloats(int column, std::span<float> floats) const;

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

// Resets the statement at the end of the scope, which also ends its hold on a snapshot.
class ResetAtEnd {
 public:
  explicit ResetAtEnd(Statement* statement) : statement_(statement) {}
  ResetAtEnd(const ResetAtEnd&) = delete;
  ResetAtEnd& operator=(const ResetAtEnd&) = delete;
  ~ResetAtEnd() { statement_->Reset(); }

 private:
  Statement* statement_;
};

class Database {
 public:
  // `name` is a path, or a URI where the flags have SQLITE_OPEN_URI. An empty `vfs` is the default.
  static Result<Database> Open(const std::string& name, int flags, const std::string& vfs);

  Status Execute(const char* sql);
  Result<Statement> Prepare(std::string_view sql);
  // The first column of the one row that `sql` gives.
  Result<int64_t> Number(std::string_view sql);
  Result<std::string> Text(std::string_view sql);

  // Undoes the open transaction, if there is one.
  void Rollback();
  sqlite3* handle() { return database_.get(); }

 private:
  struct Close {
    void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
  };
  std::unique_ptr<sqlite3, Close> database_;
};

// A transaction that is undone unless it was committed.
class Transaction {
 public:
  explicit Transaction(Database* database) : database_(database) {}
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction() { database_->Rollback(); }
  Status Begin(const char* how = "BEGIN IMMEDIATE") { return database_->Execute(how); }
  Status Commit() { return database_->Execute("COMMIT"); }

 private:
  Database* database_;
};

// Files as the VFS sees them. FileExists: and there is something in it. Removing one that is not
// there is fine; the removal is durable.
bool FileExists(const std::string& path, const std::string& vfs);
Status RemoveFile(const std::string& path, const std::string& vfs);

}  // namespace vecload::sqlite
