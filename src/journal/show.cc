#include "journal/show.h"

#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "journal/opening.h"
#include "journal/tables.h"

namespace vecload::journal {
namespace {

std::string ToUri(std::string_view path) {
  std::string uri = "file:";
  for (const char c : path) {
    if (c == '%' || c == '?' || c == '#') {
      uri += fmt::format("%{:02x}", static_cast<unsigned char>(c));
    } else {
      uri += c;
    }
  }
  return uri;
}

// A journal that was closed has no write-ahead log, and reading it must not make one.
Result<OpenFile> OpenForReading(const std::string& path, const std::string& vfs) {
  OpenFile file;
  VECLOAD_ASSIGN_OR_RETURN(file.database, sqlite::Database::Open(path, SQLITE_OPEN_READONLY, vfs));
  file.path = sqlite3_db_filename(file.database.handle(), "main");
  if (!sqlite::FileExists(file.path + "-wal", vfs) &&
      !sqlite::FileExists(file.path + "-journal", vfs)) {
    VECLOAD_ASSIGN_OR_RETURN(file.database,
                             sqlite::Database::Open(ToUri(file.path) + "?immutable=1",
                                                    SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, vfs));
  }
  return file;
}

Result<Shown> ShowOpened(OpenFile* file, const std::string& vfs) {
  VECLOAD_ASSIGN_OR_RETURN(const bool holds_journal, HoldsJournal(&file->database));
  if (!holds_journal) return Status::NotFound("it is empty");
  VECLOAD_ASSIGN_OR_RETURN(Contents contents, ReadAll(&file->database));
  Shown shown;
  shown.schema_version = kSchemaVersion;
  shown.in_use = IsLocked(file->path, vfs);
  const std::vector<Counts> counts = contents.CountsByFile();
  for (size_t number = 0; number < counts.size(); ++number) {
    SourceFile& source = contents.files[number];
    shown.files.push_back({std::move(source.uri), source.rows, counts[number]});
  }
  shown.identity = std::move(contents.identity);
  shown.rows_total = contents.Rows();
  shown.counts = contents.segments.counts();
  shown.segments = contents.segments.size();
  shown.rejects_path = std::move(contents.rejects_path);
  shown.rejects_bytes = contents.rejects_bytes;
  shown.created = WallTime(Duration(contents.created_ns));
  if (contents.complete_ns != 0) shown.complete_since = WallTime(Duration(contents.complete_ns));
  return shown;
}

}  // namespace

Result<Shown> Show(const std::string& path, const std::string& vfs) {
  const std::string context = "journal " + path;
  if (!sqlite::FileExists(path, vfs)) return Status::NotFound(context + ": there is none");
  auto file = OpenForReading(path, vfs);
  if (!file.ok()) return file.status().WithContext(context);
  auto shown = ShowOpened(&*file, vfs);
  if (!shown.ok()) return shown.status().WithContext(context);
  return shown;
}

}  // namespace vecload::journal
