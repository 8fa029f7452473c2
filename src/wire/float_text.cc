#include "wire/float_text.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "wire/float_decimal.h"

namespace vecload::wire {
namespace {

static_assert(std::endian::native == std::endian::little, "EightDigits stores words as text");

constexpr uint64_t kZeros = 0x3030'3030'3030'3030;  // eight '0'

// Eight decimal digits of a number below 10^8 as ASCII in memory order: halves, quarters, eighths,
// all lanes of a word at once.
uint64_t EightDigits(uint64_t value) {
  const uint64_t fours = (value / 10'000) | ((value % 10'000) << 32);
  const uint64_t hundreds = ((fours * 10'486) >> 20) & 0x0000'007f'0000'007f;
  const uint64_t twos = hundreds | ((fours - 100 * hundreds) << 16);
  const uint64_t tens = ((twos * 103) >> 10) & 0x000f'000f'000f'000f;
  return (tens | ((twos - 10 * tens) << 8)) | kZeros;
}

double RoundToInteger(double value) { return (value + kMagic) - kMagic; }

// A magnitude of exponent kExponentMin to kExponentMax.
char* WriteUsual(double value, int exponent, char* out) {
  const int decimals = DecimalsOf(exponent);
  const double power = kPowers[static_cast<size_t>(decimals - 1) % kPowers.size()];
  const double floor = std::bit_cast<double>(std::bit_cast<uint64_t>(value) & kExponentMask);
  const double fewer = value * power;
  const double rounded = RoundToInteger(fewer);
  const bool is_enough = std::abs(fewer - rounded) <= floor * power * kHalfUlp;
  const auto digits = static_cast<uint64_t>(RoundToInteger((is_enough ? rounded : fewer) * 10));
  const uint64_t eight = EightDigits(digits % 100'000'000);

  std::memset(out, '0', 2 + kDecimalsMax);
  char* const last = out + 2 + decimals;
  if (decimals > 8) last[-9] = static_cast<char>('0' + digits / 100'000'000);
  std::memcpy(last - 8, &eight, 8);
  if (decimals < 8) out[0] = out[1];  // the digit before the point
  out[1] = '.';
  char* const end = last - std::countl_zero(eight ^ kZeros) / 8;
  return end[-1] == '.' ? end - 1 : end;
}

// Any finite float: the shortest text, or nine digits for the one magnitude whose shortest text
// goes wrong through a double (0x15AE43FD).
char* WriteUnusual(float value, char* out) {
  char* end = std::to_chars(out, out + kFloat32TextMax, value).ptr;
  double through = 0;
  std::from_chars(out, end, through);
  if (std::bit_cast<uint32_t>(static_cast<float>(through)) != std::bit_cast<uint32_t>(value)) {
    end = std::to_chars(out, out + kFloat32TextMax, value, std::chars_format::scientific, 8).ptr;
  }
  return end;
}

}  // namespace

char* WriteFloat32(float value, char* out) {
  const double magnitude = std::abs(value);
  const int exponent = static_cast<int>(std::bit_cast<uint64_t>(magnitude) >> 52) - kExponentBias;
  if (exponent >= kExponentMin && exponent <= kExponentMax) [[likely]] {
    *out = '-';
    return WriteUsual(magnitude, exponent, out + std::signbit(value));
  }
  if (value == 0) {
    // Python's json reads "-0" as an integer, and so as plus zero.
    const std::string_view text = std::signbit(value) ? "-0.0" : "0";
    std::memcpy(out, text.data(), text.size());
    return out + text.size();
  }
  return WriteUnusual(value, out);
}

}  // namespace vecload::wire
