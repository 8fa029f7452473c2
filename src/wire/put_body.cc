#include "wire/put_body.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "base/check.h"
#include "base/json_text.h"
#include "wire/float_text.h"
#include "wire/limits.h"

namespace vecload::wire {
namespace {

constexpr std::string_view kRecordBegin = R"({"key":)";
constexpr std::string_view kDataBegin = R"(,"data":{"float32":)";
constexpr std::string_view kDataEnd = "}";
constexpr std::string_view kMetadataBegin = R"(,"metadata":)";

constexpr size_t kPunctuationBytes = 64;

char* Copy(std::string_view text, char* out) {
  std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

// As AppendJsonString, into memory that has room for six bytes a byte and two quotes.
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

}  // namespace

void ByteBuffer::Reserve(size_t bytes) {
  if (capacity_ - size_ >= bytes) return;
  const size_t capacity = std::max(size_ + bytes, capacity_ + capacity_ / 2);
  auto grown = std::make_unique_for_overwrite<char[]>(capacity);
  if (size_ != 0) std::memcpy(grown.get(), data_.get(), size_);
  data_ = std::move(grown);
  capacity_ = capacity;
}

std::string_view PutBody::key_json(size_t record) const {
  const Record& at = records[record];
  return text().substr(at.begin + kRecordBegin.size(), at.key_bytes);
}

PutBodyWriter::PutBodyWriter(const IndexName& index, ByteBuffer buffer) {
  body_.bytes = std::move(buffer);
  std::string head = R"({"vectorBucketName":)";
  AppendJsonString(index.bucket, &head);
  head += R"(,"indexName":)";
  AppendJsonString(index.index, &head);
  head += R"(,"vectors":[)";
  body_.bytes.set_size(0);
  body_.bytes.Reserve(head.size());
  Copy(head, body_.bytes.data());
  body_.bytes.set_size(head.size());
}

bool PutBodyWriter::Add(std::string_view key, std::span<const float> vector,
                        std::string_view metadata, size_t body_bytes_max) {
  ByteBuffer& bytes = body_.bytes;
  bytes.Reserve(6 * key.size() + kFloat32ListedMax * vector.size() + metadata.size() +
                kPunctuationBytes + kFloat32TextMax);
  const size_t size_before = bytes.size();
  char* out = bytes.data() + size_before;
  if (!body_.records.empty()) *out++ = ',';
  const char* const begin = out;
  out = Copy(kRecordBegin, out);
  const char* const key_begin = out;
  out = WriteJsonString(key, out);
  const auto key_bytes = static_cast<uint32_t>(out - key_begin);
  out = Copy(kDataBegin, out);
  out = WriteFloat32s(vector, out);
  out = Copy(kDataEnd, out);
  if (!metadata.empty()) {
    out = Copy(kMetadataBegin, out);
    out = Copy(metadata, out);
  }
  *out++ = '}';
  const auto size = static_cast<size_t>(out - bytes.data());
  CHECK(size <= bytes.capacity());
  if (size + Tail().size() > body_bytes_max && !body_.records.empty()) return false;
  body_.records.push_back(
      {static_cast<uint32_t>(begin - bytes.data()), static_cast<uint32_t>(size), key_bytes});
  bytes.set_size(size);
  return true;
}

std::string_view PutBodyWriter::TakeNew() {
  const std::string_view added = body_.text().substr(taken_);
  taken_ = body_.bytes.size();
  return added;
}

PutBody PutBodyWriter::Finish() && {
  ByteBuffer& bytes = body_.bytes;
  bytes.Reserve(Tail().size());
  Copy(Tail(), bytes.data() + bytes.size());
  bytes.set_size(bytes.size() + Tail().size());
  return std::move(body_);
}

PutBody SelectRecords(const PutBody& body, std::span<const size_t> records, ByteBuffer buffer) {
  PutBody selected;
  selected.bytes = std::move(buffer);
  selected.bytes.set_size(0);
  const std::string_view text = body.text();
  const std::string_view head = text.substr(0, body.records.front().begin);
  size_t size = head.size() + PutBodyWriter::Tail().size();
  for (const size_t record : records) {
    size += body.records[record].end - body.records[record].begin + 1;
  }
  selected.bytes.Reserve(size);
  char* const data = selected.bytes.data();
  char* out = Copy(head, data);
  for (const size_t record : records) {
    PutBody::Record at = body.records[record];
    if (!selected.records.empty()) *out++ = ',';
    const std::string_view bytes = text.substr(at.begin, at.end - at.begin);
    at.begin = static_cast<uint32_t>(out - data);
    out = Copy(bytes, out);
    at.end = static_cast<uint32_t>(out - data);
    selected.records.push_back(at);
  }
  out = Copy(PutBodyWriter::Tail(), out);
  selected.bytes.set_size(static_cast<size_t>(out - data));
  return selected;
}

}  // namespace vecload::wire
