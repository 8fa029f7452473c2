#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "auth/payload_hash.h"
#include "load/coverage.h"
#include "load/cutter.h"
#include "vecload/job.h"
#include "wire/records_body.h"

namespace vecload::load {

// One PutVectors or DeleteVectors call, ready to be signed. Holds nothing of the source any more.
struct EncodedBatch {
  wire::RecordsBody body;
  auth::PayloadHash payload_hash{};
  std::vector<RowId> ids;  // of the body's records
  Coverage coverage;
};

// Keeps the buffers of answered bodies for the next ones: fresh ones of several MB would have to
// be mapped page by page. Thread-safe.
class BufferPool {
 public:
  wire::ByteBuffer Take();
  void Give(wire::ByteBuffer buffer);

 private:
  std::mutex mutex_;
  std::vector<wire::ByteBuffer> buffers_;
};

// Encodes and hashes; one a thread.
class Encoder {
 public:
  // `body_bytes_max` is the service's limit but in tests.
  Encoder(JobKind kind, BufferPool* pool, size_t body_bytes_max);

  // One batch for the index, or more where the rows do not fit the byte limit together. A batch
  // without rows to send gives one without a body.
  std::vector<EncodedBatch> Encode(const IndexName& index, CutBatch batch);

  // Takes the records out, ascending, and returns the rest of the batch under a new hash.
  EncodedBatch Select(const EncodedBatch& batch, std::span<const size_t> records);
  // Divides a batch of two or more records into [0, at) and [at, end).
  std::pair<EncodedBatch, EncodedBatch> Divide(EncodedBatch batch, size_t at);

 private:
  // Writes rows from *next on, as far as they fit, and hashes them meanwhile.
  template <typename Writer, typename AddRow>
  void Write(Writer writer, const CutBatch& batch, AddRow add, size_t* next, EncodedBatch* made);

  JobKind kind_;
  BufferPool* pool_;
  size_t body_bytes_max_;
  size_t bytes_per_record_ = 0;  // of the last body
  auth::PayloadHasher hasher_;
};

}  // namespace vecload::load
