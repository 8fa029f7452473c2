#pragma once

#include <cstddef>
#include <cstdint>

namespace vecload::wire {

// Limits of the service: https://docs.aws.amazon.com/AmazonS3/latest/userguide/
// s3-vectors-limitations.html, read 2026-11-24.
inline constexpr size_t kBodyBytesMax = 20'971'520;  // inclusive
inline constexpr size_t kPutVectorsMax = 500;
inline constexpr size_t kDeleteVectorsMax = 500;
inline constexpr size_t kGetVectorsMax = 100;
inline constexpr size_t kListVectorsMax = 1000;
inline constexpr size_t kListVectorsDefault = 500;
inline constexpr size_t kListVectorsPageBytesMax = 1 << 20;
inline constexpr size_t kListSegmentsMax = 16;
inline constexpr size_t kListResourcesMax = 500;
inline constexpr uint32_t kDimensionMax = 4096;
inline constexpr size_t kTopKMax = 10'000;
inline constexpr size_t kQueryPageMax = 100;
inline constexpr size_t kKeyCharactersMax = 1024;
inline constexpr size_t kKeyBytesMax = 1024;
inline constexpr size_t kMetadataKeysMax = 50;
inline constexpr size_t kMetadataBytesMax = 40'960;
inline constexpr size_t kMetadataFilterableBytesMax = 2'048;
inline constexpr size_t kNonFilterableKeysMax = 10;
inline constexpr size_t kMetadataKeyCharactersMax = 63;  // of a non-filterable key's name
inline constexpr size_t kNameCharactersMin = 3;
inline constexpr size_t kNameCharactersMax = 63;
inline constexpr size_t kTagsMax = 50;
inline constexpr size_t kTagKeyCharactersMax = 128;
inline constexpr size_t kTagValueCharactersMax = 256;
inline constexpr size_t kResourceArnCharactersMax = 1'011;
inline constexpr size_t kBucketsMax = 10'000;  // of an account in a region
inline constexpr size_t kIndexesMax = 10'000;  // of a bucket
inline constexpr size_t kTextSearchKeysMax = 10;
inline constexpr size_t kQueryTextsMax = 10;
inline constexpr size_t kQueryTextCharactersMax = 1'024;
// Documented for ENHANCED mode; kept in both, so that the cost of a query has a bound.
inline constexpr size_t kFilterConditionsMax = 100;
// Of S3's other bucket policies; for vector buckets it is not documented.
inline constexpr size_t kPolicyBytesMax = 20'480;
inline constexpr double kRateVectorsPerS = 2'500;
inline constexpr double kRateRequestsPerS = 1'000;

}  // namespace vecload::wire
