// The decoders of everything that a stranger can send: requests, replies, error bodies, metadata.
// The first byte chooses the decoder. A fault is a crash, a sanitizer's report, or one of the
// checks below.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/json_text.h"
#include "search/filter.h"
#include "wire/fields.h"
#include "wire/filter.h"
#include "wire/flat_object.h"
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

// Of operations that vecload itself does not call: there is nothing to encode them with.
template <typename Request>
void FuzzForeignRequest(std::string_view body) {
  const auto decoded = wire::DecodeRequest<Request>(body);
  if (!decoded.ok()) CheckError(decoded.error());
}

// Path and query stand before the first line feed, the body behind it.
template <typename Request>
void FuzzTagRequest(std::string_view input) {
  const size_t line = std::min(input.find('\n'), input.size());
  const auto decoded = wire::DecodeRequest<Request>(input.substr(0, line),
                                                    input.substr(std::min(line + 1, input.size())));
  if (!decoded.ok()) CheckError(decoded.error());
}

// The filter stands before the first line feed, metadata to try it on behind it.
void FuzzFilter(std::string_view input) {
  const size_t line = std::min(input.find('\n'), input.size());
  const std::string_view text = input.substr(0, line);
  const auto filter = wire::ParseFilter(text, {});
  if (!filter) return;
  CHECK(wire::IsJsonObject(text));
  wire::FieldReader reader({});
  const auto fields = reader.Read(input.substr(std::min(line + 1, input.size())));
  const std::string packed = fields.ok() ? search::PackFields(*fields) : std::string();
  const bool matches = search::Matches(*filter, packed);
  // Both ways of joining one condition leave it as it is.
  for (const Filter::Op op : {Filter::Op::kAnd, Filter::Op::kOr}) {
    const Filter joined{.op = op, .name = {}, .operands = {}, .children = {*filter}};
    CHECK(search::Matches(joined, packed) == matches);
  }
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

void FuzzFlatObject(std::string_view body) {
  const auto members = wire::ReadFlatObject(body);
  if (!members.ok()) return CheckError(members.error());
  for (const auto& [name, value] : *members) {
    const auto* number = std::get_if<double>(&value);
    CHECK(number == nullptr || std::isfinite(*number));
  }
}

struct Decoder {
  char choice;
  void (*fuzz)(std::string_view);
};

constexpr Decoder kDecoders[] = {
    {'a', FuzzRequest<wire::CreateVectorBucketRequest>},
    {'b', FuzzRequest<wire::GetVectorBucketRequest>},
    {'c', FuzzRequest<wire::DeleteVectorBucketRequest>},
    {'d', FuzzRequest<wire::ListVectorBucketsRequest>},
    {'e', FuzzRequest<wire::CreateIndexRequest>},
    {'f', FuzzRequest<wire::GetIndexRequest>},
    {'g', FuzzRequest<wire::DeleteIndexRequest>},
    {'h', FuzzRequest<wire::ListIndexesRequest>},
    {'i', FuzzRequest<wire::GetVectorsRequest>},
    {'j', FuzzRequest<wire::DeleteVectorsRequest>},
    {'k', FuzzRequest<wire::ListVectorsRequest>},
    {'l', FuzzRequest<wire::QueryVectorsRequest>},
    {'m', FuzzPutVectors},
    {'n', FuzzMetadata},
    {'o', FuzzError},
    {'p', FuzzReply<wire::GetVectorBucketReply>},
    {'q', FuzzReply<wire::ListVectorBucketsReply>},
    {'r', FuzzReply<wire::GetIndexReply>},
    {'s', FuzzReply<wire::ListIndexesReply>},
    {'t', FuzzReply<wire::GetVectorsReply>},
    {'u', FuzzReply<wire::ListVectorsReply>},
    {'v', FuzzReply<wire::QueryVectorsReply>},
    {'w', FuzzForeignRequest<wire::PutVectorBucketPolicyRequest>},
    {'x', FuzzForeignRequest<wire::UpdateMetadataConfigurationRequest>},
    {'y', FuzzForeignRequest<wire::UpdateIndexModeRequest>},
    {'z', FuzzTagRequest<wire::TagResourceRequest>},
    {'0', FuzzTagRequest<wire::UntagResourceRequest>},
    {'1', FuzzFilter},
    {'2', FuzzFlatObject},
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  for (const Decoder& decoder : kDecoders) {
    if (static_cast<char>(data[0]) == decoder.choice) decoder.fuzz(body);
  }
  return 0;
}
