#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "vecload/status.h"

namespace vecload {

/// How an index measures distance; fixed when it is created.
enum class DistanceMetric { kCosine, kEuclidean };

/// Returns AWS's word for the metric: "cosine" or "euclidean".
std::string_view DistanceMetricName(DistanceMetric metric);
/// Returns the metric of that name, or kInvalidArgument.
Result<DistanceMetric> ParseDistanceMetric(std::string_view name);

/// When a query's filter is applied: during the search, or before it.
enum class IndexMode { kClassic, kEnhanced };

/// Returns AWS's word for the mode: "CLASSIC" or "ENHANCED".
std::string_view IndexModeName(IndexMode mode);
/// Returns the mode of that name, or kInvalidArgument.
Result<IndexMode> ParseIndexMode(std::string_view name);

/// A metadata key whose text can be searched.
struct TextSearchConfiguration {
  std::string metadata_key;
  std::string language = {};  ///< "en" and the like; empty: the default analyzer.

  friend bool operator==(const TextSearchConfiguration&, const TextSearchConfiguration&) = default;
};

/// Names one vector index, as users write it: "BUCKET/INDEX" or an index ARN.
struct IndexName {
  std::string bucket;
  std::string index;

  /// Returns the parts of "BUCKET/INDEX" or
  /// "arn:aws:s3vectors:REGION:ACCOUNT:bucket/BUCKET/index/INDEX"; kInvalidArgument otherwise.
  /// Judges the form only: whether the names are legal is the service's to say.
  static Result<IndexName> Parse(std::string_view text);
  /// Returns "BUCKET/INDEX".
  [[nodiscard]] std::string ToString() const { return bucket + "/" + index; }
};

/// What GetIndex says of an index: the rules that every vector in it must keep.
struct IndexInfo {
  IndexName name;
  std::string arn;
  double creation_time_s = 0;  ///< Seconds since the epoch; an index made again has another one.
  uint32_t dimension = 0;
  DistanceMetric metric = DistanceMetric::kCosine;
  std::vector<std::string> non_filterable_keys;
  std::string sse_type;     ///< "AES256" or "aws:kms"; empty where the service did not say.
  std::string kms_key_arn;  ///< Empty unless sse_type is "aws:kms".
  IndexMode mode = IndexMode::kEnhanced;  ///< This too where the service did not say.
  std::vector<TextSearchConfiguration> text_search;
};

/// The rows [row_begin, row_end) of one file whose key hashes to `shard`; what batches are made
/// of and what a journal records (ADR 0006). `file` is a position in the job's manifest.
struct Segment {
  uint32_t file = 0;
  uint32_t shard = 0;
  uint64_t row_begin = 0;
  uint64_t row_end = 0;

  friend bool operator==(const Segment&, const Segment&) = default;
};

/// Why a row cannot be sent; the `rule` of a rejects line. The texts are a fixed list that users
/// match on: add to it, never change it.
enum class RejectRule : uint8_t {
  kNone,
  kKeyMissing,               ///< The key is null.
  kKeyLength,                ///< Not 1 to 1,024 characters and at most 1,024 bytes of UTF-8.
  kKeyNotUtf8,               ///< A binary key that is not UTF-8.
  kVectorMissing,            ///< The vector, or one of its elements, is null.
  kVectorDimension,          ///< Not as long as the index's dimension.
  kVectorNotFinite,          ///< NaN or infinite after rounding to float32.
  kVectorZeroNorm,           ///< All zero after rounding to float32, under cosine.
  kMetadataType,             ///< A value that S3 Vectors does not take.
  kMetadataIntegerRange,     ///< An integer that a double cannot hold.
  kMetadataKeys,             ///< More than 50 keys.
  kMetadataFilterableBytes,  ///< More than 2,048 bytes of filterable metadata.
  kMetadataBytes,            ///< More than 40,960 bytes of metadata.
  kMetadataJson,             ///< --metadata-json: not a JSON object.
  kServiceRefused,           ///< The service named this row, or refused it when sent alone.
  kShardValueMissing,        ///< --shard-by: the column is null.
  kShardValueNotUtf8,        ///< --shard-by: the value is not UTF-8.
};

/// How many rules there are, kNone included.
inline constexpr size_t kRejectRules = static_cast<size_t>(RejectRule::kShardValueNotUtf8) + 1;

/// Returns the rule as it stands in a rejects line, e.g. "vector_not_finite".
std::string_view RejectRuleName(RejectRule rule);

/// One vector as the API gives it back.
struct Record {
  std::string key;
  std::vector<float> vector;  ///< Empty where data was not asked for.
  std::string metadata;       ///< A JSON object, or empty where metadata was not asked for.
};

}  // namespace vecload
