#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace vecload::wire {

// Room that WriteFloat32 may touch behind `out`: it stores whole words past the text's end.
inline constexpr size_t kFloat32TextMax = 32;

// Writes a finite float as JSON number text and returns the text's end. The text reads back to
// the same bits both by a parser that rounds the decimal straight to float32 and by one that goes
// through a double. At most one digit longer than the shortest such text (ADR 0004). Minus zero is
// "-0.0", since "-0" becomes an integer, and so plus zero, in Python's json.
char* WriteFloat32(float value, char* out);

// The longest such text and its comma: "-1.17549435e-38,".
inline constexpr size_t kFloat32ListedMax = 16;

// Writes finite floats as a JSON array, with the texts that WriteFloat32 gives, and returns the
// array's end. Room: kFloat32ListedMax bytes a float, and kFloat32TextMax.
char* WriteFloat32s(std::span<const float> values, char* out);

// The instructions that WriteFloat32s runs with on this machine, as Highway names them: "AVX2".
std::string_view FloatWriterTarget();

}  // namespace vecload::wire
