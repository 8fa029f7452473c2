// Goal: every text reads back to the same float32 bits, both straight and through a double; many
// floats at once give the texts that single ones give, whatever the instruction set.
// Method: the judge is std::from_chars, which shares nothing with the writer; all exponents with
// edge and random mantissas, uniform bit patterns, and the distributions that embeddings have. All
// 2^32 patterns: `make exhaustive`.
#include "wire/float_text.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <hwy/highway.h>

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

std::string ListText(const std::vector<float>& values) {
  std::string text(kFloat32ListedMax * values.size() + kFloat32TextMax, '?');
  text.resize(static_cast<size_t>(WriteFloat32s(values, text.data()) - text.data()));
  return text;
}

std::string ListTextOneByOne(const std::vector<float>& values) {
  std::string text = "[";
  for (const float value : values) {
    if (text.size() > 1) text += ',';
    text += Text(value);
  }
  return text + "]";
}

void ExpectSameList(const std::vector<float>& values) {
  const std::string expected = ListTextOneByOne(values);
  for (const int64_t target : hwy::SupportedAndGeneratedTargets()) {
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    EXPECT_EQ(ListText(values), expected) << hwy::TargetName(target);
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().DeInit();
}

// Of an exponent's floats: the ends, the middle, and random ones, of both signs.
std::vector<float> Stratum(uint32_t exponent, int count, Random* random) {
  std::vector<float> values;
  const auto add = [&](uint32_t fraction) {
    values.push_back(std::bit_cast<float>(exponent << 23 | fraction));
    values.push_back(-values.back());
  };
  for (const uint32_t fraction :
       {0x0U, 0x1U, 0x2U, 0x3f'ffffU, 0x40'0000U, 0x40'0001U, 0x7f'fffeU, 0x7f'ffffU}) {
    add(fraction);
  }
  for (int i = 0; i < count / 2; ++i) add(static_cast<uint32_t>(random->Next()) & 0x7f'ffff);
  return values;
}

bool IsUsual(uint32_t exponent) { return exponent >= 127 - 14 && exponent <= 127 + 2; }

TEST(FloatText, LooksLikePlainJsonNumbers) {
  EXPECT_EQ(Text(0.0F), "0");
  EXPECT_EQ(Text(-0.0F), "-0.0");
  EXPECT_EQ(Text(1.0F), "1");
  EXPECT_EQ(Text(-2.0F), "-2");
  EXPECT_EQ(Text(0.1F), "0.1");
  EXPECT_EQ(Text(-0.03125F), "-0.03125");
  EXPECT_EQ(Text(3.0F), "3");
  EXPECT_EQ(Text(10.0F), "10");
  EXPECT_EQ(Text(-0.0F), "-0.0");
  EXPECT_EQ(Text(1.5e30F), "1.5e+30");
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
    const int count = IsUsual(exponent) ? 200'000 : 2'000;
    for (const float value : Stratum(exponent, count, &random)) ExpectReadsBack(value);
  }
}

TEST(FloatText, ManyAtOnceGiveTheTextsOfEach) {
  Random random(4);
  std::vector<float> all;
  for (uint32_t exponent = 0; exponent < 255; ++exponent) {
    const std::vector<float> stratum = Stratum(exponent, IsUsual(exponent) ? 20'000 : 200, &random);
    ExpectSameList(stratum);
    all.insert(all.end(), stratum.begin(), stratum.end());
  }
  // Mixed, so that usual magnitudes stand beside others in one vector register.
  for (size_t i = all.size(); i > 1; --i) std::swap(all[i - 1], all[random.Next() % i]);
  ExpectSameList(all);
  all.resize(300);
  for (; !all.empty(); all.pop_back()) ExpectSameList(all);
  ExpectSameList({});
}

TEST(FloatText, WholeAndRoundNumbersAreAsShortAsCanBe) {
  std::vector<float> values;
  for (int i = 0; i < 8; ++i) {
    for (const float step : {1.0F, 0.5F, 0.1F, 0.03125F}) {
      values.push_back(static_cast<float>(i) * step);
      values.push_back(-values.back());
    }
  }
  ExpectSameList(values);
  for (const float value : values) {
    char shortest[kFloat32TextMax];
    char* const end = std::to_chars(shortest, shortest + sizeof(shortest), value).ptr;
    EXPECT_EQ(Text(value), value == 0 && std::signbit(value) ? "-0.0" : std::string(shortest, end));
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
