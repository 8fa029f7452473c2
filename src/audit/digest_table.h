#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "audit/record_digest.h"

namespace vecload::audit {

// Sums of digests mod 2^128 by bucket of the key. The source's records are added and the index's
// subtracted, in any order and from any thread; where both have the same records, all is zero. A
// sum, not XOR: there, a record that is twice on one side would cancel out. 24 MiB.
class DigestTable {
 public:
  static constexpr uint32_t kBuckets = 1 << 20;

  DigestTable() : buckets_(kBuckets) {}
  static uint32_t BucketOf(uint64_t key_hash) { return key_hash & (kBuckets - 1); }

  void Add(const RecordDigest& record) {
    AddSum(BucketOf(record.key_hash), record.whole.high, record.whole.low, 1);
  }
  void Subtract(const RecordDigest& record) {
    // The negative in two's complement.
    const uint64_t low = ~record.whole.low + 1;
    AddSum(BucketOf(record.key_hash), ~record.whole.high + static_cast<uint64_t>(low == 0), low,
           -1);
  }
  [[nodiscard]] bool Differs(uint32_t bucket) const {
    const Bucket& at = buckets_[bucket];
    return at.high != 0 || at.low != 0 || at.count != 0;
  }
  [[nodiscard]] bool SameAs(const DigestTable& other, uint32_t bucket) const {
    const Bucket& left = buckets_[bucket];
    const Bucket& right = other.buckets_[bucket];
    return left.high == right.high && left.low == right.low && left.count == right.count;
  }

 private:
  struct Bucket {
    std::atomic<uint64_t> high{0};
    std::atomic<uint64_t> low{0};
    std::atomic<int64_t> count{0};
  };

  // Each addition to the low half happens at one place in the order of them all, and so carries
  // exactly when the sum there does: no lock is needed for the whole to be right in the end.
  void AddSum(uint32_t bucket, uint64_t high, uint64_t low, int64_t count) {
    Bucket& at = buckets_[bucket];
    const uint64_t before = at.low.fetch_add(low, std::memory_order_relaxed);
    const auto carry = static_cast<uint64_t>(before + low < before);
    at.high.fetch_add(high + carry, std::memory_order_relaxed);
    at.count.fetch_add(count, std::memory_order_relaxed);
  }

  std::vector<Bucket> buckets_;
};

}  // namespace vecload::audit
