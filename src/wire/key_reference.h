#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "vecload/status.h"

namespace vecload::wire {

// A key as vecload names it in its files of JSON Lines: {"key":"a17","index":"bucket/index"}, or
// {"key_base64":"//4="} where it is not UTF-8.
struct KeyReference {
  std::optional<std::string> key;  // absent: the line has none, as that of a row without a key
  std::string index;               // in which the key is; empty: the line does not say
};

// Reads one such line; other members are passed over. kInvalidArgument: not a JSON object, members
// of another kind, two keys.
Result<KeyReference> ParseKeyReference(std::string_view line);

}  // namespace vecload::wire
