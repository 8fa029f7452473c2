#include "wire/put_body.h"

#include <utility>

#include "wire/float_text.h"
#include "wire/limits.h"

namespace vecload::wire {
namespace {

constexpr std::string_view kRecordBegin = R"({"key":)";
constexpr std::string_view kDataBegin = R"(,"data":{"float32":)";
constexpr std::string_view kDataEnd = "}";
constexpr std::string_view kMetadataBegin = R"(,"metadata":)";

constexpr size_t kPunctuationBytes = 64;

}  // namespace

PutBodyWriter::PutBodyWriter(const IndexName& index, ByteBuffer buffer)
    : RecordsWriter(index, "vectors", std::move(buffer)) {}

bool PutBodyWriter::Add(std::string_view key, std::span<const float> vector,
                        std::string_view metadata, size_t body_bytes_max) {
  char* out = BeginRecord(6 * key.size() + kFloat32ListedMax * vector.size() + metadata.size() +
                          kPunctuationBytes + kFloat32TextMax);
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
  return EndRecord(out, kRecordBegin.size(), key_bytes, body_bytes_max);
}

}  // namespace vecload::wire
