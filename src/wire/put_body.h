#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "vecload/record.h"

namespace vecload::wire {

// Bytes that grow without being zeroed first; a body of 6 MB would otherwise be written twice.
class ByteBuffer {
 public:
  // Makes room for `bytes` more behind size(); what is there already stays.
  void Reserve(size_t bytes);
  [[nodiscard]] char* data() { return data_.get(); }
  [[nodiscard]] const char* data() const { return data_.get(); }
  [[nodiscard]] size_t size() const { return size_; }
  [[nodiscard]] size_t capacity() const { return capacity_; }
  [[nodiscard]] std::string_view view() const { return {data_.get(), size_}; }
  void set_size(size_t size) { size_ = size; }

 private:
  std::unique_ptr<char[]> data_;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

// The finished body of one PutVectors call. Knows where each record stands, so that a part of it
// can be sent again without going back to the source.
struct PutBody {
  struct Record {
    uint32_t begin = 0;  // of {"key":…} in `bytes`
    uint32_t end = 0;
    uint32_t key_bytes = 0;  // of the key as JSON text, quotes included
  };
  ByteBuffer bytes;
  std::vector<Record> records;

  [[nodiscard]] std::string_view text() const { return bytes.view(); }
  // The key of a record as it stands in the body: a JSON string with its quotes.
  [[nodiscard]] std::string_view key_json(size_t record) const;
};

// Writes the body of a PutVectors call in one pass, straight from the source's floats.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_S3VectorBuckets_PutVectors.html
class PutBodyWriter {
 public:
  PutBodyWriter(const IndexName& index, ByteBuffer buffer);

  // Appends one record; `metadata` is a JSON object or empty. The key is UTF-8, the floats are
  // finite (the caller checked). False, and nothing appended, where the body would outgrow
  // `body_bytes_max` and holds a record already.
  bool Add(std::string_view key, std::span<const float> vector, std::string_view metadata,
           size_t body_bytes_max);
  // What was written since the last call: lets the payload hash follow while the bytes are hot.
  std::string_view TakeNew();
  [[nodiscard]] size_t records() const { return body_.records.size(); }
  // Closes the body. The writer is spent.
  PutBody Finish() &&;
  // The tail that Finish appends; part of TakeNew's sum once finished.
  static std::string_view Tail() { return "]}"; }

 private:
  PutBody body_;
  size_t taken_ = 0;
};

// A new body of the same index with only the given records, ascending.
PutBody SelectRecords(const PutBody& body, std::span<const size_t> records, ByteBuffer buffer);

}  // namespace vecload::wire
