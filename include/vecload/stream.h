#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "vecload/source.h"
#include "vecload/status.h"

struct ArrowArrayStream;  // of Arrow's C stream interface

namespace vecload {

/// A stream of Arrow record batches, as any library hands it over.
struct StreamOptions {
  /// In messages and rejects "stream:NAME". A journal knows a row by this name and its position, so
  /// a load that is to be resumed needs the same rows in the same order under the same name.
  std::string name;
  /// Absent: as many as come until it ends.
  std::optional<uint64_t> rows;
  /// Fills in a stream whose `release` the taker calls. Called once, by OpenStream; again, and on
  /// another thread, where `is_repeatable`.
  std::function<Status(ArrowArrayStream* stream)> open;
  /// Whether `open` gives the same rows in the same order each time.
  bool is_repeatable = false;
};

/// Opens a stream as a source of one file, of which nothing is copied that is not needed. A batch
/// is held as long as rows of it wait; memory is the batch's as it comes. As OpenSource for what is
/// wrong with columns. The source's Read fails with kIo where the stream fails, and kConflict where
/// it ends before `rows`. What `open` returns where it fails.
Result<std::unique_ptr<Source>> OpenStream(StreamOptions stream, const SourceOptions& options);

/// The same of a stream that lists keys, for Delete: of the columns only the key's is taken, and
/// every row comes with its key alone.
Result<std::unique_ptr<Source>> OpenKeyStream(StreamOptions stream, const SourceOptions& options);

}  // namespace vecload
