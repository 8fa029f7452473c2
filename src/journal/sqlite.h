#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <sqlite3.h>

#include "vecload/status.h"

// SQLite with values for errors: kIo where the disk or the file system failed, kCorrupt where the
// file is damaged or is no database, kUnavailable where another connection holds it. Messages name
// the file. One connection and its statements belong to one thread at a time.
namespace vecload::journal {

// A prepared statement. What is bound must live until the statement is reset; what a column gives
// lives until the next Step or Reset.
class Statement {
 public:
  Statement& Bind(int parameter, uint64_t value);
  Statement& Bind(int parameter, int64_t value);
  Statement& Bind(int parameter, std::string_view text);

  // Goes to the next row; false: there is none, and the statement is reset.
  Result<bool> Step();
  // Runs a statement that has no rows.
  Status Run();

  [[nodiscard]] int64_t Int(int column) const;
  [[nodiscard]] uint64_t Uint(int column) const { return static_cast<uint64_t>(Int(column)); }
  [[nodiscard]] std::string Text(int column) const;

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
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

}  // namespace vecload::journal
