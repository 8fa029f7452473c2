#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "vecload/client.h"
#include "vecload/record.h"
#include "vecload/source.h"
#include "vecload/status.h"

namespace vecload {

/// Which row of several with one key the load was to keep; kAny: each of them is right.
enum class ExpectedRow { kAny, kFirst, kLast };

/// How numbers in metadata are compared: by their value as a double, or as a float32.
enum class MetadataNumbers { kFloat64, kFloat32 };

/// How far a Verify is.
struct VerifyProgress {
  uint32_t pass = 1;  ///< The second one reads both sides again, for the differing buckets.
  uint64_t source_rows = 0;
  uint64_t source_rows_total = 0;
  uint64_t index_vectors = 0;
};

/// What to compare with what.
struct VerifyOptions {
  std::vector<std::string> sources;
  SourceOptions source;
  IndexName index;  ///< Of an index, or the base of shards.
  ClientOptions client;
  std::string rejects_path;  ///< Rows that this file lists are expected absent; empty: none.
  ExpectedRow expected_row = ExpectedRow::kAny;
  MetadataNumbers metadata_numbers = MetadataNumbers::kFloat64;
  bool keys_only = false;
  uint64_t sample = 0;  ///< Asks for about so many keys of the source; 0: compares everything.
  uint32_t threads = 4;
  uint64_t memory_bytes_max = 32 << 20;  ///< Of the second pass; what is more goes to $TMPDIR.
  std::string differences_path;          ///< Rows that are missing or different, as JSON Lines.
  std::string extra_path;                ///< Keys that only the index has, as JSON Lines.
  std::function<void(const VerifyProgress&)> on_progress;  ///< From several threads, in turn.
  const std::atomic<bool>* stop = nullptr;                 ///< May be null.
};

/// What was found. Rows that are superseded, listed as rejected or unloadable are no differences.
struct VerifyReport {
  uint64_t source_rows = 0;
  uint64_t index_vectors = 0;  ///< Of a sample: those that were asked for and found.
  uint64_t sampled_rows = 0;
  uint64_t rows_rejected = 0;    ///< Listed in the rejects file.
  uint64_t rows_unloadable = 0;  ///< Break a rule of the index, and are not listed.
  uint64_t missing = 0;          ///< Keys.
  uint64_t extra = 0;
  uint64_t different_vector = 0;    ///< Vector, and perhaps metadata too.
  uint64_t different_metadata = 0;  ///< Metadata alone.
  uint64_t buckets_differing = 0;
  uint64_t list_calls = 0;  ///< Pages that were listed, both passes together.
  uint32_t shards = 1;
  double wall_s = 0;

  [[nodiscard]] bool equal() const {
    return missing + extra + different_vector + different_metadata == 0;
  }
};

/// Compares the whole source with the whole index. Success means that the comparison was made,
/// whatever it found. kConflict: source or index changed while they were read, so nothing can be
/// said; kInvalidArgument: the source cannot be that of this index (dimension); kNotFound: no such
/// index, or a shard is missing; kCancelled: `stop` was set.
Result<VerifyReport> Verify(const VerifyOptions& options);

/// As Verify, of a source that is open: options.sources and options.source are not read.
/// kInvalidArgument too: a stream that passes by once, or whose rows are divided by value.
Result<VerifyReport> Verify(const VerifyOptions& options, Source* source);

}  // namespace vecload
