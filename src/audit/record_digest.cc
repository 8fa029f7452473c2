#include "audit/record_digest.h"

#include <algorithm>
#include <array>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "wire/canonical_metadata.h"

namespace vecload::audit {
namespace {

// Apart from the hash that chooses shards (seed 0), so that all buckets of a shard are used.
constexpr uint64_t kKeySeed = 0x766563'6c6f6164;

Digest DigestOf(const void* bytes, size_t size) {
  const XXH128_hash_t hash = XXH3_128bits(bytes, size);
  return {hash.high64, hash.low64};
}

// In blocks that stay in the nearest cache, since -0.0 must become 0.0 on the way.
Digest VectorDigest(std::span<const float> vector) {
  constexpr size_t kBlock = 1024;
  std::array<float, kBlock> block;
  const auto fill = [&](std::span<const float> part) {
    // Adding 0.0 turns -0.0 into 0.0 and leaves every other number as it is.
    std::ranges::transform(part, block.begin(), [](float value) { return value + 0.0F; });
  };
  if (vector.size() <= kBlock) {
    fill(vector);
    return DigestOf(block.data(), vector.size() * sizeof(float));
  }
  XXH3_state_t state;
  XXH3_128bits_reset(&state);
  for (size_t i = 0; i < vector.size(); i += kBlock) {
    const auto part = vector.subspan(i, std::min(kBlock, vector.size() - i));
    fill(part);
    XXH3_128bits_update(&state, block.data(), part.size() * sizeof(float));
  }
  const XXH128_hash_t hash = XXH3_128bits_digest(&state);
  return {hash.high64, hash.low64};
}

}  // namespace

uint64_t KeyHash(std::string_view key) {
  return XXH3_64bits_withSeed(key.data(), key.size(), kKeySeed);
}

RecordDigest RecordDigester::Of(std::string_view key, std::span<const float> vector,
                                std::string_view metadata, uint32_t shard) {
  RecordDigest digest{.key_hash = KeyHash(key)};
  if (!rules_.keys_only) {
    digest.vector = VectorDigest(vector);
    text_.clear();
    wire::AppendCanonicalMetadata(metadata, rules_.numbers_as_float32, &text_);
    digest.metadata = DigestOf(text_.data(), text_.size());
  }
  const Digest key_digest = DigestOf(key.data(), key.size());
  // Parts of fixed width, so that no two records have the same bytes.
  const std::array<uint64_t, 8> parts = {
      key_digest.high,      key_digest.low,      digest.vector.high, digest.vector.low,
      digest.metadata.high, digest.metadata.low, vector.size(),      shard};
  digest.whole = DigestOf(parts.data(), sizeof(parts));
  return digest;
}

}  // namespace vecload::audit
