#pragma once

#include <string_view>

#include "vecload/record.h"
#include "wire/records_body.h"

namespace vecload::wire {

// Writes the body of a DeleteVectors call, of which each record is a key.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_S3VectorBuckets_DeleteVectors.html
class DeleteBodyWriter : public RecordsWriter {
 public:
  DeleteBodyWriter(const IndexName& index, ByteBuffer buffer);

  // Appends one key, which is UTF-8 (the caller checked). False, and nothing appended, where the
  // body would outgrow `body_bytes_max` and holds a key already.
  bool Add(std::string_view key, size_t body_bytes_max);
};

}  // namespace vecload::wire
