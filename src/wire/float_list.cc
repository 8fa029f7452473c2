#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "wire/float_text.h"

// Many floats at once, one a 64-bit lane; the arithmetic is float_decimal.h's, so each text is the
// one that WriteFloat32 gives. Highway compiles this file once for every instruction set and picks
// at run time.
//
// The lanes give digits as ASCII, and lengths. What remains for each float alone is one shuffle,
// which puts comma, sign, point and zeros between the digits, and one store of 16 bytes, of which
// only the text's length counts.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "wire/float_list.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "wire/float_decimal.h"

#ifndef VECLOAD_WIRE_FLOAT_LIST_ONCE
#define VECLOAD_WIRE_FLOAT_LIST_ONCE
namespace vecload::wire {

// How eight digits become text: a shuffle that puts them in place, zeros elsewhere, and what is
// then added. A ninth digit in front is 0 or 1, since all nine are below 1.68 * 10^8.
struct alignas(32) Pattern {
  std::array<uint8_t, 16> shuffle;
  std::array<char, 16> added;
};

// ",-0." and twelve decimals are 16 bytes: what the smallest usual magnitudes need.
constexpr Pattern MakePattern(int decimals, bool is_negative, bool ninth_is_one) {
  Pattern pattern{};
  pattern.shuffle.fill(0x80);  // gives zero
  pattern.added.fill('0');
  size_t at = 0;
  const auto put_digit = [&](int index) {  // 0 is the ninth from the right
    if (index > 0) pattern.shuffle[at] = static_cast<uint8_t>(index - 1);
    pattern.added[at++] = index == 0 && ninth_is_one ? '1' : '0';
  };
  pattern.added[at++] = ',';
  if (is_negative) pattern.added[at++] = '-';
  put_digit(8 - decimals);
  pattern.added[at++] = '.';
  for (int i = 9 - decimals; i < 9; ++i) put_digit(i);
  return pattern;
}

inline constexpr size_t kPatternsPerDecimals = 4;
inline constexpr auto kPatterns = [] {
  std::array<Pattern, kPatternsPerDecimals*(kDecimalsMax - kDecimalsMin + 1)> patterns{};
  for (size_t i = 0; i < patterns.size(); ++i) {
    const int decimals = kDecimalsMin + static_cast<int>(i / kPatternsPerDecimals);
    patterns[i] = MakePattern(decimals, (i & 2) != 0, (i & 1) != 0);
  }
  return patterns;
}();

// Volatile, so that GCC does not make five shifts and additions of one multiplication.
inline const volatile uint16_t kHundred = 100;
inline const volatile uint16_t kTen = 10;

// What a lane says of its text: the pattern's place in bytes above the text's length, which is 0
// where the magnitude is not usual.
constexpr uint64_t Layout(size_t patterns, int length) {
  return (patterns * sizeof(Pattern) << 8) + static_cast<uint64_t>(static_cast<int64_t>(length));
}

}  // namespace vecload::wire
#endif  // VECLOAD_WIRE_FLOAT_LIST_ONCE

HWY_BEFORE_NAMESPACE();
namespace vecload::wire::HWY_NAMESPACE {

#if HWY_TARGET == HWY_SCALAR

char* WriteFloat32sHere(const float* values, size_t count, char* out) {
  for (size_t i = 0; i < count; ++i) {
    *out = ',';
    out = WriteFloat32(values[i], out + 1);
  }
  return out;
}

#else

namespace hn = hwy::HWY_NAMESPACE;

using Doubles = hn::ScalableTag<double>;
using Words = hn::RebindToUnsigned<Doubles>;
using DoubleVec = hn::Vec<Doubles>;
using WordVec = hn::Vec<Words>;

// Enough that the second step of one block and the first of the next overlap; fits the L1 cache.
constexpr size_t kBlock = 64;

// What the lanes leave for the second step.
struct Texts {
  HWY_ALIGN uint64_t digits[kBlock];
  HWY_ALIGN uint64_t layouts[kBlock];
  bool all_usual;
};

using Quarters = hn::Repartition<uint16_t, Doubles>;

struct Factors {
  hn::Vec<Quarters> hundred;
  hn::Vec<Quarters> ten;
};

HWY_INLINE WordVec Word(uint64_t value) { return hn::Set(Words(), value); }

template <int kBits>
HWY_INLINE WordVec Divide(WordVec values, uint32_t reciprocal) {
  const hn::Repartition<uint32_t, Doubles> halves;
  return hn::ShiftRight<kBits>(
      hn::MulEven(hn::BitCast(halves, values), hn::Set(halves, reciprocal)));
}

// Eight digits of numbers below 10^8, one a byte in memory order: halves, quarters, eighths.
HWY_INLINE WordVec EightDigits(WordVec values, const Factors& factors) {
  const Words words;
  const hn::Repartition<uint32_t, Doubles> halves;
  const Quarters quarters;
  const auto quarter = [&](uint16_t value) { return hn::Set(quarters, value); };
  const WordVec high = Divide<45>(values, 0xd1b7'1759);  // by 10,000
  const WordVec times = hn::MulEven(hn::BitCast(halves, high), hn::Set(halves, 10'000));
  const WordVec both = hn::Or(high, hn::ShiftLeft<32>(hn::Sub(values, times)));
  const auto fours = hn::BitCast(quarters, both);
  const auto hundreds = hn::ShiftRight<3>(hn::MulHigh(fours, quarter(5'243)));
  const auto rest = hn::Sub(fours, hn::Mul(hundreds, factors.hundred));
  const auto twos = hn::BitCast(
      quarters, hn::Or(hn::BitCast(words, hundreds),
                       hn::BitCast(words, hn::ShiftLeft<16>(hn::BitCast(halves, rest)))));
  const auto tens = hn::MulHigh(twos, quarter(6'554));
  const auto ones = hn::Sub(twos, hn::Mul(tens, factors.ten));
  const auto bytes = hn::Or(tens, hn::ShiftLeft<8>(ones));
  return hn::BitCast(words, bytes);
}

// How many of eight digits, one a byte, are left without trailing zeros; plus 127.
HWY_INLINE WordVec CountSignificant(WordVec digits) {
  const hn::RebindToSigned<Doubles> signed_words;
  // In bits 3 to 6 of the last significant digit's byte stands the topmost bit, or it is the 1 that
  // is added; a double's exponent tells where. Digits are below 10, so rounding cannot carry far.
  const WordVec spread = hn::Or(hn::ShiftLeft<3>(digits), Word(1));
  const DoubleVec top = hn::ConvertTo(Doubles(), hn::BitCast(signed_words, spread));
  return hn::ShiftRight<55>(hn::BitCast(Words(), top));
}

// k - 1 of each float, by DecimalsOf; anything where `scale` = 23 - e is not of a usual magnitude.
HWY_INLINE WordVec FewerDecimals(WordVec scale) {
  const Quarters quarters;
  const auto factor = hn::Set(quarters, static_cast<uint16_t>(kLog10Of2Times256 << 8));
  return hn::BitCast(Words(), hn::MulHigh(hn::BitCast(quarters, scale), factor));
}

// 10^(k-1)
HWY_INLINE DoubleVec FewerPower(WordVec fewer_decimals) {
  const Doubles doubles;
  const WordVec row = hn::And(fewer_decimals, Word(kPowers.size() - 1));
  const auto index = hn::BitCast(hn::RebindToSigned<Doubles>(), row);
#if HWY_TARGET <= HWY_AVX3
  return hn::TableLookupLanes(hn::Load(doubles, kPowers.data()),
                              hn::IndicesFromVec(doubles, index));
#else
  return hn::GatherIndex(doubles, kPowers.data(), index);
#endif
}

// value * 10^k as an integer, or the integer of one decimal less and a zero.
HWY_INLINE WordVec ToInteger(DoubleVec value, DoubleVec power) {
  const Doubles doubles;
  const Words words;
  const DoubleVec magic = hn::Set(doubles, kMagic);
  const WordVec floor = hn::And(hn::BitCast(words, value), Word(kExponentMask));
  const DoubleVec limit =
      hn::Mul(hn::Mul(hn::BitCast(doubles, floor), power), hn::Set(doubles, kHalfUlp));
  const DoubleVec fewer = hn::Mul(value, power);
  const DoubleVec rounded = hn::Sub(hn::Add(fewer, magic), magic);
  const auto is_enough = hn::Le(hn::Abs(hn::Sub(fewer, rounded)), limit);
  const DoubleVec scaled =
      hn::Mul(hn::IfThenElse(is_enough, rounded, fewer), hn::Set(doubles, 10.0));
  return hn::Xor(hn::BitCast(words, hn::Add(scaled, magic)), Word(kMagicBits));
}

// Fills one vector's part of `texts`, from `at`.
HWY_INLINE void Prepare(const float* HWY_RESTRICT values, size_t at, const Factors& factors,
                        Texts* HWY_RESTRICT texts) {
  const Doubles doubles;
  const Words words;
  const hn::Rebind<float, Doubles> floats;
  const DoubleVec given = hn::PromoteTo(doubles, hn::LoadU(floats, values));
  const DoubleVec value = hn::Abs(given);
  const WordVec scale =
      hn::Sub(Word(kExponentBias + 23), hn::ShiftRight<52>(hn::BitCast(words, value)));
  const auto is_usual =
      hn::Lt(hn::Sub(scale, Word(23 - kExponentMax)), Word(kExponentMax - kExponentMin + 1));
  const WordVec fewer_decimals = FewerDecimals(scale);
  const WordVec integer = ToInteger(value, FewerPower(fewer_decimals));

  const auto has_nine = hn::Gt(integer, Word(99'999'999));
  const WordVec eight =
      EightDigits(hn::IfThenElse(has_nine, hn::Sub(integer, Word(100'000'000)), integer), factors);
  hn::Store(eight, words, texts->digits + at);

  // The comma, the digit before the point, the point, and those of k decimals that are kept.
  const hn::Repartition<uint32_t, Doubles> halves;
  const WordVec places = hn::MulEven(hn::BitCast(halves, fewer_decimals),
                                     hn::Set(halves, Layout(kPatternsPerDecimals, 1)));
  WordVec layout = hn::Add(places, CountSignificant(eight));
  constexpr int kFewest = kDecimalsMin - 1;
  constexpr uint64_t kWhole = Layout(kPatternsPerDecimals * kFewest, kFewest + 1 + 127);
  const auto is_whole = hn::Eq(layout, Word(kWhole));
  layout = hn::Sub(layout, Word(Layout(kPatternsPerDecimals * kFewest, 127 + 4)));
  layout = hn::IfThenElse(is_whole, hn::Sub(layout, Word(1)), layout);  // needs no point
  const auto is_negative = hn::RebindMask(words, hn::Lt(given, hn::Zero(doubles)));
  layout = hn::IfThenElse(is_negative, hn::Add(layout, Word(Layout(2, 1))), layout);
  layout = hn::IfThenElse(has_nine, hn::Add(layout, Word(Layout(1, 0))), layout);
  hn::Store(hn::IfThenElseZero(is_usual, layout), words, texts->layouts + at);
  texts->all_usual &= hn::AllTrue(words, is_usual);
}

HWY_INLINE char* WriteUsual(uint64_t digits, uint64_t layout, char* HWY_RESTRICT out) {
  const hn::Full128<uint8_t> bytes;
  const hn::Full128<uint64_t> pair;
  const auto* const pattern = reinterpret_cast<const uint8_t*>(kPatterns.data()) + (layout >> 8);
  const auto source = hn::BitCast(bytes, hn::Set(pair, digits));
  const auto placed = hn::TableLookupBytesOr0(source, hn::Load(bytes, pattern));
  hn::StoreU(hn::Or(placed, hn::Load(bytes, pattern + 16)), bytes, reinterpret_cast<uint8_t*>(out));
  return out + (layout & 0xff);
}

// `values` has room for kBlock of them.
HWY_INLINE char* WriteBlock(const float* HWY_RESTRICT values, size_t count, const Factors& factors,
                            char* HWY_RESTRICT out) {
  Texts texts;
  texts.all_usual = true;
  const size_t lanes = hn::Lanes(Doubles());
  for (size_t i = 0; i < count; i += lanes) Prepare(values + i, i, factors, &texts);
  if (HWY_LIKELY(texts.all_usual)) {
    for (size_t i = 0; i < count; ++i) out = WriteUsual(texts.digits[i], texts.layouts[i], out);
    return out;
  }
  for (size_t i = 0; i < count; ++i) {
    if (HWY_LIKELY(texts.layouts[i] != 0)) {
      out = WriteUsual(texts.digits[i], texts.layouts[i], out);
    } else {
      *out = ',';
      out = WriteFloat32(values[i], out + 1);
    }
  }
  return out;
}

char* WriteFloat32sHere(const float* values, size_t count, char* out) {
  const Factors factors = {hn::Set(Quarters(), kHundred), hn::Set(Quarters(), kTen)};
  size_t i = 0;
  for (; i + kBlock <= count; i += kBlock) out = WriteBlock(values + i, kBlock, factors, out);
  if (i < count) {
    float rest[kBlock];
    std::memcpy(rest, values + i, (count - i) * sizeof(float));
    std::fill(rest + (count - i), rest + kBlock, 1.0F);
    out = WriteBlock(rest, count - i, factors, out);
  }
  return out;
}

#endif  // HWY_TARGET == HWY_SCALAR

const char* TargetNameHere() { return hwy::TargetName(HWY_TARGET); }

}  // namespace vecload::wire::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vecload::wire {

HWY_EXPORT(WriteFloat32sHere);
HWY_EXPORT(TargetNameHere);

std::string_view FloatWriterTarget() { return HWY_DYNAMIC_DISPATCH(TargetNameHere)(); }

char* WriteFloat32s(std::span<const float> values, char* out) {
  char* end = HWY_DYNAMIC_DISPATCH(WriteFloat32sHere)(values.data(), values.size(), out);
  *out = '[';
  if (values.empty()) ++end;
  *end++ = ']';
  return end;
}

}  // namespace vecload::wire
#endif
