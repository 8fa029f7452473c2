#pragma once

#include <span>
#include <string_view>

#include "vecload/record.h"
#include "wire/records_body.h"

namespace vecload::wire {

// Writes the body of a PutVectors call in one pass, straight from the source's floats.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_S3VectorBuckets_PutVectors.html
class PutBodyWriter : public RecordsWriter {
 public:
  PutBodyWriter(const IndexName& index, ByteBuffer buffer);

  // Appends one record; `metadata` is a JSON object or empty. The key is UTF-8, the floats are
  // finite (the caller checked). False, and nothing appended, where the body would outgrow
  // `body_bytes_max` and holds a record already.
  bool Add(std::string_view key, std::span<const float> vector, std::string_view metadata,
           size_t body_bytes_max);
};

}  // namespace vecload::wire
