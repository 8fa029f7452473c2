#pragma once

#include <cstdint>
#include <string>

#include "sqlite/database.h"
#include "vecload/status.h"

namespace vecload::store {

// What marks a SQLite file as ours, and which form it has.
struct Format {
  int64_t application_id = 0;
  int64_t version = 0;
};
// "vecC" and "vecI" in ASCII. A change of a schema raises the version.
inline constexpr Format kCatalogFormat{0x76656343, 2};
inline constexpr Format kIndexFormat{0x76656349, 1};

// How the files of a store are kept.
struct Files {
  std::string vfs = {};  // empty: SQLite's default
  // A commit is on disk when it returns. Data that nobody will open again need not be.
  bool synced = true;
};

// Opens a connection that waits a moment for others. `flags` besides SQLITE_OPEN_READWRITE.
Result<sqlite::Database> OpenDatabase(const std::string& path, const Files& files, int flags = 0);
// Makes the tables of a new file and marks it, in one transaction.
Status CreateFormat(sqlite::Database* database, const Files& files, const Format& format,
                    const char* schema);
// kCorrupt: the file is not of this kind, or was written by a newer version.
Status CheckFormat(sqlite::Database* database, const Format& format);
// What every connection needs.
Status SetUpConnection(sqlite::Database* database, const Files& files);

}  // namespace vecload::store
