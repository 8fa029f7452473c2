#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "journal/identity.h"
#include "journal/segment_set.h"
#include "sqlite/database.h"
#include "vecload/source.h"
#include "vecload/status.h"

// The journal's tables: docs/internals/journal-format.md.
namespace vecload::journal {

inline constexpr int64_t kSchemaVersion = 1;

// Everything that a journal holds, as it is in the tables.
struct Contents {
  std::vector<IdentityField> identity;
  std::vector<SourceFile> files;  // without row groups and partitions
  SegmentSet segments;
  int64_t created_ns = 0;   // since the epoch
  int64_t complete_ns = 0;  // the same; 0: not complete
  std::string rejects_path;
  uint64_t rejects_bytes = 0;
  uint64_t manifest_checksum = 0;  // of `files`

  [[nodiscard]] std::vector<Counts> CountsByFile() const;
  [[nodiscard]] uint64_t Rows() const;
};

// Whether the file holds a journal, perhaps a damaged one; false: it is empty. Reads its header
// only. kCorrupt: not SQLite; kConflict: a database of another program.
Result<bool> HoldsJournal(sqlite::Database* database);

// Makes the tables and writes identity, files and the rest, in one transaction.
Status WriteNew(sqlite::Database* database, Contents* contents);

// Reads all of it as of one moment. kConflict: of a newer schema; kCorrupt: damaged, which
// SQLite's own check, our checksums and the relations between the values each can show.
Result<Contents> ReadAll(sqlite::Database* database);

// Writes changes into an open journal. The caller has the transaction.
class Writer {
 public:
  static Result<Writer> Prepare(sqlite::Database* database);
  // Appends contents->files[from, end) to the table, and their checksums to contents.
  Status AddFiles(Contents* contents, size_t from);
  Status AddIdentity(std::span<const IdentityField> fields);
  Status WriteSegments(const SegmentSet::Changes& changes);
  // What changes with every commit: rejects, completeness, the checksum.
  Status WriteJob(const Contents& contents);

 private:
  sqlite::Statement add_identity_;
  sqlite::Statement add_file_;
  sqlite::Statement erase_segment_;
  sqlite::Statement write_segment_;
  sqlite::Statement write_job_;
};

}  // namespace vecload::journal
