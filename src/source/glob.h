#pragma once

#include <string_view>

namespace vecload::source {

// Whether `text` holds any of the characters that make it a pattern: * ? [
bool HasGlob(std::string_view text);

// Whether one path segment matches one segment of a pattern, as in the shell: * is any run of
// characters, ? is one, [a-z] and [!a-z] are sets. Linear memory, at most |pattern| x |name|
// steps, so that no pattern takes for ever. What is hidden (IsHidden) matches only a pattern that
// opens with the same character.
bool SegmentMatches(std::string_view pattern, std::string_view name);

// Names that Spark, Hive and DuckDB treat as no data: opening with '.' or '_', such as _SUCCESS,
// _metadata or .part-0.crc. A partition folder may open with '_': "_day=7".
bool IsHidden(std::string_view name);

}  // namespace vecload::source
