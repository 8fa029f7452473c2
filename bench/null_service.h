#pragma once

// What the null server knows of S3 Vectors: how many vectors a body holds, whose index it names,
// and a limit per index. Nothing here is shared with the loader, whose pace it checks.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <unordered_map>

namespace null_service {

using TimePoint = std::chrono::steady_clock::time_point;

struct IndexName {
  std::string bucket = "null-bucket";
  std::string index = "null-index";
};

/// Reads a body that comes in pieces, without parsing it.
class BodyReader {
 public:
  void Take(std::string_view piece) {
    const size_t missing = kStartBytes - start_.size();
    start_.append(piece.substr(0, missing));
    Count(piece);
  }

  /// Occurrences of `"key":`. In a string its quotes would be escaped; only a metadata field of
  /// that name would count too much.
  [[nodiscard]] uint64_t vectors() const { return vectors_; }

  /// The index that the body's start names, or the default one.
  [[nodiscard]] IndexName Index() const {
    IndexName name;
    if (const std::string arn = Member("indexArn"); !arn.empty()) {
      const size_t bucket = arn.find(":bucket/") + std::strlen(":bucket/");
      const size_t index = arn.find("/index/", bucket);
      if (index != std::string::npos) {
        return {arn.substr(bucket, index - bucket), arn.substr(index + std::strlen("/index/"))};
      }
    }
    if (std::string bucket = Member("vectorBucketName"); !bucket.empty()) name.bucket = bucket;
    if (std::string index = Member("indexName"); !index.empty()) name.index = index;
    return name;
  }

 private:
  // Every SDK and the loader write the index first, and no name or ARN is longer.
  static constexpr size_t kStartBytes = 300;
  static constexpr std::string_view kKey = "\"key\":";

  // Quotes are rare among digits, so almost all is skipped by memchr.
  void Count(std::string_view piece) {
    const char* at = piece.data();
    const char* const end = at + piece.size();
    while (at != end) {
      if (matched_ == 0) {
        at = static_cast<const char*>(std::memchr(at, '"', static_cast<size_t>(end - at)));
        if (at == nullptr) return;
      }
      if (*at == kKey[matched_]) {
        ++at;
        if (++matched_ == kKey.size()) {
          ++vectors_;
          matched_ = 0;
        }
      } else {
        // No string follows a string at once, so no match begins within a failed one.
        matched_ = 0;
      }
    }
  }

  [[nodiscard]] std::string Member(std::string_view name) const {
    size_t at = start_.find("\"" + std::string(name) + "\"");
    if (at == std::string::npos) return "";
    at = start_.find('"', at + name.size() + 2);
    if (at == std::string::npos) return "";
    const size_t end = start_.find('"', at + 1);
    return end == std::string::npos ? "" : start_.substr(at + 1, end - at - 1);
  }

  std::string start_{};
  size_t matched_ = 0;  // of kKey, at the end of the last piece
  uint64_t vectors_ = 0;
};

/// Token buckets, one for each index, a second deep.
class IndexLimits {
 public:
  explicit IndexLimits(double vectors_per_s) : vectors_per_s_(vectors_per_s) {}

  /// False if the index has no room for so many now.
  bool Take(const IndexName& name, uint64_t vectors, TimePoint now) {
    const auto [found, is_new] =
        buckets_.try_emplace(name.bucket + "/" + name.index, Bucket{vectors_per_s_, now});
    Bucket& bucket = found->second;
    const double passed_s = std::chrono::duration<double>(now - bucket.filled_at).count();
    bucket.tokens = std::min(vectors_per_s_, bucket.tokens + passed_s * vectors_per_s_);
    bucket.filled_at = now;
    if (bucket.tokens < static_cast<double>(vectors)) return false;
    bucket.tokens -= static_cast<double>(vectors);
    return true;
  }

 private:
  struct Bucket {
    double tokens;
    TimePoint filled_at;
  };

  double vectors_per_s_;
  std::unordered_map<std::string, Bucket> buckets_{};
};

}  // namespace null_service
