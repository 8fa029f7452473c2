#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/large_memory.h"
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
  LargeMemory data_;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

// The finished body of one PutVectors or DeleteVectors call: an index and a list of records. Knows
// where each record stands, so that a part of it can be sent again without going back to the
// source.
struct RecordsBody {
  struct Record {
    uint32_t begin = 0;  // of it in `bytes`
    uint32_t end = 0;
    uint32_t key_offset = 0;  // of the key from `begin` on
    uint32_t key_bytes = 0;   // of it as JSON text, quotes included
  };
  ByteBuffer bytes;
  std::vector<Record> records;

  [[nodiscard]] std::string_view text() const { return bytes.view(); }
  // The key of a record as it stands in the body: a JSON string with its quotes.
  [[nodiscard]] std::string_view key_json(size_t record) const;
};

// What the writers of such bodies have in common: the head, the tail, and the limit.
class RecordsWriter {
 public:
  // What was written since the last call: lets the payload hash follow while the bytes are hot.
  std::string_view TakeNew();
  [[nodiscard]] size_t records() const { return body_.records.size(); }
  // Closes the body. The writer is spent.
  RecordsBody Finish() &&;
  // The tail that Finish appends; part of TakeNew's sum once finished.
  static std::string_view Tail() { return "]}"; }

 protected:
  // `list` is the name of the member that holds the records.
  RecordsWriter(const IndexName& index, std::string_view list, ByteBuffer buffer);
  // Makes room for a record of at most `bytes_max` behind those that are there; returns where it
  // begins.
  char* BeginRecord(size_t bytes_max);
  // Takes the record that was written up to `end`. False, and nothing appended, where the body
  // would outgrow `body_bytes_max` and holds a record already.
  bool EndRecord(const char* end, uint32_t key_offset, uint32_t key_bytes, size_t body_bytes_max);

 private:
  RecordsBody body_;
  size_t record_begin_ = 0;
  size_t taken_ = 0;
};

// A new body of the same index with only the given records, ascending.
RecordsBody SelectRecords(const RecordsBody& body, std::span<const size_t> records,
                          ByteBuffer buffer);

// Both return where they have come to. A JSON string takes six bytes a byte and two quotes at most.
char* Copy(std::string_view text, char* out);
char* WriteJsonString(std::string_view text, char* out);

}  // namespace vecload::wire
