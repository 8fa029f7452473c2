#include <charconv>

#include "base/json_text.h"
#include "wire/float_text.h"
#include "wire/messages.h"

namespace vecload::wire {
namespace {

void PutText(JsonWriter* json, std::string_view name, std::string_view text) {
  if (!text.empty()) json->Key(name).String(text);
}

void PutUint(JsonWriter* json, std::string_view name, std::optional<uint32_t> number) {
  if (number) json->Key(name).Uint(*number);
}

void PutFlag(JsonWriter* json, std::string_view name, bool flag) {
  if (flag) json->Key(name).Bool(true);
}

void PutFloat(JsonWriter* json, float number) {
  char text[kFloat32TextMax];
  json->Raw({text, WriteFloat32(number, text)});
}

void PutFloats(JsonWriter* json, std::string_view name, const std::vector<float>& floats) {
  json->Key(name).BeginObject().Key("float32");
  std::string text(kFloat32ListedMax * floats.size() + kFloat32TextMax, '\0');
  text.resize(static_cast<size_t>(WriteFloat32s(floats, text.data()) - text.data()));
  json->Raw(text).EndObject();
}

// Seconds since the epoch; never with an exponent, which some readers of time stamps refuse.
void PutTime(JsonWriter* json, double seconds) {
  char text[400];
  const auto end = std::to_chars(text, text + sizeof(text), seconds, std::chars_format::fixed).ptr;
  json->Key("creationTime").Raw({text, end});
}

void PutEncryption(JsonWriter* json, const Encryption& encryption) {
  if (encryption.sse_type.empty()) return;
  json->Key("encryptionConfiguration").BeginObject();
  json->Key("sseType").String(encryption.sse_type);
  PutText(json, "kmsKeyArn", encryption.kms_key_arn);
  json->EndObject();
}

void PutTags(JsonWriter* json, const Tags& tags) {
  json->Key("tags").BeginObject();
  for (const auto& [key, value] : tags) json->Key(key).String(value);
  json->EndObject();
}

void PutStrings(JsonWriter* json, std::string_view name, const std::vector<std::string>& strings) {
  json->Key(name).BeginArray();
  for (const std::string& string : strings) json->String(string);
  json->EndArray();
}

// `status` is what a reply says of each text search configuration besides; empty: nothing.
void PutMetadataConfiguration(JsonWriter* json, const std::vector<std::string>& non_filterable_keys,
                              const std::vector<TextSearchConfiguration>& text_search,
                              std::string_view status) {
  if (non_filterable_keys.empty() && text_search.empty()) return;
  json->Key("metadataConfiguration").BeginObject();
  if (!non_filterable_keys.empty()) {
    PutStrings(json, "nonFilterableMetadataKeys", non_filterable_keys);
  }
  if (!text_search.empty()) {
    json->Key("textSearchConfigurations").BeginArray();
    for (const TextSearchConfiguration& configuration : text_search) {
      json->BeginObject().Key("metadataKey").String(configuration.metadata_key);
      PutText(json, "language", configuration.language);
      PutText(json, "status", status);
      json->EndObject();
    }
    json->EndArray();
  }
  json->EndObject();
}

void PutQueryTexts(JsonWriter* json, const std::vector<QueryText>& texts) {
  if (texts.empty()) return;
  json->Key("queryTexts").BeginArray();
  for (const QueryText& text : texts) {
    json->BeginObject().Key("text").String(text.text);
    json->Key("metadataKey").String(text.metadata_key).EndObject();
  }
  json->EndArray();
}

void PutTarget(JsonWriter* json, const BucketTarget& bucket) {
  if (!bucket.arn.empty()) {
    json->Key("vectorBucketArn").String(bucket.arn);
  } else {
    json->Key("vectorBucketName").String(bucket.name);
  }
}

void PutTarget(JsonWriter* json, const IndexTarget& index) {
  if (!index.arn.empty()) {
    json->Key("indexArn").String(index.arn);
  } else {
    json->Key("vectorBucketName").String(index.bucket).Key("indexName").String(index.index);
  }
}

void PutRecords(JsonWriter* json, const std::vector<Record>& records) {
  json->Key("vectors").BeginArray();
  for (const Record& record : records) {
    json->BeginObject().Key("key").String(record.key);
    if (!record.vector.empty()) PutFloats(json, "data", record.vector);
    if (!record.metadata.empty()) json->Key("metadata").Raw(record.metadata);
    json->EndObject();
  }
  json->EndArray();
}

template <typename Target>
std::string EncodeTarget(const Target& target) {
  JsonWriter json;
  json.BeginObject();
  PutTarget(&json, target);
  return json.EndObject().Take();
}

}  // namespace

std::string Encode(const CreateVectorBucketRequest& request) {
  JsonWriter json;
  json.BeginObject().Key("vectorBucketName").String(request.name);
  PutEncryption(&json, request.encryption);
  if (!request.tags.empty()) PutTags(&json, request.tags);
  return json.EndObject().Take();
}

std::string Encode(const GetVectorBucketRequest& request) { return EncodeTarget(request.bucket); }

std::string Encode(const DeleteVectorBucketRequest& request) {
  return EncodeTarget(request.bucket);
}

std::string Encode(const ListVectorBucketsRequest& request) {
  JsonWriter json;
  json.BeginObject();
  PutUint(&json, "maxResults", request.max_results);
  PutText(&json, "nextToken", request.next_token);
  PutText(&json, "prefix", request.prefix);
  return json.EndObject().Take();
}

std::string Encode(const CreateIndexRequest& request) {
  JsonWriter json;
  json.BeginObject();
  PutTarget(&json, request.bucket);
  json.Key("indexName").String(request.name).Key("dataType").String("float32");
  json.Key("dimension").Uint(request.dimension);
  json.Key("distanceMetric").String(DistanceMetricName(request.metric));
  PutMetadataConfiguration(&json, request.non_filterable_keys, request.text_search, {});
  PutEncryption(&json, request.encryption);
  if (!request.tags.empty()) PutTags(&json, request.tags);
  return json.EndObject().Take();
}

std::string Encode(const GetIndexRequest& request) { return EncodeTarget(request.index); }

std::string Encode(const DeleteIndexRequest& request) { return EncodeTarget(request.index); }

std::string Encode(const ListIndexesRequest& request) {
  JsonWriter json;
  json.BeginObject();
  PutTarget(&json, request.bucket);
  PutUint(&json, "maxResults", request.max_results);
  PutText(&json, "nextToken", request.next_token);
  PutText(&json, "prefix", request.prefix);
  return json.EndObject().Take();
}

std::string Encode(const GetVectorsRequest& request) {
  JsonWriter json;
  json.BeginObject();
  PutTarget(&json, request.index);
  PutStrings(&json, "keys", request.keys);
  PutFlag(&json, "returnData", request.return_data);
  PutFlag(&json, "returnMetadata", request.return_metadata);
  return json.EndObject().Take();
}

std::string Encode(const DeleteVectorsRequest& request) {
  JsonWriter json;
  json.BeginObject();
  PutTarget(&json, request.index);
  PutStrings(&json, "keys", request.keys);
  return json.EndObject().Take();
}

std::string Encode(const ListVectorsRequest& request) {
  JsonWriter json;
  json.BeginObject();
  PutTarget(&json, request.index);
  PutUint(&json, "maxResults", request.max_results);
  PutText(&json, "nextToken", request.next_token);
  PutUint(&json, "segmentCount", request.segment_count);
  PutUint(&json, "segmentIndex", request.segment_index);
  PutFlag(&json, "returnData", request.return_data);
  PutFlag(&json, "returnMetadata", request.return_metadata);
  return json.EndObject().Take();
}

std::string Encode(const QueryVectorsRequest& request) {
  JsonWriter json;
  json.BeginObject();
  PutTarget(&json, request.index);
  json.Key("topK").Uint(request.top_k);
  if (!request.query.empty()) PutFloats(&json, "queryVector", request.query);
  if (!request.filter.empty()) json.Key("filter").Raw(request.filter);
  PutFlag(&json, "returnMetadata", request.return_metadata);
  PutFlag(&json, "returnDistance", request.return_distance);
  PutText(&json, "nextToken", request.next_token);
  if (request.mode) json.Key("queryMode").String(IndexModeName(*request.mode));
  PutQueryTexts(&json, request.texts);
  PutFlag(&json, "returnScores", request.return_scores);
  return json.EndObject().Take();
}

std::string Encode(const CreateVectorBucketReply& reply) {
  return JsonWriter().BeginObject().Key("vectorBucketArn").String(reply.arn).EndObject().Take();
}

std::string Encode(const GetVectorBucketReply& reply) {
  JsonWriter json;
  json.BeginObject().Key("vectorBucket").BeginObject();
  json.Key("vectorBucketName").String(reply.bucket.name);
  json.Key("vectorBucketArn").String(reply.bucket.arn);
  PutTime(&json, reply.bucket.creation_time_s);
  PutEncryption(&json, reply.bucket.encryption);
  if (reply.bucket.default_index_mode) {
    json.Key("defaultIndexMode").String(IndexModeName(*reply.bucket.default_index_mode));
  }
  return json.EndObject().EndObject().Take();
}

std::string Encode(const ListVectorBucketsReply& reply) {
  JsonWriter json;
  json.BeginObject().Key("vectorBuckets").BeginArray();
  for (const BucketInfo& bucket : reply.buckets) {
    json.BeginObject().Key("vectorBucketName").String(bucket.name);
    json.Key("vectorBucketArn").String(bucket.arn);
    PutTime(&json, bucket.creation_time_s);
    json.EndObject();
  }
  json.EndArray();
  PutText(&json, "nextToken", reply.next_token);
  return json.EndObject().Take();
}

std::string Encode(const GetVectorBucketPolicyReply& reply) {
  return JsonWriter().BeginObject().Key("policy").String(reply.policy).EndObject().Take();
}

std::string Encode(const UpdateMetadataConfigurationReply& reply) {
  return JsonWriter().BeginObject().Key("indexArn").String(reply.arn).EndObject().Take();
}

std::string Encode(const ListTagsForResourceReply& reply) {
  JsonWriter json;
  json.BeginObject();
  PutTags(&json, reply.tags);
  return json.EndObject().Take();
}

std::string Encode(const CreateIndexReply& reply) {
  return JsonWriter().BeginObject().Key("indexArn").String(reply.arn).EndObject().Take();
}

std::string Encode(const GetIndexReply& reply) {
  const IndexInfo& index = reply.index;
  JsonWriter json;
  json.BeginObject().Key("index").BeginObject();
  json.Key("vectorBucketName").String(index.name.bucket);
  json.Key("indexName").String(index.name.index).Key("indexArn").String(index.arn);
  PutTime(&json, index.creation_time_s);
  json.Key("dataType").String("float32").Key("dimension").Uint(index.dimension);
  json.Key("distanceMetric").String(DistanceMetricName(index.metric));
  PutMetadataConfiguration(&json, index.non_filterable_keys, index.text_search, "ACTIVE");
  PutEncryption(&json, {index.sse_type, index.kms_key_arn});
  json.Key("indexMode").String(IndexModeName(index.mode));
  return json.EndObject().EndObject().Take();
}

std::string Encode(const ListIndexesReply& reply) {
  JsonWriter json;
  json.BeginObject().Key("indexes").BeginArray();
  for (const IndexSummary& index : reply.indexes) {
    json.BeginObject().Key("vectorBucketName").String(index.name.bucket);
    json.Key("indexName").String(index.name.index).Key("indexArn").String(index.arn);
    PutTime(&json, index.creation_time_s);
    json.EndObject();
  }
  json.EndArray();
  PutText(&json, "nextToken", reply.next_token);
  return json.EndObject().Take();
}

std::string Encode(const GetVectorsReply& reply) {
  JsonWriter json;
  json.BeginObject();
  PutRecords(&json, reply.vectors);
  return json.EndObject().Take();
}

std::string Encode(const ListVectorsReply& reply) {
  JsonWriter json;
  json.BeginObject();
  PutRecords(&json, reply.vectors);
  PutText(&json, "nextToken", reply.next_token);
  return json.EndObject().Take();
}

std::string Encode(const QueryVectorsReply& reply) {
  JsonWriter json;
  json.BeginObject().Key("vectors").BeginArray();
  for (const QueryMatch& match : reply.vectors) {
    json.BeginObject().Key("key").String(match.key);
    if (match.distance) {
      json.Key("distance");
      PutFloat(&json, *match.distance);
    }
    if (!match.metadata.empty()) json.Key("metadata").Raw(match.metadata);
    json.EndObject();
  }
  json.EndArray().Key("distanceMetric").String(DistanceMetricName(reply.metric));
  PutText(&json, "nextToken", reply.next_token);
  return json.EndObject().Take();
}

}  // namespace vecload::wire
