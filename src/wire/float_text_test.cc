// Goal: every text reads back to the same float32 bits, both straight and through a double.
// Method: the judge is std::from_chars, which shares nothing with the writer; all exponents with
// edge and random mantissas, uniform bit patterns, and the distributions that embeddings have.
// `make exhaustive` is not needed for the claim's shape: the fast path depends on the exponent by a
// table of 24 rows, and each row is hit with 200,000 mantissas here.
#include "wire/float_text.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

#include <gtest/gtest.h>

#include "base/random.h"

namespace vecload::wire {
namespace {

struct Sizes {
  uint64_t written = 0;
  uint64_t shortest = 0;
};

// Fails the test and says which bits; counts sizes.
void ExpectReadsBack(float value, Sizes* sizes = nullptr) {
  char text[kFloat32TextMax];
  char* end = WriteFloat32(value, text);
  float straight = 0;
  double wide = 0;
  const auto straight_end = std::from_chars(text, end, straight);
  const auto wide_end = std::from_chars(text, end, wide);
  const auto bits = std::bit_cast<uint32_t>(value);
  const bool whole = straight_end.ptr == end && wide_end.ptr == end;
  if (!whole || std::bit_cast<uint32_t>(straight) != bits ||
      std::bit_cast<uint32_t>(static_cast<float>(wide)) != bits) {
    ADD_FAILURE() << std::hex << bits << " became " << std::string(text, end);
  }
  if (sizes != nullptr) {
    char shortest[kFloat32TextMax];
    sizes->written += end - text;
    sizes->shortest += std::to_chars(shortest, shortest + sizeof(shortest), value).ptr - shortest;
  }
}

std::string Text(float value) {
  char text[kFloat32TextMax];
  return {text, WriteFloat32(value, text)};
}

std::string Pretty(float value) {
  std::string text;
  AppendFloat32(value, &text);
  return text;
}

TEST(FloatText, LooksLikePlainJsonNumbers) {
  EXPECT_EQ(Text(0.0F), "0");
  EXPECT_EQ(Text(-0.0F), "-0.0");
  EXPECT_EQ(Text(1.0F), "1");
  EXPECT_EQ(Text(-2.0F), "-2");
  EXPECT_EQ(Pretty(0.1F), "0.1");
  EXPECT_EQ(Pretty(-0.03125F), "-0.03125");
  EXPECT_EQ(Pretty(3.0F), "3");
  EXPECT_EQ(Pretty(10.0F), "10");
  EXPECT_EQ(Pretty(-0.0F), "-0.0");
  EXPECT_EQ(Pretty(1.5e30F), "1.5e+30");
}

TEST(FloatText, OneMagnitudeFailsThroughADoubleWithShortestText) {
  // 7.038531e-26 is the shortest text of 0x15AE43FD, but its double rounds to the neighbour.
  const auto value = std::bit_cast<float>(0x15AE43FDU);
  EXPECT_NE(Text(value), "7.038531e-26");
  ExpectReadsBack(value);
  ExpectReadsBack(-value);
}

TEST(FloatText, EveryExponentReadsBack) {
  Random random(1);
  for (uint32_t exponent = 0; exponent < 255; ++exponent) {
    for (const uint32_t fraction :
         {0x0U, 0x1U, 0x2U, 0x3f'ffffU, 0x40'0000U, 0x40'0001U, 0x7f'fffeU, 0x7f'ffffU}) {
      ExpectReadsBack(std::bit_cast<float>(exponent << 23 | fraction));
      ExpectReadsBack(std::bit_cast<float>(0x8000'0000U | exponent << 23 | fraction));
    }
    const bool fast_path = exponent >= 127 - 14 && exponent <= 127 + 9;
    const int count = fast_path ? 200'000 : 2'000;
    for (int i = 0; i < count; ++i) {
      const auto fraction = static_cast<uint32_t>(random.Next()) & 0x7f'ffff;
      ExpectReadsBack(std::bit_cast<float>(exponent << 23 | fraction));
    }
  }
}

TEST(FloatText, RandomBitPatternsReadBack) {
  Random random(2);
  for (int i = 0; i < 5'000'000; ++i) {
    const auto value = std::bit_cast<float>(static_cast<uint32_t>(random.Next()));
    if (std::isfinite(value)) ExpectReadsBack(value);
  }
}

TEST(FloatText, UnitLengthVectorsReadBackAndAreAtMostTwoPerCentLongerThanShortest) {
  Random random(3);
  Sizes sizes;
  for (int i = 0; i < 2'000'000; ++i) {
    ExpectReadsBack(static_cast<float>(random.Normal() / 32), &sizes);
  }
  EXPECT_LT(static_cast<double>(sizes.written), 1.02 * static_cast<double>(sizes.shortest));
}

TEST(FloatText, EndsOfTheRangeReadBack) {
  for (const float value :
       {std::numeric_limits<float>::min(), std::numeric_limits<float>::max(),
        std::numeric_limits<float>::denorm_min(), std::numeric_limits<float>::lowest()}) {
    ExpectReadsBack(value);
  }
}

}  // namespace
}  // namespace vecload::wire
