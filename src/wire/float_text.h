#pragma once

#include <cstddef>
#include <string>

namespace vecload::wire {

// Room that WriteFloat32 may touch behind `out`: it stores whole words past the text's end.
inline constexpr size_t kFloat32TextMax = 32;

// Writes a finite float as JSON number text and returns the text's end. The text reads back to
// the same bits both by a parser that rounds the decimal straight to float32 and by one that goes
// through a double. At most one digit longer than the shortest such text (ADR 0004). Minus zero is
// "-0.0", since "-0" becomes an integer, and so plus zero, in Python's json.
char* WriteFloat32(float value, char* out);

// The same, without trailing zeros behind the point: for replies, where people look.
void AppendFloat32(float value, std::string* out);

}  // namespace vecload::wire
