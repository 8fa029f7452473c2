#include <algorithm>
#include <array>
#include <unordered_set>

#include "base/json_text.h"
#include "wire/json_reader.h"
#include "wire/limits.h"
#include "wire/messages.h"
#include "wire/request_parts.h"

namespace vecload::wire {
namespace {

using Value = Reader::Value;

template <typename T>
Decoded<T> Finish(const Reader& reader, T request) {
  if (auto error = reader.Verdict()) return *std::move(error);
  return request;
}

void ReadEncryption(Reader* reader, Value value, Encryption* out) {
  const std::string root = "/encryptionConfiguration";
  reader->Object(value, root, [&](std::string_view name, Value member) {
    if (name == "sseType") {
      reader->String(member, root + "/sseType", &out->sse_type);
      if (!reader->failed() && out->sse_type != "AES256" && out->sse_type != "aws:kms") {
        FaultEnum(reader, root + "/sseType", "AES256, aws:kms");
      }
    } else if (name == "kmsKeyArn") {
      reader->String(member, root + "/kmsKeyArn", &out->kms_key_arn);
      if (reader->failed()) return;
      reader->CheckLength(Utf8Length(out->kms_key_arn), 1, 2048, root + "/kmsKeyArn");
      if (!IsKmsKeyArn(out->kms_key_arn)) {
        FaultPattern(reader, root + "/kmsKeyArn", kKmsKeyArnPattern);
      }
    } else {
      reader->Ignore(member);
    }
  });
  const bool kms = out->sse_type == "aws:kms";
  if (kms != !out->kms_key_arn.empty()) {
    reader->Refuse(ValidationError("kmsKeyArn must be given if and only if sseType is aws:kms",
                                   "encryptionConfiguration"));
  }
}

void ReadTags(Reader* reader, Value value, Tags* out) {
  reader->Object(value, "/tags", [&](std::string_view name, Value member) {
    std::string key(name);
    const std::string path = "/tags/" + key;
    std::string text;
    reader->String(member, path, &text);
    if (reader->failed() || out->size() > kTagsMax) return;
    reader->CheckLength(Utf8Length(key), 1, 128, path);
    reader->CheckLength(Utf8Length(text), 0, 256, path);
    if (!IsTagText(key) || !IsTagText(text)) FaultPattern(reader, path, kTagPattern);
    const auto same = std::ranges::find(*out, key, &Tags::value_type::first);
    if (same != out->end()) {
      same->second = std::move(text);
    } else {
      out->emplace_back(std::move(key), std::move(text));
    }
  });
  if (out->size() > kTagsMax) {
    reader->Refuse(ValidationError("A resource can have at most 50 tags", "tags"));
  }
}

void ReadNonFilterableKeys(Reader* reader, Value value, std::vector<std::string>* out) {
  const std::string root = "/metadataConfiguration/nonFilterableMetadataKeys";
  size_t count = 0;
  reader->Array(value, root, [&](size_t number, Value element) {
    ++count;
    std::string key;
    const std::string path = root + "/" + std::to_string(number);
    reader->String(element, path, &key);
    if (reader->failed() || number >= kNonFilterableKeysMax) return;
    reader->CheckLength(Utf8Length(key), 1, kMetadataKeyCharactersMax, path);
    out->push_back(std::move(key));
  });
  reader->CheckLength(count, 0, kNonFilterableKeysMax, root);
}

void ReadMetadataConfiguration(Reader* reader, Value value, CreateIndexRequest* request) {
  const std::string root = "/metadataConfiguration";
  reader->Object(value, root, [&](std::string_view name, Value member) {
    if (name == "nonFilterableMetadataKeys") {
      return ReadNonFilterableKeys(reader, member, &request->non_filterable_keys);
    }
    if (name != "textSearchConfigurations") return reader->Ignore(member);
    // Left out in silence, text queries on the index would fail much later and be hard to explain.
    reader->Array(member, root + "/textSearchConfigurations", [&](size_t, Value element) {
      reader->Ignore(element);
      reader->Refuse(
          ValidationError("Text search is not available here: leave "
                          "textSearchConfigurations out",
                          "metadataConfiguration.textSearchConfigurations"));
    });
  });
}

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
      reader->String(value, "/nextToken", &next_token);
      if (!reader->failed()) {
        reader->CheckLength(Utf8Length(next_token), 1, token_max, "/nextToken");
      }
    } else {
      return false;
    }
    return true;
  }
};

bool TakePrefix(Reader* reader, std::string_view name, Value value, std::string* prefix) {
  if (name != "prefix") return false;
  reader->String(value, "/prefix", prefix);
  if (!reader->failed()) {
    reader->CheckLength(Utf8Length(*prefix), 1, kNameCharactersMax, "/prefix");
  }
  return true;
}

std::optional<uint32_t> Unsigned(std::optional<int64_t> number) {
  if (!number || *number < 0) return std::nullopt;
  return static_cast<uint32_t>(*number);
}

// The keys of GetVectors and DeleteVectors.
void ReadKeys(Reader* reader, Value value, size_t count_max, std::vector<std::string>* out) {
  size_t count = 0;
  reader->Array(value, "/keys", [&](size_t number, Value element) {
    ++count;
    std::string key;
    const std::string path = "/keys/" + std::to_string(number);
    reader->String(element, path, &key);
    if (reader->failed() || number >= count_max) return;
    CheckKey(reader, key, path);
    out->push_back(std::move(key));
  });
  reader->CheckLength(count, 1, count_max, "/keys");
}

void ReadQueryVector(Reader* reader, Value value, std::vector<float>* out) {
  out->clear();
  bool finite = true;
  reader->Object(value, "/queryVector", [&](std::string_view name, Value member) {
    if (name != "float32") return reader->Ignore(member);
    out->clear();
    finite = reader->Floats(member, "/queryVector/float32", out);
  });
  if (!finite || out->empty()) {
    reader->Refuse(ValidationError(
        "Query vector contains invalid values or is invalid for this index", "queryVector"));
  }
}

void ReadFilter(Reader* reader, Value value, std::string* out) {
  simdjson::ondemand::json_type type;
  if (value.type().get(type)) return reader->CannotRead();
  const bool object = type == simdjson::ondemand::json_type::object;
  bool empty = true;
  if (object) {
    out->assign(reader->CheckedObject(value, "/filter"));
    empty = out->find_first_not_of(" \t\r\n", 1) == out->size() - 1;
  } else {
    reader->Ignore(value);
  }
  if (empty) reader->Refuse(ValidationError("Invalid filter", "filter"));
}

}  // namespace

template <>
Decoded<CreateVectorBucketRequest> DecodeRequest(std::string_view body) {
  CreateVectorBucketRequest request;
  bool has_name = false;
  Reader reader(body);
  reader.Document([&](std::string_view name, Value value) {
    if (name == "vectorBucketName") {
      has_name = true;
      return reader.String(value, "/vectorBucketName", &request.name);
    }
    if (name == "encryptionConfiguration") {
      return ReadEncryption(&reader, value, &request.encryption);
    }
    if (name == "tags") return ReadTags(&reader, value, &request.tags);
    reader.Ignore(value);
  });
  reader.Require(has_name, "/vectorBucketName");
  if (has_name) CheckNewName(&reader, request.name, "vectorBucketName", "vector bucket");
  return Finish(reader, std::move(request));
}

template <typename T>
static Decoded<T> DecodeBucketOnly(std::string_view body) {
  T request;
  BucketTargetReader target;
  Reader reader(body);
  reader.Document([&](std::string_view name, Value value) {
    if (!target.Take(&reader, name, value)) reader.Ignore(value);
  });
  target.Finish(&reader, &request.bucket);
  return Finish(reader, std::move(request));
}

template <>
Decoded<GetVectorBucketRequest> DecodeRequest(std::string_view body) {
  return DecodeBucketOnly<GetVectorBucketRequest>(body);
}

template <>
Decoded<DeleteVectorBucketRequest> DecodeRequest(std::string_view body) {
  return DecodeBucketOnly<DeleteVectorBucketRequest>(body);
}

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
Decoded<CreateIndexRequest> DecodeRequest(std::string_view body) {
  CreateIndexRequest request;
  BucketTargetReader target;
  bool has_name = false;
  std::optional<int64_t> dimension;
  std::string data_type;
  std::string metric;
  Reader reader(body);
  reader.Document([&](std::string_view name, Value value) {
    if (target.Take(&reader, name, value)) return;
    if (name == "indexName") {
      has_name = true;
      reader.String(value, "/indexName", &request.name);
    } else if (name == "dataType") {
      reader.String(value, "/dataType", &data_type);
    } else if (name == "dimension") {
      reader.Int(value, "/dimension", &dimension);
    } else if (name == "distanceMetric") {
      reader.String(value, "/distanceMetric", &metric);
    } else if (name == "metadataConfiguration") {
      ReadMetadataConfiguration(&reader, value, &request);
    } else if (name == "encryptionConfiguration") {
      ReadEncryption(&reader, value, &request.encryption);
    } else if (name == "tags") {
      ReadTags(&reader, value, &request.tags);
    } else {
      reader.Ignore(value);
    }
  });
  reader.Require(has_name, "/indexName");
  if (has_name) CheckNewName(&reader, request.name, "indexName", "index");
  reader.Require(!data_type.empty(), "/dataType");
  if (!data_type.empty() && data_type != "float32") FaultEnum(&reader, "/dataType", "float32");
  reader.Require(dimension.has_value(), "/dimension");
  if (dimension) reader.CheckRange(*dimension, 1, kDimensionMax, "/dimension");
  request.dimension = Unsigned(dimension).value_or(0);
  reader.Require(!metric.empty(), "/distanceMetric");
  if (const auto parsed = ParseDistanceMetric(metric); parsed.ok()) {
    request.metric = *parsed;
  } else if (!metric.empty()) {
    FaultEnum(&reader, "/distanceMetric", "euclidean, cosine");
  }
  target.Finish(&reader, &request.bucket);
  return Finish(reader, std::move(request));
}

template <typename T>
static Decoded<T> DecodeIndexOnly(std::string_view body) {
  T request;
  IndexTargetReader target;
  Reader reader(body);
  reader.Document([&](std::string_view name, Value value) {
    if (!target.Take(&reader, name, value)) reader.Ignore(value);
  });
  target.Finish(&reader, &request.index);
  return Finish(reader, std::move(request));
}

template <>
Decoded<GetIndexRequest> DecodeRequest(std::string_view body) {
  return DecodeIndexOnly<GetIndexRequest>(body);
}

template <>
Decoded<DeleteIndexRequest> DecodeRequest(std::string_view body) {
  return DecodeIndexOnly<DeleteIndexRequest>(body);
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
      request.keys.clear();
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
    request.keys.clear();
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

template <>
Decoded<QueryVectorsRequest> DecodeRequest(std::string_view body) {
  QueryVectorsRequest request;
  IndexTargetReader target;
  std::optional<int64_t> top_k;
  bool has_vector = false;
  Reader reader(body);
  reader.Document([&](std::string_view name, Value value) {
    if (target.Take(&reader, name, value)) return;
    if (name == "topK") return reader.Int(value, "/topK", &top_k);
    if (name == "queryVector") {
      has_vector = true;
      return ReadQueryVector(&reader, value, &request.query);
    }
    if (name == "filter") return ReadFilter(&reader, value, &request.filter);
    if (name == "returnMetadata") {
      return reader.Bool(value, "/returnMetadata", &request.return_metadata);
    }
    if (name == "returnDistance") {
      return reader.Bool(value, "/returnDistance", &request.return_distance);
    }
    if (name == "nextToken") {
      reader.String(value, "/nextToken", &request.next_token);
      return reader.CheckLength(Utf8Length(request.next_token), 1, 4096, "/nextToken");
    }
    if (name == "queryTexts") {
      reader.Refuse(
          ValidationError("Text search is not available here: leave queryTexts out", "queryTexts"));
    }
    reader.Ignore(value);
  });
  target.Finish(&reader, &request.index);
  reader.Require(top_k.has_value(), "/topK");
  if (top_k) reader.CheckRange(*top_k, 1, kTopKMax, "/topK");
  reader.Require(has_vector, "/queryVector");
  request.top_k = Unsigned(top_k).value_or(0);
  return Finish(reader, std::move(request));
}

}  // namespace vecload::wire
