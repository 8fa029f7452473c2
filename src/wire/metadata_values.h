#pragma once

#include <functional>
#include <span>
#include <string_view>

namespace vecload::wire {

// One value of a vector's metadata; what belongs to other kinds is empty.
struct MetadataValue {
  enum class Kind { kString, kNumber, kBool, kStrings, kNumbers };

  Kind kind = Kind::kBool;
  bool flag = false;
  double number = 0;
  std::string_view text;
  std::span<const double> numbers;
  std::span<const std::string_view> texts;
};

using TakeMetadataValue = std::function<void(std::string_view key, const MetadataValue& value)>;

// Hands over the members of a metadata object one by one, in the order of the text; views live
// until `take` returns. False, perhaps after some were handed over, where the text is no object of
// strings, numbers, bools, and lists of only strings or only numbers. An empty text is an empty
// object.
bool ReadMetadataValues(std::string_view json, const TakeMetadataValue& take);

}  // namespace vecload::wire
