#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vecload/record.h"
#include "vecload/status.h"
#include "wire/errors.h"

// The bodies of S3 Vectors calls, both ways: what the client encodes the server decodes.
// Contract: botocore's model s3vectors/2025-07-15/service-2.json. Decode* of requests judge form
// and constraints and answer with the service's ValidationException (FieldErrors inside the
// WireError); what needs an index (dimension, zero norm, metadata rules) is the server's to judge.
namespace vecload::wire {

using Tags = std::vector<std::pair<std::string, std::string>>;

struct Encryption {
  std::string sse_type;  // "AES256" or "aws:kms"; empty: not given
  std::string kms_key_arn;
};

// A bucket by name or by ARN; exactly one is set once decoded.
struct BucketTarget {
  std::string name;
  std::string arn;
};
// An index by ARN, or by bucket and name.
struct IndexTarget {
  std::string bucket;
  std::string index;
  std::string arn;

  static IndexTarget Of(const IndexName& name) { return {name.bucket, name.index, {}}; }
};

struct BucketInfo {
  std::string name;
  std::string arn;
  double creation_time_s = 0;
  Encryption encryption;
};

struct CreateVectorBucketRequest { std::string name; Encryption encryption; Tags tags; };
struct GetVectorBucketRequest { BucketTarget bucket; };
struct DeleteVectorBucketRequest { BucketTarget bucket; };
struct ListVectorBucketsRequest {
  std::optional<uint32_t> max_results; std::string next_token; std::string prefix;
};
struct ListVectorBucketsReply { std::vector<BucketInfo> buckets; std::string next_token; };

struct CreateIndexRequest {
  BucketTarget bucket;
  std::string name;
  uint32_t dimension = 0;
  DistanceMetric metric = DistanceMetric::kCosine;
  std::vector<std::string> non_filterable_keys;
  Encryption encryption;
  Tags tags;
};
struct GetIndexRequest { IndexTarget index; };
struct DeleteIndexRequest { IndexTarget index; };
struct ListIndexesRequest {
  BucketTarget bucket; std::optional<uint32_t> max_results; std::string next_token;
  std::string prefix;
};
struct IndexSummary { IndexName name; std::string arn; double creation_time_s = 0; };
struct ListIndexesReply { std::vector<IndexSummary> indexes; std::string next_token; };

// One vector of a PutVectors request, decoded into flat arrays that are reused between requests:
// no allocation per vector once they have grown.
struct PutVectorsRequest {
  struct Entry {
    std::string_view key;       // into `text`
    std::string_view metadata;  // raw JSON object into the request body; empty: none given
    size_t float_begin = 0;     // into `floats`
    size_t float_count = 0;
  };
  IndexTarget index;
  std::vector<Entry> entries;
  std::vector<float> floats;
  std::string text;
};

struct GetVectorsRequest {
  IndexTarget index; std::vector<std::string> keys; bool return_data = false;
  bool return_metadata = false;
};
struct GetVectorsReply { std::vector<Record> vectors; };
struct DeleteVectorsRequest { IndexTarget index; std::vector<std::string> keys; };
struct ListVectorsRequest {
  IndexTarget index; std::optional<uint32_t> max_results; std::string next_token;
  std::optional<uint32_t> segment_count; std::optional<uint32_t> segment_index;
  bool return_data = false; bool return_metadata = false;
};
struct ListVectorsReply { std::vector<Record> vectors; std::string next_token; };
struct QueryVectorsRequest {
  IndexTarget index;
  uint32_t top_k = 0;
  std::vector<float> query;
  std::string filter;  // raw JSON; empty: none
  bool return_metadata = false;
  bool return_distance = false;
  std::string next_token;
};
struct QueryMatch {
  std::string key; std::optional<float> distance;
  std::string metadata;  // JSON object; empty: not asked for
};
struct QueryVectorsReply {
  std::vector<QueryMatch> vectors; DistanceMetric metric = DistanceMetric::kCosine;
  std::string next_token;
};

// Encode(x) gives the body of the request or reply; Decode<T>(body) reads one. Requests decode to
// a WireError that is ready to be sent (server side); replies decode to a Status of kCorrupt
// (client side).
}  // namespace vecload::wire
