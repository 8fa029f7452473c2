#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "vecload/aws_keys.h"
#include "vecload/record.h"
#include "vecload/status.h"

namespace vecload {

/// Where the service is and who asks. Empty members come from AWS's environment variables,
/// config files and credential chain, as with the AWS CLI.
struct ClientOptions {
  std::string endpoint_url;
  std::string region;
  std::string profile;
  AwsKeysCallback keys;  ///< In place of the chain's; null: the chain's.
};

/// A vector bucket as the service lists it.
struct VectorBucket {
  std::string name;
  std::string arn;
  double creation_time_s = 0;
};

/// What CreateIndex needs; the metric and the dimension can never be changed.
struct IndexSettings {
  uint32_t dimension = 0;  ///< 1 to 4,096.
  DistanceMetric metric = DistanceMetric::kCosine;
  std::vector<std::string> non_filterable_keys;  ///< At most 10.
  std::string kms_key_arn;                       ///< Empty: the bucket's own encryption.
  std::vector<std::pair<std::string, std::string>> tags;
};

/// A query: `vector` as long as the index's dimension.
struct Query {
  std::vector<float> vector;
  uint32_t top_k = 10;
  std::string filter;  ///< JSON of the filter language; empty: none.
  bool return_metadata = true;
};

/// One neighbour; `metadata` is a JSON object, empty where not asked for.
struct Neighbor {
  std::string key;
  float distance = 0;
  std::string metadata;
};

/// One page of a query's answer, the nearest first.
struct NeighborPage {
  std::vector<Neighbor> neighbors;
  std::string next_token;  ///< Empty: the last page.
};

/// One of `count` shares of an index, each of which can be listed beside the others.
struct ListSegment {
  uint32_t index = 0;  ///< Below `count`.
  uint32_t count = 1;  ///< 1 to 16.
};

/// One page of a listing of vectors.
struct VectorPage {
  std::vector<Record> vectors;
  std::string next_token;  ///< Empty: the last page.
};

/// The S3 Vectors API, one blocking method a call; each retries what is worth it for at most 30 s.
/// Thread-safe. Failures carry what the service said (Status::service).
class Client {
 public:
  /// Finds credentials, region and endpoint. kDenied: no credentials; kInvalidArgument: no region.
  static Result<std::unique_ptr<Client>> Open(const ClientOptions& options);
  virtual ~Client() = default;

  virtual Status CreateVectorBucket(const std::string& bucket) = 0;
  virtual Status DeleteVectorBucket(const std::string& bucket) = 0;
  virtual Result<std::vector<VectorBucket>> ListVectorBuckets(const std::string& prefix) = 0;
  virtual Status CreateIndex(const IndexName& index, const IndexSettings& settings) = 0;
  virtual Result<IndexInfo> GetIndex(const IndexName& index) = 0;
  virtual Status DeleteIndex(const IndexName& index) = 0;
  virtual Result<std::vector<IndexInfo>> ListIndexes(const std::string& bucket,
                                                     const std::string& prefix) = 0;
  virtual Status PutVectors(const IndexName& index, const std::vector<Record>& vectors) = 0;
  virtual Result<std::vector<Record>> GetVectors(const IndexName& index,
                                                 const std::vector<std::string>& keys,
                                                 bool return_data, bool return_metadata) = 0;
  /// One page, of at most 1,000 vectors and about 1 MB, of a segment of the index.
  virtual Result<VectorPage> ListVectors(const IndexName& index, const std::string& next_token,
                                         bool return_data, bool return_metadata,
                                         ListSegment segment = {}) = 0;
  virtual Status DeleteVectors(const IndexName& index, const std::vector<std::string>& keys) = 0;
  /// The tags of the resource (bucket or index) with this ARN.
  virtual Result<std::vector<std::pair<std::string, std::string>>> ListTags(
      const std::string& arn) = 0;
  /// Follows the pages until top_k neighbours are there or no more come.
  virtual Result<std::vector<Neighbor>> QueryVectors(const IndexName& index,
                                                     const Query& query) = 0;
  /// One page, of at most 100 neighbours. `next_token` comes from the page before it of the very
  /// same query, and is empty for the first one.
  virtual Result<NeighborPage> QueryVectorsPage(const IndexName& index, const Query& query,
                                                const std::string& next_token) = 0;
};

}  // namespace vecload
