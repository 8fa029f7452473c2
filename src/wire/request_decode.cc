#include <algorithm>
#include <unordered_set>

#include "base/json_text.h"
#include "wire/json_reader.h"
#include "wire/limits.h"
#include "wire/messages.h"
#include "wire/request_parts.h"

namespace vecload::wire {
namespace {

using Value = Reader::Value;

// What the three listings have in common.
struct Paging {
  std::optional<int64_t> max_results;
  std::string next_token;

  bool Take(Reader* reader, std::string_view name, Value value, int64_t results_max,
            size_t token_max) {
    if (name == "maxResults") {
      reader->Int(value, "/maxResults", &max_results);
      if (max_results) reader->CheckRange(*max_results, 1, results_max, "/maxResults");
    } else if (name == "nextToken") {
      ReadText(reader, value, "/nextToken", {1, token_max}, &next_token);
    } else {
      return false;
    }
    return true;
  }
};

bool TakePrefix(Reader* reader, std::string_view name, Value value, std::string* prefix) {
  if (name != "prefix") return false;
  ReadText(reader, value, "/prefix", {1, kNameCharactersMax}, prefix);
  return true;
}

std::optional<uint32_t> Unsigned(std::optional<int64_t> number) {
  if (!number || *number < 0) return std::nullopt;
  return static_cast<uint32_t>(*number);
}

// The keys of GetVectors and DeleteVectors.
void ReadKeys(Reader* reader, Value value, size_t count_max, std::vector<std::string>* out) {
  out->clear();
  ReadList(reader, value, "/keys", {1, count_max}, [&](const std::string& path, Value element) {
    std::string& key = out->emplace_back();
    reader->String(element, path, &key);
    if (!reader->failed()) CheckKey(reader, key, path);
  });
}

}  // namespace

template <>
Decoded<ListVectorBucketsRequest> DecodeRequest(std::string_view body) {
  ListVectorBucketsRequest request;
  Paging paging;
  Reader reader(body);
  reader.Document([&](std::string_view name, Value value) {
    if (!paging.Take(&reader, name, value, kListResourcesMax, 512) &&
        !TakePrefix(&reader, name, value, &request.prefix)) {
      reader.Ignore(value);
    }
  });
  request.max_results = Unsigned(paging.max_results);
  request.next_token = std::move(paging.next_token);
  return Finish(reader, std::move(request));
}

template <>
Decoded<ListIndexesRequest> DecodeRequest(std::string_view body) {
  ListIndexesRequest request;
  BucketTargetReader target;
  Paging paging;
  Reader reader(body);
  reader.Document([&](std::string_view name, Value value) {
    if (!target.Take(&reader, name, value) &&
        !paging.Take(&reader, name, value, kListResourcesMax, 512) &&
        !TakePrefix(&reader, name, value, &request.prefix)) {
      reader.Ignore(value);
    }
  });
  target.Finish(&reader, &request.bucket);
  request.max_results = Unsigned(paging.max_results);
  request.next_token = std::move(paging.next_token);
  return Finish(reader, std::move(request));
}

template <>
Decoded<GetVectorsRequest> DecodeRequest(std::string_view body) {
  GetVectorsRequest request;
  IndexTargetReader target;
  bool has_keys = false;
  Reader reader(body);
  reader.Document([&](std::string_view name, Value value) {
    if (target.Take(&reader, name, value)) return;
    if (name == "keys") {
      has_keys = true;
      return ReadKeys(&reader, value, kGetVectorsMax, &request.keys);
    }
    if (name == "returnData") return reader.Bool(value, "/returnData", &request.return_data);
    if (name == "returnMetadata") {
      return reader.Bool(value, "/returnMetadata", &request.return_metadata);
    }
    reader.Ignore(value);
  });
  reader.Require(has_keys, "/keys");
  target.Finish(&reader, &request.index);
  return Finish(reader, std::move(request));
}

template <>
Decoded<DeleteVectorsRequest> DecodeRequest(std::string_view body) {
  DeleteVectorsRequest request;
  IndexTargetReader target;
  bool has_keys = false;
  Reader reader(body);
  reader.Document([&](std::string_view name, Value value) {
    if (target.Take(&reader, name, value)) return;
    if (name != "keys") return reader.Ignore(value);
    has_keys = true;
    ReadKeys(&reader, value, kDeleteVectorsMax, &request.keys);
  });
  reader.Require(has_keys, "/keys");
  target.Finish(&reader, &request.index);
  const std::unordered_set<std::string_view> distinct(request.keys.begin(), request.keys.end());
  if (distinct.size() != request.keys.size()) {
    reader.Refuse(ValidationError("Request must not contain duplicate keys", "keys"));
  }
  return Finish(reader, std::move(request));
}

template <>
Decoded<ListVectorsRequest> DecodeRequest(std::string_view body) {
  ListVectorsRequest request;
  IndexTargetReader target;
  Paging paging;
  std::optional<int64_t> segment_count;
  std::optional<int64_t> segment_index;
  Reader reader(body);
  reader.Document([&](std::string_view name, Value value) {
    if (target.Take(&reader, name, value)) return;
    if (paging.Take(&reader, name, value, kListVectorsMax, 2048)) return;
    if (name == "segmentCount") return reader.Int(value, "/segmentCount", &segment_count);
    if (name == "segmentIndex") return reader.Int(value, "/segmentIndex", &segment_index);
    if (name == "returnData") return reader.Bool(value, "/returnData", &request.return_data);
    if (name == "returnMetadata") {
      return reader.Bool(value, "/returnMetadata", &request.return_metadata);
    }
    reader.Ignore(value);
  });
  target.Finish(&reader, &request.index);
  if (segment_count) reader.CheckRange(*segment_count, 1, kListSegmentsMax, "/segmentCount");
  if (segment_index) reader.CheckRange(*segment_index, 0, kListSegmentsMax - 1, "/segmentIndex");
  if (segment_count.has_value() != segment_index.has_value()) {
    reader.Refuse(ValidationError("segmentCount and segmentIndex must be given together",
                                  segment_count ? "segmentIndex" : "segmentCount"));
  } else if (segment_count && *segment_index >= *segment_count) {
    reader.Refuse(ValidationError("segmentIndex must be less than segmentCount", "segmentIndex"));
  }
  request.max_results = Unsigned(paging.max_results);
  request.next_token = std::move(paging.next_token);
  request.segment_count = Unsigned(segment_count);
  request.segment_index = Unsigned(segment_index);
  return Finish(reader, std::move(request));
}

}  // namespace vecload::wire
