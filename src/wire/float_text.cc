#include "wire/float_text.h"

#include <array>
#include <bit>
#include <charconv>
#include <cstdint>
#include <cstring>

// A float x = m * 2^(e-23) with a 24-bit m has neighbours one ulp = 2^(e-23) away. Let k be the
// smallest number of decimals with 10^-k < ulp: rounding x to k decimals errs by at most
// 10^-k / 2 < ulp / 2, so the text always reads back to x and nothing needs to be checked. One
// decimal fewer often does as well; whether it does is one exact integer comparison. All products
// fit 64 bits: m * 5^k < 2^24 * 5^12 < 2^52.
namespace vecload::wire {
namespace {

constexpr int kExponentMin = -14;  // below it scientific notation is shorter
constexpr int kExponentMax = 9;    // above it few embeddings live; decimals would be under 4

struct Scale {
  uint64_t pow5_short;  // 5^(k-1)
  uint64_t pow5_long;   // 5^k
  uint8_t shift_short;  // 24 - e - (k-1): the product's binary point, with one bit to round
  uint8_t shift_long;
  uint8_t decimals;  // k
};

constexpr Scale MakeScale(int e) {
  // 10^-k < 2^(e-23), i.e. 2^(23-e) < 10^k.
  int k = 0;
  uint64_t power = 1;
  while (power <= (uint64_t{1} << (23 - e))) {
    power *= 10;
    ++k;
  }
  uint64_t pow5 = 1;
  for (int i = 1; i < k; ++i) pow5 *= 5;
  return {pow5, pow5 * 5, static_cast<uint8_t>(24 - e - (k - 1)), static_cast<uint8_t>(24 - e - k),
          static_cast<uint8_t>(k)};
}

constexpr auto kScales = [] {
  std::array<Scale, kExponentMax - kExponentMin + 1> scales{};
  for (int e = kExponentMin; e <= kExponentMax; ++e) scales[e - kExponentMin] = MakeScale(e);
  return scales;
}();

struct Decimal {
  uint32_t digits;  // the value is digits * 10^-decimals; below 1.7e8
  int decimals;
};

// The shorter of k-1 and k decimals that reads back. `mantissa` has its hidden bit and is no power
// of two (there the lower neighbour is half an ulp away and the argument above fails).
inline Decimal ToDecimal(uint32_t mantissa, const Scale& scale) {
  const uint64_t value_short = uint64_t{2} * mantissa * scale.pow5_short;
  const uint64_t value_long = uint64_t{2} * mantissa * scale.pow5_long;
  const uint64_t digits_short =
      (value_short + (uint64_t{1} << (scale.shift_short - 1))) >> scale.shift_short;
  const uint64_t digits_long =
      (value_long + (uint64_t{1} << (scale.shift_long - 1))) >> scale.shift_long;
  const auto error = static_cast<int64_t>(value_short - (digits_short << scale.shift_short));
  // Half an ulp is pow5_short in these units. The margin of 2^-24 of it keeps a text off whose
  // double lies so near the midpoint of two floats that rounding twice goes wrong.
  const auto limit = static_cast<int64_t>(scale.pow5_short - (scale.pow5_short >> 24) - 1);
  const bool is_short = error <= limit && -error <= limit;
  return {static_cast<uint32_t>(is_short ? digits_short : digits_long),
          scale.decimals - static_cast<int>(is_short)};
}

// Eight decimal digits of a number below 10^8 as ASCII in memory order: halves, quarters, eighths,
// all lanes of a word at once.
inline uint64_t EightDigits(uint32_t value) {
  const uint64_t fours = (value / 10'000) | (uint64_t{value % 10'000} << 32);
  const uint64_t hundreds = ((fours * 10'486) >> 20) & 0x0000'007f'0000'007f;
  const uint64_t twos = hundreds | ((fours - 100 * hundreds) << 16);
  const uint64_t tens = ((twos * 103) >> 10) & 0x000f'000f'000f'000f;
  return (tens | ((twos - 10 * tens) << 8)) | 0x3030'3030'3030'3030;
}

static_assert(std::endian::native == std::endian::little, "EightDigits stores words as text");

// Below one: "0." and all decimals, zeros included, nine digits at most behind them.
inline char* WriteBelowOne(Decimal decimal, char* out) {
  std::memcpy(out, "0.000000000000000", 16);
  const uint32_t high = decimal.digits / 100'000'000;
  const uint64_t low = EightDigits(decimal.digits - high * 100'000'000);
  char* end = out + 2 + decimal.decimals;
  // With seven or eight decimals this lands on the point, which is then put back.
  end[-9] = static_cast<char>('0' + high);
  std::memcpy(end - 8, &low, 8);
  out[1] = '.';
  return end;
}

// From one to 2^10: as many digits as there are before the point, then the decimals.
inline char* WriteFromOne(Decimal decimal, char* out) {
  char digits[9];
  const uint32_t high = decimal.digits / 100'000'000;
  const uint64_t low = EightDigits(decimal.digits - high * 100'000'000);
  digits[0] = static_cast<char>('0' + high);
  std::memcpy(digits + 1, &low, 8);
  const char* begin = digits;
  while (*begin == '0') ++begin;
  const char* point = digits + 9 - decimal.decimals;
  while (begin != point) *out++ = *begin++;
  *out++ = '.';
  while (begin != digits + 9) *out++ = *begin++;
  return out;
}

// Any finite float: the shortest text, or nine digits for the one magnitude whose shortest text
// goes wrong through a double (0x15AE43FD).
char* WriteGeneral(float value, char* out) {
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
  const auto bits = std::bit_cast<uint32_t>(value);
  const uint32_t fraction = bits & 0x7f'ffff;
  const int exponent = static_cast<int>((bits >> 23) & 0xff) - 127;
  const auto row = static_cast<uint32_t>(exponent - kExponentMin);
  if (row < kScales.size() && fraction != 0) [[likely]] {
    const Decimal decimal = ToDecimal(fraction | 0x80'0000, kScales[row]);
    *out = '-';
    out += bits >> 31;
    return exponent < 0 ? WriteBelowOne(decimal, out) : WriteFromOne(decimal, out);
  }
  if (bits == 0x8000'0000) {
    std::memcpy(out, "-0.0", 4);
    return out + 4;
  }
  return WriteGeneral(value, out);
}

void AppendFloat32(float value, std::string* out) {
  char buffer[kFloat32TextMax];
  char* end = WriteFloat32(value, buffer);
  const std::string_view text(buffer, static_cast<size_t>(end - buffer));
  if (value != 0 && text.find('.') != text.npos && text.find('e') == text.npos) {
    while (end[-1] == '0') --end;
    if (end[-1] == '.') --end;
  }
  out->append(buffer, end);
}

}  // namespace vecload::wire
