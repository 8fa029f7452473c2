// Goal: numbers in metadata read as the user wrote them (ADR 0007), and what a double cannot hold
// is known. Method: examples, all 65,536 halves, and a sweep of bit patterns read back.
#include "source/number_text.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <limits>

#include <arrow/util/float16.h>
#include <gtest/gtest.h>

#include "base/random.h"

namespace vecload::source {
namespace {

std::string Float(float value) {
  std::string text;
  AppendFloat(value, &text);
  return text;
}

std::string Decimal(std::string_view unscaled, int32_t scale) {
  std::string text;
  AppendDecimal(unscaled, scale, &text);
  return text;
}

TEST(NumberText, AFloatIsWrittenAsShortAsItWasTyped) {
  EXPECT_EQ(Float(0.1f), "0.1");
  EXPECT_EQ(Float(2024.0f), "2024");
  EXPECT_EQ(Float(-1.5e-7f), "-1.5e-07");
  std::string text;
  AppendDouble(0.1, &text);
  EXPECT_EQ(text, "0.1");
}

TEST(NumberText, AFloatReadsBackBitForBit) {
  Random random(7);
  for (int i = 0; i < 200'000; ++i) {
    const auto bits = static_cast<uint32_t>(random.Next());
    const auto value = std::bit_cast<float>(bits);
    if (!std::isfinite(value)) continue;
    const std::string text = Float(value);
    float read = 0;
    std::from_chars(text.data(), text.data() + text.size(), read);
    ASSERT_EQ(std::bit_cast<uint32_t>(read), bits) << text;
  }
}

TEST(NumberText, EveryHalfReadsBackAndHasAtMostFiveDigits) {
  std::string text;
  AppendHalf(arrow::util::Float16::FromDouble(0.1).bits(), &text);
  EXPECT_EQ(text, "0.1");
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const double value = HalfToDouble(static_cast<uint16_t>(bits));
    if (!std::isfinite(value)) continue;
    text.clear();
    AppendHalf(static_cast<uint16_t>(bits), &text);
    double read = 0;
    std::from_chars(text.data(), text.data() + text.size(), read);
    ASSERT_EQ(arrow::util::Float16::FromDouble(read).bits(), bits) << text;
    ASSERT_LE(text.size(), 11u) << text;
  }
}

TEST(NumberText, KnowsTheIntegersThatADoubleHolds) {
  const int64_t limit = int64_t{1} << 53;
  EXPECT_TRUE(DoubleHolds(limit));
  EXPECT_TRUE(DoubleHolds(-limit));
  EXPECT_FALSE(DoubleHolds(limit + 1));
  EXPECT_FALSE(DoubleHolds(-limit - 1));
  EXPECT_TRUE(DoubleHolds(limit + 2));
  EXPECT_TRUE(DoubleHolds(std::numeric_limits<int64_t>::min()));
  EXPECT_FALSE(DoubleHolds(std::numeric_limits<int64_t>::max()));
  EXPECT_FALSE(DoubleHolds(std::numeric_limits<uint64_t>::max()));
  EXPECT_TRUE(DoubleHolds(uint64_t{1} << 63));
}

TEST(NumberText, DecimalsHaveNoExponent) {
  EXPECT_EQ(Decimal("1230", 2), "12.30");
  EXPECT_EQ(Decimal("-5", 3), "-0.005");
  EXPECT_EQ(Decimal("12", -3), "12000");
  EXPECT_EQ(Decimal("0", -3), "0");
  EXPECT_EQ(Decimal("0", 2), "0.00");
  EXPECT_EQ(Decimal("7", 0), "7");
}

TEST(NumberText, KnowsTheDecimalsThatComeBackFromADouble) {
  EXPECT_TRUE(DoubleHoldsDecimal("0.1"));
  EXPECT_TRUE(DoubleHoldsDecimal("-999999999999.999"));
  EXPECT_TRUE(DoubleHoldsDecimal("9007199254740992"));
  EXPECT_FALSE(DoubleHoldsDecimal("9007199254740993"));
  EXPECT_FALSE(DoubleHoldsDecimal("0.12345678901234567890"));
  EXPECT_TRUE(DoubleHoldsDecimal(std::string("0.") + std::string(75, '0') + "1"));
  EXPECT_FALSE(DoubleHoldsDecimal(std::string(76, '9')));
}

}  // namespace
}  // namespace vecload::source
