// The decoders of everything that a stranger can send: requests, replies, error bodies, metadata.
// The first byte chooses the decoder. A fault is a crash, a sanitizer's report, or one of the
// checks below.

#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/json_text.h"
#include "wire/limits.h"
#include "wire/messages.h"
#include "wire/metadata.h"

namespace {

using namespace vecload;  // NOLINT: one short file

void CheckError(const wire::WireError& error) {
  CHECK(error.http_status == 400);
  CHECK(error.aws_code == "ValidationException" || error.aws_code == "SerializationException");
  // What we answer must be JSON, whatever it quotes.
  const wire::WireError back = wire::DecodeError(400, "", wire::EncodeError(error));
  CHECK(back.message == error.message);
}

template <typename Request>
void FuzzRequest(std::string_view body) {
  const auto first = wire::DecodeRequest<Request>(body);
  if (!first.ok()) return CheckError(first.error());
  // Whatever was accepted is accepted again in our own words, which then are a fixed point.
  const std::string text = wire::Encode(*first);
  const auto second = wire::DecodeRequest<Request>(text);
  CHECK(second.ok());
  CHECK(wire::Encode(*second) == text);
}

template <typename Reply>
void FuzzReply(std::string_view body) {
  const auto first = wire::DecodeReply<Reply>(body);
  if (!first.ok()) return;
  const std::string text = wire::Encode(*first);
  const auto second = wire::DecodeReply<Reply>(text);
  CHECK(second.ok());
  CHECK(wire::Encode(*second) == text);
}

void FuzzPutVectors(std::string_view input) {
  std::string body(input);
  wire::PutVectorsRequest request;
  if (const auto error = wire::DecodePutVectors(&body, &request)) return CheckError(*error);
  CHECK(!request.entries.empty() && request.entries.size() <= wire::kPutVectorsMax);
  for (const auto& entry : request.entries) {
    CHECK(!entry.key.empty() && entry.key.size() <= wire::kKeyBytesMax && IsUtf8(entry.key));
    CHECK(entry.float_begin + entry.float_count <= request.floats.size());
    CHECK(entry.metadata.empty() ||
          (entry.metadata.front() == '{' && entry.metadata.back() == '}'));
  }
  for (const float number : request.floats) CHECK(std::isfinite(number));
}

void FuzzMetadata(std::string_view input) {
  wire::MetadataMeter meter({});
  std::string text;
  if (wire::ReadMetadata(input, &meter, &text).rule != RejectRule::kNone) {
    CHECK(text.empty());
    return;
  }
  CHECK(wire::IsJsonObject(text));
  const uint32_t bytes = meter.bytes();
  std::string again;
  CHECK(wire::ReadMetadata(text, &meter, &again).rule == RejectRule::kNone);
  CHECK(again == text && meter.bytes() == bytes);
}

void FuzzError(std::string_view input) {
  const wire::WireError error = wire::DecodeError(500, "", input);
  (void)wire::NamedRecords(error.fields);
  (void)wire::ToStatus(error, "PutVectors", "id");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0]) {
    case 'a':
      FuzzRequest<wire::CreateVectorBucketRequest>(body);
      break;
    case 'b':
      FuzzRequest<wire::GetVectorBucketRequest>(body);
      break;
    case 'c':
      FuzzRequest<wire::DeleteVectorBucketRequest>(body);
      break;
    case 'd':
      FuzzRequest<wire::ListVectorBucketsRequest>(body);
      break;
    case 'e':
      FuzzRequest<wire::CreateIndexRequest>(body);
      break;
    case 'f':
      FuzzRequest<wire::GetIndexRequest>(body);
      break;
    case 'g':
      FuzzRequest<wire::DeleteIndexRequest>(body);
      break;
    case 'h':
      FuzzRequest<wire::ListIndexesRequest>(body);
      break;
    case 'i':
      FuzzRequest<wire::GetVectorsRequest>(body);
      break;
    case 'j':
      FuzzRequest<wire::DeleteVectorsRequest>(body);
      break;
    case 'k':
      FuzzRequest<wire::ListVectorsRequest>(body);
      break;
    case 'l':
      FuzzRequest<wire::QueryVectorsRequest>(body);
      break;
    case 'm':
      FuzzPutVectors(body);
      break;
    case 'n':
      FuzzMetadata(body);
      break;
    case 'o':
      FuzzError(body);
      break;
    case 'p':
      FuzzReply<wire::GetVectorBucketReply>(body);
      break;
    case 'q':
      FuzzReply<wire::ListVectorBucketsReply>(body);
      break;
    case 'r':
      FuzzReply<wire::GetIndexReply>(body);
      break;
    case 's':
      FuzzReply<wire::ListIndexesReply>(body);
      break;
    case 't':
      FuzzReply<wire::GetVectorsReply>(body);
      break;
    case 'u':
      FuzzReply<wire::ListVectorsReply>(body);
      break;
    case 'v':
      FuzzReply<wire::QueryVectorsReply>(body);
      break;
    default:
      break;
  }
  return 0;
}
