#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vecload::source {

// The text of numbers in metadata (ADR 0007): the shortest decimal that reads back to the same
// value of the column's own type, so that a filter finds what the user sees. All append to `out`.

// Finite values only.
void AppendFloat(float value, std::string* out);
void AppendDouble(double value, std::string* out);
// An IEEE half by its bits; finite.
void AppendHalf(uint16_t bits, std::string* out);

void AppendInteger(int64_t value, std::string* out);
void AppendInteger(uint64_t value, std::string* out);
// Whether a double holds the integer exactly.
bool DoubleHolds(int64_t value);
bool DoubleHolds(uint64_t value);

// unscaled x 10^-scale without an exponent: ("-1205", 2) is -12.05, ("12", -3) is 12000.
void AppendDecimal(std::string_view unscaled, int32_t scale, std::string* out);
// Whether the double nearest to `decimal`, as AppendDecimal wrote it, reads back to the same
// decimal at the same scale. True for up to 15 digits.
bool DoubleHoldsDecimal(std::string_view decimal);

// A half's value; exact.
double HalfToDouble(uint16_t bits);

}  // namespace vecload::source
