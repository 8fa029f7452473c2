#include "vecload/record.h"

namespace vecload {

std::string_view DistanceMetricName(DistanceMetric metric) {
  return metric == DistanceMetric::kCosine ? "cosine" : "euclidean";
}

std::string_view RejectRuleName(RejectRule rule) {
  switch (rule) {
    case RejectRule::kNone:
      return "none";
    case RejectRule::kKeyMissing:
      return "key_missing";
    case RejectRule::kKeyLength:
      return "key_length";
    case RejectRule::kKeyNotUtf8:
      return "key_not_utf8";
    case RejectRule::kVectorMissing:
      return "vector_missing";
    case RejectRule::kVectorDimension:
      return "vector_dimension";
    case RejectRule::kVectorNotFinite:
      return "vector_not_finite";
    case RejectRule::kVectorZeroNorm:
      return "vector_zero_norm";
    case RejectRule::kMetadataType:
      return "metadata_type";
    case RejectRule::kMetadataIntegerRange:
      return "metadata_integer_range";
    case RejectRule::kMetadataKeys:
      return "metadata_keys";
    case RejectRule::kMetadataFilterableBytes:
      return "metadata_filterable_bytes";
    case RejectRule::kMetadataBytes:
      return "metadata_bytes";
    case RejectRule::kMetadataJson:
      return "metadata_json";
    case RejectRule::kServiceRefused:
      return "service_refused";
    case RejectRule::kShardValueMissing:
      return "shard_value_missing";
    case RejectRule::kShardValueNotUtf8:
      return "shard_value_not_utf8";
  }
  return "none";
}

Result<DistanceMetric> ParseDistanceMetric(std::string_view name) {
  if (name == "cosine") return DistanceMetric::kCosine;
  if (name == "euclidean") return DistanceMetric::kEuclidean;
  return Status::InvalidArgument("distance metric \"" + std::string(name) +
                                 "\" is unknown; use cosine or euclidean");
}

std::string_view IndexModeName(IndexMode mode) {
  return mode == IndexMode::kClassic ? "CLASSIC" : "ENHANCED";
}

Result<IndexMode> ParseIndexMode(std::string_view name) {
  if (name == "CLASSIC") return IndexMode::kClassic;
  if (name == "ENHANCED") return IndexMode::kEnhanced;
  return Status::InvalidArgument("index mode \"" + std::string(name) +
                                 "\" is unknown; use CLASSIC or ENHANCED");
}

Result<IndexName> IndexName::Parse(std::string_view text) {
  std::string_view rest = text;
  if (rest.starts_with("arn:")) {
    constexpr std::string_view kBucketPart = ":bucket/";
    constexpr std::string_view kIndexPart = "/index/";
    const size_t bucket_at = rest.find(kBucketPart);
    const size_t index_at = rest.find(kIndexPart);
    if (bucket_at != rest.npos && index_at != rest.npos && index_at > bucket_at) {
      const size_t begin = bucket_at + kBucketPart.size();
      IndexName name{std::string(rest.substr(begin, index_at - begin)),
                     std::string(rest.substr(index_at + kIndexPart.size()))};
      if (!name.bucket.empty() && !name.index.empty()) return name;
    }
  } else if (const size_t slash = rest.find('/'); slash != rest.npos) {
    IndexName name{std::string(rest.substr(0, slash)), std::string(rest.substr(slash + 1))};
    const bool plain = name.index.find('/') == std::string::npos;
    if (!name.bucket.empty() && !name.index.empty() && plain) return name;
  }
  return Status::InvalidArgument("\"" + std::string(text) +
                                 "\" does not name an index; write BUCKET/INDEX or an index ARN");
}

}  // namespace vecload
