#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "vecload/record.h"

namespace vecload::wire {

// Counts metadata by the service's size model, found byte-exact by probing it:
// 4 + sum over keys of (8 + bytes of the key + value); a string counts its UTF-8 bytes, a number
// 4, a bool 0, an array the sum over its elements of (4 + element).
class MetadataMeter {
 public:
  explicit MetadataMeter(std::span<const std::string> non_filterable_keys)
      : non_filterable_keys_(non_filterable_keys) {}

  void Reset() {
    bytes_ = filterable_bytes_ = 4;
    keys_ = 0;
  }
  // Adds one key whose value counts `value_bytes`.
  void Add(std::string_view key, size_t value_bytes);
  // As Add, for callers that looked up once per column whether the key is filterable.
  void Add(size_t key_bytes, size_t value_bytes, bool filterable) {
    const auto size = static_cast<uint32_t>(8 + key_bytes + value_bytes);
    bytes_ += size;
    if (filterable) filterable_bytes_ += size;
    ++keys_;
  }
  [[nodiscard]] bool IsFilterable(std::string_view key) const;
  [[nodiscard]] uint32_t bytes() const { return bytes_; }
  [[nodiscard]] uint32_t filterable_bytes() const { return filterable_bytes_; }
  [[nodiscard]] uint32_t keys() const { return keys_; }

 private:
  std::span<const std::string> non_filterable_keys_;
  uint32_t bytes_ = 4;
  uint32_t filterable_bytes_ = 4;
  uint32_t keys_ = 0;
};

// What is wrong with a metadata object; rule kNone where nothing is.
struct MetadataFault {
  RejectRule rule = RejectRule::kNone;
  std::string message;  // In the service's own words where they are known.
};

// Judges one JSON text as a vector's metadata: an object whose values are strings, numbers,
// booleans, or non-empty arrays of only strings or only numbers; then the key count and both
// sizes. `meter` ends with its counts. Appends the object to `out` in canonical form: its keys in
// the order given, no spaces, an escape only where JSON demands one, numbers as they were written.
// A key given twice: the later value wins.
MetadataFault ReadMetadata(std::string_view json, MetadataMeter* meter, std::string* out);

// The limits alone, for a row whose counts are known.
RejectRule CheckMetadataLimits(uint32_t keys, uint32_t filterable_bytes, uint32_t bytes);

}  // namespace vecload::wire
