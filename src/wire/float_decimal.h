#pragma once

#include <array>
#include <bit>
#include <cstdint>

// What both float writers compute with, one float at a time (float_text.cc) and many
// (float_list.cc).
//
// A float x = m * 2^(e-23) with a 24-bit m has neighbours one ulp = 2^(e-23) away. Let k be the
// smallest number of decimals with 10^-k < ulp: rounding x to k decimals errs by at most
// 10^-k / 2 < ulp / 2, so the text always reads back to x and nothing needs to be checked. One
// decimal fewer often does as well; whether it does is one exact comparison. Everything is exact in
// double: x * 10^k = m * 5^k * 2^(..) has at most 24 + 28 bits, as k <= 12. A power of two has its
// lower neighbour at half the distance; the tests show that the eighteen of them read back too.
// ADR 0004.
namespace vecload::wire {

// The usual magnitudes, [2^-14, 8): at most twelve decimals, one digit before the point.
inline constexpr int kExponentMin = -14;
inline constexpr int kExponentMax = 2;

// k - 1 = (23 - e) * log10(2), rounded down; so near enough for these exponents.
inline constexpr int kLog10Of2Times256 = 77;
constexpr int DecimalsOf(int exponent) { return 1 + (23 - exponent) * kLog10Of2Times256 / 256; }
inline constexpr int kDecimalsMin = DecimalsOf(kExponentMax);
inline constexpr int kDecimalsMax = DecimalsOf(kExponentMin);

// 10^(k-1) at (k - 1) modulo 8.
alignas(64) inline constexpr std::array<double, 8> kPowers = {1e8, 1e9, 1e10, 1e11, 0, 0, 1e6, 1e7};

// Adding it rounds a double below 2^31 to an integer, halves to even, in the mantissa's low bits.
inline constexpr double kMagic = 0x1p52;
inline constexpr uint64_t kMagicBits = std::bit_cast<uint64_t>(kMagic);

// Of a double: leaves 2^e.
inline constexpr uint64_t kExponentMask = 0x7ff0'0000'0000'0000;
inline constexpr int kExponentBias = 1023;
// Times 2^e: half an ulp of the float. The margin of 2^-24 of it keeps a text off whose double lies
// so near the midpoint of two floats that rounding twice goes wrong.
inline constexpr double kHalfUlp = 0x1p-24 * (1 - 0x1p-24);

}  // namespace vecload::wire
