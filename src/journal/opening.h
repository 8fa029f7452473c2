#pragma once

#include <string>
#include <vector>

#include "journal/identity.h"
#include "journal/tables.h"
#include "sqlite/database.h"
#include "vecload/source.h"
#include "vecload/status.h"

// The steps of Journal::Open.
namespace vecload::journal {

// A journal's file, opened. `path` is without links, so that all names of a file share one lock.
struct OpenFile {
  sqlite::Database database;
  std::string path;
};

// Opens the file for writing, or makes an empty one. Closing it leaves its write-ahead log alone
// until AllowWriting, so that a file which turns out to be damaged or foreign stays as it is.
Result<OpenFile> OpenForWriting(const std::string& path, const std::string& vfs);
// The contents are wanted: sets the write-ahead log up.
Status AllowWriting(sqlite::Database* database);

// A connection that holds PATH-lock, an empty database, for as long as it lives. The lock ends with
// the process, however that ends; the file stays. kConflict: another run has it.
Result<sqlite::Database> TakeLock(const std::string& path, const std::string& vfs);
// Whether another connection has the lock.
bool IsLocked(const std::string& path, const std::string& vfs);

// Removes a journal that is closed, and locked by the caller.
Status RemoveJournal(const std::string& path, const std::string& vfs);

// Which file of the table each file of the manifest is.
struct FileMatch {
  std::vector<uint32_t> numbers;  // one a file of the manifest
  size_t added = 0;
  size_t vanished = 0;
};
// Appends the manifest's new files to contents->files. kConflict: a file changed, or is named
// twice; kNotFound: one is gone that was not done.
Result<FileMatch> MatchFiles(const Manifest& manifest, Contents* contents);

}  // namespace vecload::journal
