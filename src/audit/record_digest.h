#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace vecload::audit {

// 128 bits of XXH3. Against chance, not against somebody who makes collisions.
struct Digest {
  uint64_t high = 0;
  uint64_t low = 0;
  friend bool operator==(const Digest&, const Digest&) = default;
};

// One record: what is compared of it, part by part. The key decides its bucket.
struct RecordDigest {
  uint64_t key_hash = 0;
  Digest vector;
  Digest metadata;
  // Of the parts, the whole key and the shard in which the record is or should be.
  Digest whole;
};

struct DigestRules {
  bool keys_only = false;
  bool numbers_as_float32 = false;
};

// Digests records one after the other; not thread-safe, as it keeps its buffers.
class RecordDigester {
 public:
  explicit RecordDigester(const DigestRules& rules) : rules_(rules) {}
  // -0.0 counts as 0.0; `metadata` is a JSON object or empty, which is the same as {}.
  RecordDigest Of(std::string_view key, std::span<const float> vector, std::string_view metadata,
                  uint32_t shard);

 private:
  DigestRules rules_;
  std::string text_;
};

uint64_t KeyHash(std::string_view key);

}  // namespace vecload::audit
