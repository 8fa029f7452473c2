#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

// Reads the numbers that make up the body of a PutVectors request, which is most of the work of
// decoding one. Inline, since the call would be a good part of it.
namespace vecload::wire {

// Bytes that ReadPlainNumber may read behind the number's end; any values will do.
inline constexpr size_t kPlainNumberPadding = 18;

namespace plain_number {

static_assert(std::endian::native == std::endian::little, "the first digit is the lowest byte");

inline constexpr size_t kDecimalsMax = 16;
// Doubles exactly, as powers up to 10^22 are.
inline constexpr std::array<double, kDecimalsMax + 1> kPowers = {
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16};
inline constexpr std::array<uint64_t, kDecimalsMax + 1> kWholePowers = [] {
  std::array<uint64_t, kDecimalsMax + 1> powers{1};
  for (size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
  return powers;
}();

// Eight characters, less '0' each.
inline uint64_t LoadDigits(const char* text) {
  uint64_t word = 0;
  std::memcpy(&word, text, sizeof(word));
  return word ^ 0x3030'3030'3030'3030;
}

// Nonzero where one of the bytes is above 9. What carries spoil lies behind a byte that counts.
inline uint64_t Others(uint64_t digits) {
  return (digits | (digits + 0x7676'7676'7676'7676)) & 0x8080'8080'8080'8080;
}

// Eight digits, one a byte, as a number: pairs, fours, eight, all lanes of the word at once.
inline uint64_t EightDigits(uint64_t digits) {
  const uint64_t pairs = (digits * 10 + (digits >> 8)) & 0x00ff'00ff'00ff'00ff;
  const uint64_t fours = (pairs * 100 + (pairs >> 16)) & 0x0000'ffff'0000'ffff;
  return (fours * 10'000 + (fours >> 32)) & 0xffff'ffff;
}

}  // namespace plain_number

// Reads a number of the form that embeddings have, a digit, a point and up to sixteen digits, with
// or without a minus; rounds it to double and then to float32, as the service does. Returns false
// for any other text, whether it is a number or not. Without a branch that depends on digits, sign
// or length, since the processor would guess it wrong; exact, since digits and power of ten are
// doubles exactly and one division rounds correctly (Clinger 1990).
inline bool ReadPlainNumber(std::string_view text, float* number) {
  using namespace plain_number;
  __extension__ using Wide = unsigned __int128;
  constexpr uint64_t kExactMax = uint64_t{1} << 53;
  const bool negative = text.starts_with('-');
  const char* begin = text.data() + negative;
  const size_t decimals = text.size() - negative - 2;
  const auto whole = static_cast<uint8_t>(*begin - '0');
  if (decimals - 1 >= kDecimalsMax || whole > 9 || begin[1] != '.') return false;
  // Shifted so that the last digit comes to stand last, behind zeros.
  const Wide wide = Wide{LoadDigits(begin + 10)} << 64 | LoadDigits(begin + 2);
  const Wide shifted = wide << (8 * (kDecimalsMax - decimals));
  const auto high = static_cast<uint64_t>(shifted);
  const auto low = static_cast<uint64_t>(shifted >> 64);
  const uint64_t digits =
      whole * kWholePowers[decimals] + EightDigits(high) * 100'000'000 + EightDigits(low);
  if ((Others(high) | Others(low)) != 0 || digits > kExactMax) return false;
  const double magnitude = static_cast<double>(digits) / kPowers[decimals];
  const auto bits = std::bit_cast<uint32_t>(static_cast<float>(magnitude));
  *number = std::bit_cast<float>(bits | static_cast<uint32_t>(negative) << 31);
  return true;
}

}  // namespace vecload::wire
