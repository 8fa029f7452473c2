#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "audit/export_journal.h"
#include "source/vector_file.h"
#include "source/vector_rows.h"
#include "vecload/export.h"
#include "vecload/status.h"

namespace vecload::audit {

// What an export is of; an unfinished one is gone on with only where all of it is the same.
using ExportIdentity = std::vector<std::pair<std::string, std::string>>;

// The columns as the first pass found them.
struct ExportColumns {
  std::vector<source::TypedKey> typed;
  bool has_json = true;
  std::vector<std::pair<std::string, std::string>> keys_without_column;  // and why
};

// What an export writes, from the first byte until it stands under its final name:
//
//   OUT.part/_journal                what is written, and how far each segment was read
//   OUT.part/_data/part-00000.parquet
//
// A row group counts once the journal has it, which is after its bytes are on the disk; what the
// files hold behind it is cut off when they are gone on with. Once all is there the files get their
// footers, and the file (or the folder _data) is renamed to OUT. Names begin with "_" so that no
// reader of the folders around takes what is unfinished for data.
//
// Add may be called from several threads at once.
class ExportFolder {
 public:
  // How far a segment of the index was read, and what was written of it.
  struct Segment {
    std::string next_token;  // empty: from its begin, or `done`
    bool is_done = false;
    uint64_t rows = 0;
    std::vector<std::pair<uint32_t, source::RowGroupPlace>> row_groups;  // and their files
  };

  // Makes the folder, or goes on with what is there. kConflict: the target exists; what is
  // unfinished there is another export's; or a process is at work on it.
  static Result<std::unique_ptr<ExportFolder>> Open(const ExportOptions& options,
                                                    const ExportIdentity& identity,
                                                    uint32_t segments);

  [[nodiscard]] bool is_resumed() const { return is_resumed_; }
  // Nothing is left to read: Complete may be called.
  [[nodiscard]] bool is_whole() const { return is_whole_; }
  // Seconds since the epoch, of the first run.
  [[nodiscard]] int64_t begun() const { return begun_; }
  [[nodiscard]] const std::optional<ExportColumns>& columns() const { return columns_; }
  [[nodiscard]] const std::vector<Segment>& segments() const { return segments_; }
  [[nodiscard]] uint64_t rows() const;
  [[nodiscard]] uint64_t row_groups() const;
  // Written so far. May be asked for at any time.
  [[nodiscard]] uint64_t bytes() const { return bytes_; }

  Status SetColumns(ExportColumns columns);
  // What is to be written from now on; the columns are set.
  void UseColumns(std::shared_ptr<const source::VectorColumns> columns) {
    plan_ = std::move(columns);
  }
  // Writes the rows (there may be none) as the next of this segment, which goes on at `next_token`
  // or, where that is empty, ends.
  Status Add(uint32_t segment, const source::VectorRows& rows, const std::string& next_token);
  // Drops what was written of the segment.
  Status Restart(uint32_t segment);
  // Makes the files whole and gives them their final names, which are returned.
  Result<std::vector<std::string>> Complete();

 private:
  ExportFolder(const ExportOptions& options, uint32_t segments);
  Status OpenJournal(const ExportIdentity& identity);
  Status Take(const ExportJournal::Entry& entry);
  Status TakeRows(const ExportJournal::Entry& entry);
  Status TakeColumns(const ExportJournal::Entry& entry);
  Status CheckIdentity(const ExportIdentity& identity) const;
  Status CheckTarget() const;
  [[nodiscard]] bool IsFreeFolder() const;
  Status StartAgain();
  Status Begin(const ExportIdentity& identity);
  // The file that the next row group goes to.
  Result<source::VectorFile*> CurrentFile();
  [[nodiscard]] std::string PathOfFile(uint32_t file) const;
  // What is renamed to the target.
  [[nodiscard]] std::filesystem::path Made() const;
  Status FinishFiles();
  Status MoveIntoPlace();
  Status MoveOldAway();
  [[nodiscard]] std::vector<std::string> FinalFiles() const;

  std::filesystem::path target_;
  std::filesystem::path folder_;
  std::filesystem::path data_;
  std::filesystem::path old_;
  bool is_one_file_ = false;
  bool overwrite_;
  bool restart_;
  uint64_t file_bytes_max_;
  std::unique_ptr<ExportJournal> journal_;
  ExportIdentity found_;  // empty: the journal is new
  bool is_resumed_ = false;
  bool is_whole_ = false;
  int64_t begun_ = 0;
  std::optional<ExportColumns> columns_;
  std::vector<Segment> segments_;
  std::vector<uint64_t> file_sizes_;  // of what the journal has
  std::shared_ptr<const source::VectorColumns> plan_;
  std::atomic<uint64_t> bytes_{0};
  std::mutex mutex_;  // of what follows, and of segments_, file_sizes_ and the journal
  std::unique_ptr<source::VectorFile> file_;  // the last one of file_sizes_
};

}  // namespace vecload::audit
