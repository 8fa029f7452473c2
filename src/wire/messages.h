#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "vecload/record.h"
#include "vecload/status.h"
#include "wire/errors.h"

// The bodies of S3 Vectors calls, both ways: what the client encodes the server decodes.
// Contract: botocore's model s3vectors/2025-07-15/service-2.json. Decoding a request judges form
// and constraints and answers with the service's own error; what needs an index (dimension, zero
// norm, metadata rules, filters) is the server's to judge. A request's kOperation is the last part
// of its URL: POST /CreateIndex. The operations that vecload itself does not call are decoded only.
namespace vecload::wire {

using Tags = std::vector<std::pair<std::string, std::string>>;

struct Encryption {
  std::string sse_type;  // "AES256" or "aws:kms"; empty: not given
  std::string kms_key_arn;
};

// A bucket by name or by ARN. Encoded: the ARN where it is set, else the name. Decoded: `name` is
// always set, `arn` only if it was given.
struct BucketTarget {
  std::string name;
  std::string arn;
};
// An index by ARN, or by bucket and name. Encoded: the ARN where it is set, else the names.
// Decoded: `bucket` and `index` are always set, `arn` only if it was given.
struct IndexTarget {
  std::string bucket;
  std::string index;
  std::string arn;

  static IndexTarget Of(const IndexName& name) { return {name.bucket, name.index, {}}; }
  [[nodiscard]] IndexName name() const { return {bucket, index}; }
};

// A bucket or an index, by ARN, as the operations on tags take it. Decoded: `index` is empty where
// it is a bucket.
struct ResourceTarget {
  std::string arn;
  std::string bucket;
  std::string index;

  [[nodiscard]] IndexName name() const { return {bucket, index}; }
};

struct BucketInfo {
  std::string name;
  std::string arn;
  double creation_time_s = 0;
  Encryption encryption;
  std::optional<IndexMode> default_index_mode = {};
};

struct CreateVectorBucketRequest {
  static constexpr std::string_view kOperation = "CreateVectorBucket";
  std::string name;
  Encryption encryption;
  Tags tags;
};
struct CreateVectorBucketReply {
  std::string arn;
};
struct GetVectorBucketRequest {
  static constexpr std::string_view kOperation = "GetVectorBucket";
  BucketTarget bucket;
};
struct GetVectorBucketReply {
  BucketInfo bucket;
};
struct DeleteVectorBucketRequest {
  static constexpr std::string_view kOperation = "DeleteVectorBucket";
  BucketTarget bucket;
};
struct PutVectorBucketPolicyRequest {
  static constexpr std::string_view kOperation = "PutVectorBucketPolicy";
  BucketTarget bucket;
  std::string policy;  // decoded: a JSON object
};
struct GetVectorBucketPolicyRequest {
  static constexpr std::string_view kOperation = "GetVectorBucketPolicy";
  BucketTarget bucket;
};
struct GetVectorBucketPolicyReply {
  std::string policy;
};
struct DeleteVectorBucketPolicyRequest {
  static constexpr std::string_view kOperation = "DeleteVectorBucketPolicy";
  BucketTarget bucket;
};
struct PutVectorBucketDefaultIndexModeRequest {
  static constexpr std::string_view kOperation = "PutVectorBucketDefaultIndexMode";
  BucketTarget bucket;
  IndexMode mode = IndexMode::kEnhanced;
};
struct ListVectorBucketsRequest {
  static constexpr std::string_view kOperation = "ListVectorBuckets";
  std::optional<uint32_t> max_results;  // 1 to 500
  std::string next_token;
  std::string prefix;
};
struct ListVectorBucketsReply {
  std::vector<BucketInfo> buckets;  // their encryption is not listed
  std::string next_token;
};

struct CreateIndexRequest {
  static constexpr std::string_view kOperation = "CreateIndex";
  BucketTarget bucket;
  std::string name;
  uint32_t dimension = 0;
  DistanceMetric metric = DistanceMetric::kCosine;
  std::vector<std::string> non_filterable_keys;
  Encryption encryption;
  Tags tags;
  std::vector<TextSearchConfiguration> text_search = {};
};
struct CreateIndexReply {
  std::string arn;
};
struct GetIndexRequest {
  static constexpr std::string_view kOperation = "GetIndex";
  IndexTarget index;
};
struct GetIndexReply {
  IndexInfo index;
};
struct DeleteIndexRequest {
  static constexpr std::string_view kOperation = "DeleteIndex";
  IndexTarget index;
};
struct UpdateIndexModeRequest {
  static constexpr std::string_view kOperation = "UpdateIndexMode";
  IndexTarget index;
  IndexMode mode = IndexMode::kEnhanced;
};
// Either adds or deletes; decoded: exactly one of the two is given, and no key is there twice.
struct UpdateMetadataConfigurationRequest {
  static constexpr std::string_view kOperation = "UpdateMetadataConfiguration";
  IndexTarget index;
  std::optional<std::vector<TextSearchConfiguration>> added;
  std::optional<std::vector<std::string>> deleted;
};
struct UpdateMetadataConfigurationReply {
  std::string arn;
};
struct ListIndexesRequest {
  static constexpr std::string_view kOperation = "ListIndexes";
  BucketTarget bucket;
  std::optional<uint32_t> max_results;  // 1 to 500
  std::string next_token;
  std::string prefix;
};
struct IndexSummary {
  IndexName name;
  std::string arn;
  double creation_time_s = 0;
};
struct ListIndexesReply {
  std::vector<IndexSummary> indexes;
  std::string next_token;
};

// A PutVectors request, decoded into flat arrays that are reused between requests: no allocation
// per vector once they have grown. Its body is written by wire/put_body.h.
struct PutVectorsRequest {
  static constexpr std::string_view kOperation = "PutVectors";
  struct Entry {
    std::string_view key;       // into `text`
    std::string_view metadata;  // raw JSON object into the request body; empty: none given
    size_t float_begin = 0;     // into `floats`
    size_t float_count = 0;
  };
  IndexTarget index;
  std::vector<Entry> entries;
  std::vector<float> floats;  // all finite
  std::string text;

  [[nodiscard]] const float* vector(const Entry& entry) const {
    return floats.data() + entry.float_begin;
  }
};

struct GetVectorsRequest {
  static constexpr std::string_view kOperation = "GetVectors";
  IndexTarget index;
  std::vector<std::string> keys;
  bool return_data = false;
  bool return_metadata = false;
};
struct GetVectorsReply {
  std::vector<Record> vectors;
};
struct DeleteVectorsRequest {
  static constexpr std::string_view kOperation = "DeleteVectors";
  IndexTarget index;
  std::vector<std::string> keys;  // decoded: no key twice
};
struct ListVectorsRequest {
  static constexpr std::string_view kOperation = "ListVectors";
  IndexTarget index;
  std::optional<uint32_t> max_results;  // 1 to 1,000
  std::string next_token;
  std::optional<uint32_t> segment_count;  // 1 to 16; given together with segment_index
  std::optional<uint32_t> segment_index;  // decoded: below segment_count
  bool return_data = false;
  bool return_metadata = false;
};
struct ListVectorsReply {
  std::vector<Record> vectors;
  std::string next_token;
};
struct QueryText {
  std::string text;
  std::string metadata_key;
};
struct QueryVectorsRequest {
  static constexpr std::string_view kOperation = "QueryVectors";
  IndexTarget index;
  uint32_t top_k = 0;        // 1 to 10,000
  std::vector<float> query;  // decoded: may be empty where there are texts
  std::string filter;        // raw JSON object; empty: none
  bool return_metadata = false;
  bool return_distance = false;
  std::string next_token;
  std::optional<IndexMode> mode = {};  // not given: the index's own
  std::vector<QueryText> texts = {};   // decoded: no metadata key twice
  bool return_scores = false;
};
struct QueryMatch {
  std::string key;
  std::optional<float> distance;
  std::string metadata;  // JSON object; empty: not asked for
};
struct QueryVectorsReply {
  std::vector<QueryMatch> vectors;
  DistanceMetric metric = DistanceMetric::kCosine;
  std::string next_token;
};

struct TagResourceRequest {
  ResourceTarget resource;
  Tags tags;
};
struct UntagResourceRequest {
  ResourceTarget resource;
  std::vector<std::string> keys;
};
struct ListTagsForResourceRequest {
  ResourceTarget resource;
};
struct ListTagsForResourceReply {
  Tags tags;
};

// The body of a success that has nothing to say: deletes, PutVectors and the like.
inline constexpr std::string_view kEmptyReply = "{}";

// The body of a request or reply. Members that are empty or unset are left out, but for the lists
// of replies.
std::string Encode(const CreateVectorBucketRequest& request);
std::string Encode(const GetVectorBucketRequest& request);
std::string Encode(const DeleteVectorBucketRequest& request);
std::string Encode(const ListVectorBucketsRequest& request);
std::string Encode(const CreateIndexRequest& request);
std::string Encode(const GetIndexRequest& request);
std::string Encode(const DeleteIndexRequest& request);
std::string Encode(const ListIndexesRequest& request);
std::string Encode(const GetVectorsRequest& request);
std::string Encode(const DeleteVectorsRequest& request);
std::string Encode(const ListVectorsRequest& request);
std::string Encode(const QueryVectorsRequest& request);

std::string Encode(const CreateVectorBucketReply& reply);
std::string Encode(const GetVectorBucketReply& reply);
std::string Encode(const GetVectorBucketPolicyReply& reply);
std::string Encode(const ListVectorBucketsReply& reply);
std::string Encode(const CreateIndexReply& reply);
std::string Encode(const GetIndexReply& reply);
std::string Encode(const UpdateMetadataConfigurationReply& reply);
std::string Encode(const ListIndexesReply& reply);
std::string Encode(const GetVectorsReply& reply);
std::string Encode(const ListVectorsReply& reply);
std::string Encode(const QueryVectorsReply& reply);
std::string Encode(const ListTagsForResourceReply& reply);

// A decoded request, or the error to answer with.
template <typename T>
class [[nodiscard]] Decoded {
 public:
  Decoded(T value) : state_(std::in_place_index<0>, std::move(value)) {}          // NOLINT
  Decoded(WireError error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT

  [[nodiscard]] bool ok() const { return state_.index() == 0; }
  [[nodiscard]] const WireError& error() const { return std::get<1>(state_); }
  T& operator*() { return std::get<0>(state_); }
  const T& operator*() const { return std::get<0>(state_); }
  T* operator->() { return &std::get<0>(state_); }
  const T* operator->() const { return &std::get<0>(state_); }

 private:
  std::variant<T, WireError> state_;
};

// Reads a request; T is any *Request but PutVectorsRequest. Members it does not know are ignored.
// An empty body counts as {}.
template <typename T>
Decoded<T> DecodeRequest(std::string_view body);
template <>
Decoded<CreateVectorBucketRequest> DecodeRequest(std::string_view body);
template <>
Decoded<GetVectorBucketRequest> DecodeRequest(std::string_view body);
template <>
Decoded<DeleteVectorBucketRequest> DecodeRequest(std::string_view body);
template <>
Decoded<ListVectorBucketsRequest> DecodeRequest(std::string_view body);
template <>
Decoded<CreateIndexRequest> DecodeRequest(std::string_view body);
template <>
Decoded<GetIndexRequest> DecodeRequest(std::string_view body);
template <>
Decoded<DeleteIndexRequest> DecodeRequest(std::string_view body);
template <>
Decoded<ListIndexesRequest> DecodeRequest(std::string_view body);
template <>
Decoded<GetVectorsRequest> DecodeRequest(std::string_view body);
template <>
Decoded<DeleteVectorsRequest> DecodeRequest(std::string_view body);
template <>
Decoded<ListVectorsRequest> DecodeRequest(std::string_view body);
template <>
Decoded<QueryVectorsRequest> DecodeRequest(std::string_view body);

template <>
Decoded<PutVectorBucketPolicyRequest> DecodeRequest(std::string_view body);
template <>
Decoded<GetVectorBucketPolicyRequest> DecodeRequest(std::string_view body);
template <>
Decoded<DeleteVectorBucketPolicyRequest> DecodeRequest(std::string_view body);
template <>
Decoded<PutVectorBucketDefaultIndexModeRequest> DecodeRequest(std::string_view body);
template <>
Decoded<UpdateIndexModeRequest> DecodeRequest(std::string_view body);
template <>
Decoded<UpdateMetadataConfigurationRequest> DecodeRequest(std::string_view body);

// The operations on tags say in their URL what they mean: METHOD /tags/ARN?tagKeys=KEY...; `target`
// is path and query as they came.
inline constexpr std::string_view kTagsPath = "/tags/";
template <typename T>
Decoded<T> DecodeRequest(std::string_view target, std::string_view body);
template <>
Decoded<TagResourceRequest> DecodeRequest(std::string_view target, std::string_view body);
template <>
Decoded<UntagResourceRequest> DecodeRequest(std::string_view target, std::string_view body);
template <>
Decoded<ListTagsForResourceRequest> DecodeRequest(std::string_view target, std::string_view body);

// Reads a PutVectors request into `request`, whose memory is reused; nullopt where all is well,
// else the error to answer with. `body` may be moved to make room behind it for the parser, and
// must then outlive `request`, whose metadata points into it.
std::optional<WireError> DecodePutVectors(std::string* body, PutVectorsRequest* request);

// Whether `text` is one JSON object and nothing else, nested at most 64 deep.
bool IsJsonObject(std::string_view text);

// 3 to 63 of a-z, 0-9, '-', '.', with a letter or digit at both ends.
bool IsResourceName(std::string_view text);

// Reads a reply; T is any *Reply. kCorrupt where the body is not one.
template <typename T>
Result<T> DecodeReply(std::string_view body);
template <>
Result<CreateVectorBucketReply> DecodeReply(std::string_view body);
template <>
Result<GetVectorBucketReply> DecodeReply(std::string_view body);
template <>
Result<ListVectorBucketsReply> DecodeReply(std::string_view body);
template <>
Result<CreateIndexReply> DecodeReply(std::string_view body);
template <>
Result<GetIndexReply> DecodeReply(std::string_view body);
template <>
Result<ListIndexesReply> DecodeReply(std::string_view body);
template <>
Result<GetVectorsReply> DecodeReply(std::string_view body);
template <>
Result<ListVectorsReply> DecodeReply(std::string_view body);
template <>
Result<QueryVectorsReply> DecodeReply(std::string_view body);
template <>
Result<ListTagsForResourceReply> DecodeReply(std::string_view body);

}  // namespace vecload::wire
