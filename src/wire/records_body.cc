#include "wire/records_body.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/json_text.h"

namespace vecload::wire {

void ByteBuffer::Reserve(size_t bytes) {
  if (capacity_ - size_ >= bytes) return;
  const size_t capacity = std::max(size_ + bytes, capacity_ + capacity_ / 2);
  LargeMemory grown = AllocateLargeMemory(capacity);
  if (size_ != 0) std::memcpy(grown.get(), data_.get(), size_);
  data_ = std::move(grown);
  capacity_ = capacity;
}

std::string_view RecordsBody::key_json(size_t record) const {
  const Record& at = records[record];
  return text().substr(at.begin + at.key_offset, at.key_bytes);
}

RecordsWriter::RecordsWriter(const IndexName& index, std::string_view list, ByteBuffer buffer) {
  body_.bytes = std::move(buffer);
  std::string head = R"({"vectorBucketName":)";
  AppendJsonString(index.bucket, &head);
  head += R"(,"indexName":)";
  AppendJsonString(index.index, &head);
  head += ',';
  AppendJsonString(list, &head);
  head += ":[";
  body_.bytes.set_size(0);
  body_.bytes.Reserve(head.size());
  Copy(head, body_.bytes.data());
  body_.bytes.set_size(head.size());
}

char* RecordsWriter::BeginRecord(size_t bytes_max) {
  ByteBuffer& bytes = body_.bytes;
  bytes.Reserve(bytes_max + 1);
  char* out = bytes.data() + bytes.size();
  if (!body_.records.empty()) *out++ = ',';
  record_begin_ = static_cast<size_t>(out - bytes.data());
  return out;
}

bool RecordsWriter::EndRecord(const char* end, uint32_t key_offset, uint32_t key_bytes,
                              size_t body_bytes_max) {
  ByteBuffer& bytes = body_.bytes;
  const auto size = static_cast<size_t>(end - bytes.data());
  CHECK(size <= bytes.capacity());
  if (size + Tail().size() > body_bytes_max && !body_.records.empty()) return false;
  body_.records.push_back(
      {static_cast<uint32_t>(record_begin_), static_cast<uint32_t>(size), key_offset, key_bytes});
  bytes.set_size(size);
  return true;
}

std::string_view RecordsWriter::TakeNew() {
  const std::string_view added = body_.text().substr(taken_);
  taken_ = body_.bytes.size();
  return added;
}

RecordsBody RecordsWriter::Finish() && {
  ByteBuffer& bytes = body_.bytes;
  bytes.Reserve(Tail().size());
  Copy(Tail(), bytes.data() + bytes.size());
  bytes.set_size(bytes.size() + Tail().size());
  return std::move(body_);
}

RecordsBody SelectRecords(const RecordsBody& body, std::span<const size_t> records,
                          ByteBuffer buffer) {
  RecordsBody selected;
  selected.bytes = std::move(buffer);
  selected.bytes.set_size(0);
  const std::string_view text = body.text();
  const std::string_view head = text.substr(0, body.records.front().begin);
  size_t size = head.size() + RecordsWriter::Tail().size();
  for (const size_t record : records) {
    size += body.records[record].end - body.records[record].begin + 1;
  }
  selected.bytes.Reserve(size);
  char* const data = selected.bytes.data();
  char* out = Copy(head, data);
  for (const size_t record : records) {
    RecordsBody::Record at = body.records[record];
    if (!selected.records.empty()) *out++ = ',';
    const std::string_view bytes = text.substr(at.begin, at.end - at.begin);
    at.begin = static_cast<uint32_t>(out - data);
    out = Copy(bytes, out);
    at.end = static_cast<uint32_t>(out - data);
    selected.records.push_back(at);
  }
  out = Copy(RecordsWriter::Tail(), out);
  selected.bytes.set_size(static_cast<size_t>(out - data));
  return selected;
}

char* Copy(std::string_view text, char* out) {
  std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

char* WriteJsonString(std::string_view text, char* out) {
  const bool plain = std::ranges::none_of(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\'; });
  if (!plain) {
    std::string escaped;
    AppendJsonString(text, &escaped);
    return Copy(escaped, out);
  }
  *out++ = '"';
  out = Copy(text, out);
  *out++ = '"';
  return out;
}

}  // namespace vecload::wire
