#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "vecload/client.h"
#include "vecload/record.h"
#include "vecload/status.h"

namespace vecload {

/// How far an Export is.
struct ExportProgress {
  bool is_surveying = false;  ///< The first pass of a typed export: nothing is written yet.
  uint64_t vectors = 0;       ///< Read in this run and pass.
  uint64_t bytes = 0;         ///< Written so far, earlier runs included.
};

/// What to write where.
struct ExportOptions {
  IndexName index;  ///< Of an index, or the base of shards.
  ClientOptions client;
  /// One file where it ends in ".parquet"; else a folder of part-00000.parquet, ... While the
  /// export is unfinished there is only PATH.part, a folder that the same export goes on with.
  std::string path;
  /// A column for each metadata key whose values are of one type, found in a first pass. Otherwise
  /// (and too, where some key has no column) a column `metadata` holds the JSON.
  bool typed = false;
  bool overwrite = false;        ///< Replace what is there under `path`, once all is written.
  bool restart = false;          ///< Forget an unfinished export that is there.
  std::string codec = "snappy";  ///< none, snappy, zstd, lz4, gzip.
  /// A row group is written once its rows take this much memory; each thread collects one.
  uint64_t row_group_bytes_max = 16 << 20;
  uint64_t file_bytes_max = uint64_t{1} << 30;             ///< Of the files of a folder, about.
  uint32_t threads = 4;                                    ///< Segments of the index read at once.
  std::function<void(const std::string&)> on_message;      ///< What the user should know meanwhile.
  std::function<void(const ExportProgress&)> on_progress;  ///< From several threads, in turn.
  const std::atomic<bool>* stop = nullptr;                 ///< May be null.
};

/// What became of an export.
struct ExportReport {
  Status status;  ///< Not ok: it stopped early, and why; the same export again goes on.
  std::vector<std::string> files;  ///< Under their final names; empty where it stopped.
  uint64_t vectors = 0;            ///< In the files, earlier runs included.
  uint64_t vectors_resumed = 0;    ///< Of them, written by earlier runs.
  uint64_t row_groups = 0;
  uint64_t bytes = 0;               ///< Of the files.
  uint64_t list_calls = 0;          ///< Pages listed in this run, of both passes.
  uint32_t segments_restarted = 0;  ///< The service refused to go on with them.
  uint32_t shards = 1;
  uint64_t metadata_columns = 0;  ///< Of a typed export.
  bool has_json = false;          ///< There is a column `metadata` with JSON.
  /// Of a typed export, metadata keys that have no column of their own, and why.
  std::vector<std::pair<std::string, std::string>> keys_without_column;
  double wall_s = 0;
  double vectors_per_s = 0;  ///< Of those written in this run.
  uint64_t rss_bytes_max = 0;
};

/// Writes a whole index, or all shards of a base, into Parquet: `key` (string), `vector`
/// (fixed_size_list<float32>), and metadata as JSON (string `metadata`, null where there is none)
/// or by columns. Blocks until the end. Nothing is ever under its final name that is not whole.
///
/// A failure Status means that nothing was begun. kConflict: the target exists, or what is
/// unfinished there is another export or in use; kNotFound: no such index, a shard is missing, or
/// no such folder. Afterwards all is told by the report.
Result<ExportReport> Export(const ExportOptions& options);

}  // namespace vecload
