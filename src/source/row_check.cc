#include "source/row_check.h"

#include <bit>
#include <span>

#include <fmt/format.h>

#include "base/json_text.h"
#include "wire/limits.h"
#include "wire/metadata.h"

namespace vecload::source {
namespace {

// Both in one pass over the bits, which the compiler turns into vector code: NaN and infinity have
// all exponent bits set; a vector has zero norm exactly when no bit but signs is set.
struct VectorBits {
  bool all_finite = true;
  bool any_nonzero = false;
};

VectorBits Inspect(std::span<const float> vector) {
  constexpr uint32_t kMagnitude = 0x7fff'ffff;
  constexpr uint32_t kInfinity = 0x7f80'0000;
  uint32_t seen = 0;
  uint32_t not_finite = 0;
  for (const float value : vector) {
    const uint32_t magnitude = std::bit_cast<uint32_t>(value) & kMagnitude;
    seen |= magnitude;
    not_finite |= static_cast<uint32_t>(magnitude >= kInfinity);
  }
  return {not_finite == 0, seen != 0};
}

RejectRule CheckKeyText(std::string_view key) {
  if (key.empty() || key.size() > wire::kKeyBytesMax) return RejectRule::kKeyLength;
  // At most 1,024 bytes are at most 1,024 characters.
  return IsUtf8(key) ? RejectRule::kNone : RejectRule::kKeyNotUtf8;
}

}  // namespace

RejectRule CheckKey(const SourceRow& row) {
  return row.fault != RejectRule::kNone ? row.fault : CheckKeyText(row.key);
}

RejectRule CheckRow(const SourceRow& row, const RowRules& rules) {
  if (const RejectRule rule = CheckKey(row); rule != RejectRule::kNone) return rule;
  if (rules.keys_only) return RejectRule::kNone;
  if (row.vector.size() != rules.dimension) return RejectRule::kVectorDimension;
  const VectorBits bits = Inspect(row.vector);
  if (!bits.all_finite) return RejectRule::kVectorNotFinite;
  if (!bits.any_nonzero && rules.metric == DistanceMetric::kCosine) {
    return RejectRule::kVectorZeroNorm;
  }
  return wire::CheckMetadataLimits(row.metadata_keys, row.metadata_filterable_bytes,
                                   row.metadata_bytes);
}

std::string RejectMessage(const SourceRow& row, RejectRule rule, const RowRules& rules) {
  if (row.fault != RejectRule::kNone && !row.fault_detail.empty()) {
    return std::string(row.fault_detail);
  }
  switch (rule) {
    case RejectRule::kKeyMissing:
      return "the key is null";
    case RejectRule::kKeyLength:
      return fmt::format("the key has {} bytes; 1 to {} are allowed", row.key.size(),
                         wire::kKeyBytesMax);
    case RejectRule::kKeyNotUtf8:
      return "the key is not UTF-8";
    case RejectRule::kVectorMissing:
      return "the vector or one of its elements is null";
    case RejectRule::kVectorDimension:
      return fmt::format("the vector has length {}; the index has dimension {}", row.vector.size(),
                         rules.dimension);
    case RejectRule::kVectorNotFinite:
      return "the vector contains NaN or infinity after rounding to float32";
    case RejectRule::kVectorZeroNorm:
      return "the vector is all zero after rounding to float32, which cosine distance does not "
             "take";
    case RejectRule::kMetadataKeys:
      return fmt::format("the metadata has {} keys; at most {} are allowed", row.metadata_keys,
                         wire::kMetadataKeysMax);
    case RejectRule::kMetadataFilterableBytes:
      return fmt::format(
          "the filterable metadata has {} bytes; at most {} are allowed; keys named "
          "by --non-filterable when the index is created do not count",
          row.metadata_filterable_bytes, wire::kMetadataFilterableBytesMax);
    case RejectRule::kMetadataBytes:
      return fmt::format("the metadata has {} bytes; at most {} are allowed", row.metadata_bytes,
                         wire::kMetadataBytesMax);
    default:
      return std::string(RejectRuleName(rule));
  }
}

}  // namespace vecload::source
