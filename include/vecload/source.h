#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vecload/aws_keys.h"
#include "vecload/record.h"
#include "vecload/status.h"

namespace vecload {

/// Whether a location or a file's URI is on S3: s3://BUCKET/KEY.
inline bool IsOnS3(std::string_view uri) { return uri.starts_with("s3://"); }
/// Whether a file's URI names a stream (vecload/stream.h): stream:NAME.
inline bool IsStream(std::string_view uri) { return uri.starts_with("stream:"); }

/// What stands for the rows of a stream that tells its length only by ending; no file has so many.
inline constexpr uint64_t kRowsUnknown = uint64_t{1} << 48;

/// One input file as it was when the job was planned.
struct SourceFile {
  std::string uri;    ///< A local path, or s3://BUCKET/KEY.
  uint64_t size = 0;  ///< Bytes.
  std::string etag;   ///< S3 only.
  int64_t mtime_ns = 0;
  uint64_t rows = 0;
  std::vector<uint64_t> row_group_rows;  ///< One entry a row group (Parquet) or batch (Arrow IPC).
  /// Hive partition columns of the path ("year=2024"), in path order, percent-decoded.
  std::vector<std::pair<std::string, std::string>> partitions;
};

/// Everything a job reads, in the order in which it is read; what a resumed job is compared with.
struct Manifest {
  std::vector<SourceFile> files;
  uint64_t rows = 0;
  uint64_t bytes = 0;
};

/// Which column becomes what, and why that one was chosen.
struct ColumnMapping {
  std::string key;
  std::string vector;
  std::vector<std::string> metadata;  ///< Top-level columns; a struct is flattened with dots.
  std::string metadata_json;          ///< Empty, or the one column that holds JSON objects.
  uint32_t dimension = 0;     ///< Of a vector column whose type fixes it; 0: rows may differ.
  std::string shard_by = {};  ///< The column whose values divide the rows; empty: none.
  bool shard_by_is_partition = false;  ///< It is a hive partition of the paths.
  /// Why this one: "named by --key-column", "the only list of floats". Empty of streams.
  std::string key_reason = {};
  std::string vector_reason = {};
  std::string metadata_reason = {};
};

/// How to find and read the input.
struct SourceOptions {
  std::string key_column;     ///< Empty: the one candidate.
  std::string vector_column;  ///< Empty: the one candidate.
  /// Empty: all columns that are neither key nor vector. {"none"}: none. Else these.
  std::vector<std::string> metadata_columns;
  std::string metadata_json;  ///< Excludes metadata_columns.
  /// Empty, or the column, or hive partition, each value of which is a shard (ADR 0012): of
  /// strings, integers or bools.
  std::string shard_by = {};
  std::string s3_profile;   ///< Empty: AWS_PROFILE and the default chain.
  std::string s3_region;    ///< Empty: AWS_REGION, the profile, then the bucket's own.
  AwsKeysCallback s3_keys;  ///< In place of the default chain's; null: the chain's.
  /// Of files on S3, what each reading thread may hold that is fetched before it is needed.
  uint64_t read_ahead_bytes_max = 32 << 20;
};

/// One source row, ready to be checked and encoded. All views point into the RowBlock that holds
/// the row and live as long as it does.
struct SourceRow {
  std::string_view key;           ///< As bytes; UTF-8 unless `fault` says otherwise.
  std::span<const float> vector;  ///< Rounded to float32, in the source's own length.
  std::string_view metadata;      ///< A JSON object, or empty where the row has no metadata.
  uint32_t metadata_bytes = 0;    ///< By the service's size model (wire/metadata.h).
  uint32_t metadata_filterable_bytes = 0;  ///< The part under filterable keys.
  uint32_t metadata_keys = 0;
  bool has_shard_value = false;  ///< Set where ColumnMapping::shard_by has a value for the row.
  RejectRule fault = RejectRule::kNone;  ///< What the source itself found wrong with the row.
  /// The column or JSON path at fault and what is wrong with it; empty where fault is kNone.
  std::string_view fault_detail;
  std::string_view shard_value;  ///< Its text: UTF-8, decimal, or true and false. May be empty.
};

/// Consecutive rows of one file.
struct RowBlock {
  uint32_t file = 0;
  uint64_t row_begin = 0;
  std::vector<SourceRow> rows;
  uint64_t bytes = 0;                 ///< Memory that `owner` holds, about.
  std::shared_ptr<const void> owner;  ///< Keeps alive what the rows' views point into.
};

/// The rows of one file to be read, and how.
struct ReadRequest {
  uint32_t file = 0;
  uint64_t row_begin = 0;
  uint64_t row_end = 0;
  uint32_t block_rows_max = 500;
  std::span<const std::string> non_filterable_keys;  ///< Of the index; decides what counts where.
  /// Reads and decodes the key column alone, and the one of ColumnMapping::shard_by: rows come
  /// without vector and metadata, and with the faults of these only.
  bool keys_only = false;
  /// Reads and decodes only the column of ColumnMapping::shard_by, which is no partition.
  bool shard_values_only = false;
};

/// The seam for input. An implementation is opened with its manifest complete, is immutable
/// afterwards, and lets several threads read different files at once.
class Source {
 public:
  virtual ~Source() = default;
  [[nodiscard]] virtual const Manifest& manifest() const = 0;
  [[nodiscard]] virtual const ColumnMapping& mapping() const = 0;
  /// Returns the length of the vectors: from the column's type, or else from the first row that
  /// has a vector. kInvalidArgument where no row has one.
  virtual Result<uint32_t> Dimension() = 0;
  /// Reads the rows in order and hands them over block by block; stops early with the Status that
  /// `deliver` returns. Memory stays bounded whatever the file's row-group size.
  /// kCorrupt or kIo name the file.
  virtual Status Read(const ReadRequest& request,
                      const std::function<Status(RowBlock)>& deliver) = 0;
  /// As Read for one request after the other, in this order. Knowing what comes next, a source
  /// that is far away fetches it meanwhile.
  virtual Status ReadAll(std::span<const ReadRequest> requests,
                         const std::function<Status(RowBlock)>& deliver);
  /// Whether a row may be asked for again. Not of a stream that passes by once, which takes only
  /// requests in the order of its rows.
  [[nodiscard]] virtual bool CanReadAgain() const { return true; }
  /// The manifest's rows; where those are kRowsUnknown, as many as there were so far, and all of
  /// them once a Read came to the end.
  [[nodiscard]] virtual uint64_t RowsKnown() const { return manifest().rows; }
};

/// Expands `locations` (files, globs, directories, prefixes; local or s3://) to files, reads each
/// footer, and binds the columns. kNotFound: nothing there; kInvalidArgument: not Parquet or
/// Arrow IPC, an empty file, no or several candidate columns, a column of unsupported type (the
/// message names it and the way out), files whose columns differ.
Result<std::unique_ptr<Source>> OpenSource(std::span<const std::string> locations,
                                           const SourceOptions& options);

/// What `vecload generate` writes: column id "v-000000042", embedding fixed_size_list<float32>
/// (normal, scaled to unit length), category (one of 17 strings), year (int64).
struct GenerateOptions {
  std::string path;  ///< With files > 1: "x.parquet" becomes "x-0000.parquet", ...
  uint64_t rows = 0;
  uint32_t dimension = 0;
  uint64_t seed = 0;
  uint32_t files = 1;
  uint64_t row_group_rows = 65536;
  /// none, snappy, zstd, lz4, gzip. Random floats do not shrink: zstd makes the file 8% smaller and
  /// reading it take twice the time.
  std::string codec = "snappy";
};

/// Writes the synthetic source; returns the paths written. Same options, same bytes.
Result<std::vector<std::string>> GenerateParquet(const GenerateOptions& options);

/// Ends Arrow's S3 client; call once before the program exits, after all Sources are gone.
void ShutdownSources();

}  // namespace vecload
