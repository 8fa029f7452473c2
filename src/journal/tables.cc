#include "journal/tables.h"

#include <array>
#include <cstring>
#include <limits>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "journal/checksum.h"

namespace vecload::journal {
namespace {

// "vclj"; tells a journal from other programs' databases.
constexpr int64_t kApplicationId = 0x76636c6a;

constexpr const char* kSchema = R"sql(
CREATE TABLE identity (
  name  TEXT PRIMARY KEY NOT NULL,
  value TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE manifest (
  file     INTEGER PRIMARY KEY NOT NULL,
  uri      TEXT NOT NULL,
  size     INTEGER NOT NULL,
  etag     TEXT NOT NULL,
  mtime_ns INTEGER NOT NULL,
  rows     INTEGER NOT NULL
);
CREATE TABLE segment (
  file       INTEGER NOT NULL,
  shard      INTEGER NOT NULL,
  row_begin  INTEGER NOT NULL,
  row_end    INTEGER NOT NULL,
  rows       INTEGER NOT NULL,
  superseded INTEGER NOT NULL,
  rejected   INTEGER NOT NULL,
  PRIMARY KEY (file, shard, row_begin)
) WITHOUT ROWID;
CREATE TABLE job (
  id            INTEGER PRIMARY KEY NOT NULL,
  created_ns    INTEGER NOT NULL,
  complete_ns   INTEGER NOT NULL,
  rejects_path  TEXT NOT NULL,
  rejects_bytes INTEGER NOT NULL,
  checksum      INTEGER NOT NULL
);
)sql";

uint64_t FileChecksum(uint64_t number, const SourceFile& file) {
  return Checksum()
      .Add(number)
      .Add(std::string_view(file.uri))
      .Add(file.size)
      .Add(std::string_view(file.etag))
      .Add(static_cast<uint64_t>(file.mtime_ns))
      .Add(file.rows)
      .value();
}

// Over everything in the journal: what SQLite's own check lets pass, a changed value or a page of
// another moment, shows here.
uint64_t ChecksumOf(const Contents& contents) {
  uint64_t identity = 0;
  for (const IdentityField& field : contents.identity) {
    identity += Checksum().Add(field.name).Add(field.value).value();
  }
  return Checksum()
      .Add(identity)
      .Add(static_cast<uint64_t>(contents.created_ns))
      .Add(static_cast<uint64_t>(contents.complete_ns))
      .Add(std::string_view(contents.rejects_path))
      .Add(contents.rejects_bytes)
      .Add(contents.manifest_checksum)
      .Add(contents.segments.checksum())
      .value();
}

Status Damaged(std::string_view what) {
  return Status::Corrupt(fmt::format("the journal is damaged: {}", what));
}

// Reads the header past SQLite, which reads nothing at all of a file that is cut short.
bool HeaderIsOurs(sqlite::Database* database) {
  sqlite3_file* file = nullptr;
  sqlite3_file_control(database->handle(), "main", SQLITE_FCNTL_FILE_POINTER,
                       static_cast<void*>(&file));
  std::array<unsigned char, 100>
      header{};  // https://www.sqlite.org/fileformat.html#the_database_header
  if (file == nullptr || file->pMethods == nullptr ||
      file->pMethods->xRead(file, header.data(), header.size(), 0) != SQLITE_OK) {
    return false;
  }
  constexpr size_t kApplicationIdOffset = 68;
  int64_t id = 0;
  for (size_t i = 0; i < 4; ++i) id = id << 8 | header[kApplicationIdOffset + i];
  return std::memcmp(header.data(), "SQLite format 3", 16) == 0 && id == kApplicationId;
}

Status CheckVersion(sqlite::Database* database) {
  VECLOAD_ASSIGN_OR_RETURN(const int64_t version, database->Number("PRAGMA user_version"));
  if (version == kSchemaVersion) return Status::Ok();
  if (version > kSchemaVersion) {
    return Status::Conflict(fmt::format(
        "the journal has schema version {}, this vecload knows {}: use the newer vecload", version,
        kSchemaVersion));
  }
  return Damaged(fmt::format("schema version {}", version));
}

Status ReadIdentity(sqlite::Database* database, Contents* contents) {
  VECLOAD_ASSIGN_OR_RETURN(sqlite::Statement rows,
                           database->Prepare("SELECT name, value FROM identity"));
  for (;;) {
    VECLOAD_ASSIGN_OR_RETURN(const bool row, rows.Step());
    if (!row) return Status::Ok();
    contents->identity.push_back({std::string(rows.Text(0)), std::string(rows.Text(1))});
  }
}

Status ReadManifest(sqlite::Database* database, Contents* contents) {
  VECLOAD_ASSIGN_OR_RETURN(
      sqlite::Statement rows,
      database->Prepare(
          "SELECT file, uri, size, etag, mtime_ns, rows FROM manifest ORDER BY file"));
  for (;;) {
    VECLOAD_ASSIGN_OR_RETURN(const bool row, rows.Step());
    if (!row) return Status::Ok();
    if (rows.Uint(0) != contents->files.size()) return Damaged("a file is missing");
    SourceFile file;
    file.uri = rows.Text(1);
    file.size = rows.Uint(2);
    file.etag = rows.Text(3);
    file.mtime_ns = rows.Int(4);
    file.rows = rows.Uint(5);
    contents->manifest_checksum += FileChecksum(contents->files.size(), file);
    contents->files.push_back(std::move(file));
  }
}

Status ReadSegments(sqlite::Database* database, Contents* contents) {
  VECLOAD_ASSIGN_OR_RETURN(
      sqlite::Statement rows,
      database->Prepare("SELECT file, shard, row_begin, row_end, rows, superseded, rejected "
                        "FROM segment ORDER BY file, shard, row_begin"));
  constexpr int64_t kShardMax = std::numeric_limits<uint32_t>::max();
  for (;;) {
    VECLOAD_ASSIGN_OR_RETURN(const bool row, rows.Step());
    if (!row) return Status::Ok();
    if (rows.Uint(0) >= contents->files.size()) return Damaged("a segment of no file");
    if (rows.Int(1) < 0 || rows.Int(1) > kShardMax) return Damaged("a segment of no shard");
    const SettledSegment settled{{static_cast<uint32_t>(rows.Int(0)),
                                  static_cast<uint32_t>(rows.Int(1)), rows.Uint(2), rows.Uint(3)},
                                 {rows.Uint(4), rows.Uint(5), rows.Uint(6)}};
    if (!settled.IsConsistent() ||
        settled.segment.row_end > contents->files[settled.segment.file].rows ||
        !contents->segments.AddStored(settled)) {
      return Damaged("segments that contradict each other");
    }
  }
}

Status ReadTables(sqlite::Database* database, Contents* contents) {
  VECLOAD_ASSIGN_OR_RETURN(const std::string check, database->Text("PRAGMA integrity_check(1)"));
  if (check != "ok") return Damaged(check);
  VECLOAD_ASSIGN_OR_RETURN(sqlite::Statement job,
                           database->Prepare("SELECT created_ns, complete_ns, rejects_path, "
                                             "rejects_bytes, checksum FROM job"));
  VECLOAD_ASSIGN_OR_RETURN(const bool row, job.Step());
  if (!row) return Damaged("table job is empty");
  contents->created_ns = job.Int(0);
  contents->complete_ns = job.Int(1);
  contents->rejects_path = job.Text(2);
  contents->rejects_bytes = job.Uint(3);
  VECLOAD_RETURN_IF_ERROR(ReadIdentity(database, contents));
  VECLOAD_RETURN_IF_ERROR(ReadManifest(database, contents));
  VECLOAD_RETURN_IF_ERROR(ReadSegments(database, contents));
  return ChecksumOf(*contents) == job.Uint(4) ? Status::Ok() : Damaged("its checksum does not fit");
}

}  // namespace

std::vector<Counts> Contents::CountsByFile() const {
  std::vector<Counts> counts(files.size());
  for (const SettledSegment& settled : segments.All()) {
    counts[settled.segment.file] += settled.counts;
  }
  return counts;
}

uint64_t Contents::Rows() const {
  uint64_t rows = 0;
  for (const SourceFile& file : files) rows += file.rows;
  return rows;
}

Result<bool> HoldsJournal(sqlite::Database* database) {
  const auto id = database->Number("PRAGMA application_id");
  if (id.status().code() == Code::kCorrupt) {
    if (HeaderIsOurs(database)) return true;
    return Status::Corrupt(
        id.status().message() +
        "; it is no journal, or its beginning is destroyed; nothing was changed: "
        "give the journal another place with --journal PATH");
  }
  if (!id.ok()) return id.status();
  if (*id == kApplicationId) return true;
  VECLOAD_ASSIGN_OR_RETURN(const int64_t pages, database->Number("PRAGMA page_count"));
  if (pages == 0) return false;
  return Status::Conflict("a SQLite database, but not a journal of vecload");
}

Status WriteNew(sqlite::Database* database, Contents* contents) {
  sqlite::Transaction transaction(database);
  VECLOAD_RETURN_IF_ERROR(transaction.Begin());
  VECLOAD_RETURN_IF_ERROR(
      database->Execute(fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}; {}",
                                    kApplicationId, kSchemaVersion, kSchema)
                            .c_str()));
  VECLOAD_ASSIGN_OR_RETURN(Writer writer, Writer::Prepare(database));
  VECLOAD_RETURN_IF_ERROR(writer.AddIdentity(contents->identity));
  VECLOAD_RETURN_IF_ERROR(writer.AddFiles(contents, 0));
  VECLOAD_RETURN_IF_ERROR(writer.WriteJob(*contents));
  return transaction.Commit();
}

Result<Contents> ReadAll(sqlite::Database* database) {
  VECLOAD_RETURN_IF_ERROR(CheckVersion(database));
  sqlite::Transaction transaction(database);
  VECLOAD_RETURN_IF_ERROR(transaction.Begin("BEGIN"));
  Contents contents;
  const Status status = ReadTables(database, &contents);
  // A damaged schema shows as SQL that does not compile.
  if (status.code() == Code::kInternal) return Damaged(status.message());
  if (!status.ok()) return status;
  return contents;
}

Result<Writer> Writer::Prepare(sqlite::Database* database) {
  Writer writer;
  VECLOAD_ASSIGN_OR_RETURN(writer.add_identity_,
                           database->Prepare("INSERT INTO identity VALUES (?, ?)"));
  VECLOAD_ASSIGN_OR_RETURN(writer.add_file_,
                           database->Prepare("INSERT INTO manifest VALUES (?, ?, ?, ?, ?, ?)"));
  VECLOAD_ASSIGN_OR_RETURN(
      writer.erase_segment_,
      database->Prepare("DELETE FROM segment WHERE file = ? AND shard = ? AND row_begin = ?"));
  VECLOAD_ASSIGN_OR_RETURN(
      writer.write_segment_,
      database->Prepare("INSERT OR REPLACE INTO segment VALUES (?, ?, ?, ?, ?, ?, ?)"));
  VECLOAD_ASSIGN_OR_RETURN(
      writer.write_job_, database->Prepare("INSERT OR REPLACE INTO job VALUES (1, ?, ?, ?, ?, ?)"));
  return writer;
}

Status Writer::AddIdentity(std::span<const IdentityField> fields) {
  for (const IdentityField& field : fields) {
    add_identity_.Bind(1, field.name).Bind(2, field.value);
    VECLOAD_RETURN_IF_ERROR(add_identity_.Run());
  }
  return Status::Ok();
}

Status Writer::AddFiles(Contents* contents, size_t from) {
  for (size_t number = from; number < contents->files.size(); ++number) {
    const SourceFile& file = contents->files[number];
    contents->manifest_checksum += FileChecksum(number, file);
    add_file_.Bind(1, uint64_t{number})
        .Bind(2, std::string_view(file.uri))
        .Bind(3, file.size)
        .Bind(4, std::string_view(file.etag))
        .Bind(5, file.mtime_ns)
        .Bind(6, file.rows);
    VECLOAD_RETURN_IF_ERROR(add_file_.Run());
  }
  return Status::Ok();
}

Status Writer::WriteSegments(const SegmentSet::Changes& changes) {
  for (const Segment& segment : changes.erased) {
    erase_segment_.Bind(1, uint64_t{segment.file})
        .Bind(2, uint64_t{segment.shard})
        .Bind(3, segment.row_begin);
    VECLOAD_RETURN_IF_ERROR(erase_segment_.Run());
  }
  for (const auto& [segment, counts] : changes.written) {
    write_segment_.Bind(1, uint64_t{segment.file})
        .Bind(2, uint64_t{segment.shard})
        .Bind(3, segment.row_begin)
        .Bind(4, segment.row_end)
        .Bind(5, counts.rows)
        .Bind(6, counts.superseded)
        .Bind(7, counts.rejected);
    VECLOAD_RETURN_IF_ERROR(write_segment_.Run());
  }
  return Status::Ok();
}

Status Writer::WriteJob(const Contents& contents) {
  write_job_.Bind(1, contents.created_ns)
      .Bind(2, contents.complete_ns)
      .Bind(3, std::string_view(contents.rejects_path))
      .Bind(4, contents.rejects_bytes)
      .Bind(5, ChecksumOf(contents));
  return write_job_.Run();
}

}  // namespace vecload::journal
