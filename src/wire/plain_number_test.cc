// Goal: every number that ReadPlainNumber takes is, bit for bit, what std::from_chars makes of it
// by way of double; it takes what embeddings look like, and nothing that is no JSON number. Method:
// ten million numbers as clients write them (our writer, shortest float32, Python's shortest
// double, random digits of each length); every text of six characters of a small alphabet.
#include "wire/plain_number.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>

#include <gtest/gtest.h>

#include "base/random.h"
#include "wire/float_text.h"

namespace vecload::wire {
namespace {

// Reads with hostile padding: digits that must not be taken for the number's.
bool Read(const std::string& text, float* number) {
  char room[64];
  std::memset(room, '7', sizeof(room));
  std::memcpy(room, text.data(), text.size());
  return ReadPlainNumber({room, text.size()}, number);
}

// Fails the test where a number is taken for another; returns the share of those that are taken.
template <typename MakeText>
double ShareTaken(int count, const MakeText& make) {
  Random random(1);
  int taken = 0;
  for (int i = 0; i < count; ++i) {
    const std::string text = make(&random);
    float number = 0;
    if (!Read(text, &number)) continue;
    ++taken;
    double wide = 0;
    std::from_chars(text.data(), text.data() + text.size(), wide);
    if (std::bit_cast<uint32_t>(static_cast<float>(wide)) != std::bit_cast<uint32_t>(number)) {
      ADD_FAILURE() << text << " was read as " << number;
    }
  }
  return static_cast<double>(taken) / count;
}

template <typename Number>
std::string Shortest(Number number) {
  char text[64];
  return {text, std::to_chars(text, text + sizeof(text), number).ptr};
}

float Embedding(Random* random) { return static_cast<float>(random->Normal() / 32); }

TEST(PlainNumber, TakesEmbeddingsAsWeWriteThem) {
  const double share = ShareTaken(3'000'000, [](Random* random) {
    char text[kFloat32TextMax];
    return std::string(text, WriteFloat32(Embedding(random), text));
  });
  EXPECT_GT(share, 0.99);  // the rest is nearer to zero than 2^-14: 0.2 %
}

TEST(PlainNumber, TakesShortestFloats) {
  const double share = ShareTaken(
      2'000'000, [](Random* random) { return Shortest(static_cast<float>(random->Normal())); });
  EXPECT_GT(share, 0.999);
}

TEST(PlainNumber, IsRightAboutAnyFloatAndAboutPythonsText) {
  ShareTaken(1'000'000, [](Random* random) {
    return Shortest(std::bit_cast<float>(static_cast<uint32_t>(random->Next())));
  });
  ShareTaken(1'000'000,
             [](Random* random) { return Shortest(static_cast<double>(Embedding(random))); });
}

// On both sides of the bounds: 2^53, sixteen decimals, midpoints between two floats.
TEST(PlainNumber, IsRightAboutDigitsOfEveryLength) {
  ShareTaken(2'000'000, [](Random* random) {
    std::string text = random->Below(2) == 0 ? "-" : "";
    text += static_cast<char>('0' + random->Below(10));
    const char* fills[] = {"0000000000000000000", "9999999999999999999"};
    const uint64_t decimals = random->Below(19);
    if (decimals == 0) return text;
    text += '.';
    const uint64_t fixed = random->Below(3) == 0 ? random->Below(decimals) : 0;
    text += std::string_view(fills[random->Below(2)]).substr(0, fixed);
    for (uint64_t i = fixed; i < decimals; ++i) {
      text += static_cast<char>('0' + random->Below(10));
    }
    return text;
  });
  ShareTaken(1'000'000, [](Random* random) {
    // Halfway between two float32 below 2, or a last digit beside it.
    const auto bits = static_cast<uint32_t>(0x3f80'0000 - random->Below(0x180'0000));
    const double midpoint = static_cast<double>(std::bit_cast<float>(bits)) +
                            std::ldexp(1.0, static_cast<int>(bits >> 23) - 127 - 24);
    char text[64];
    const int decimals = 10 + static_cast<int>(random->Below(7));
    const auto end =
        std::to_chars(text, text + sizeof(text), midpoint, std::chars_format::fixed, decimals);
    return std::string(text, end.ptr);
  });
}

TEST(PlainNumber, KnowsZerosAndSixteenDecimals) {
  float number = 1;
  EXPECT_TRUE(Read("-0.0", &number));
  EXPECT_TRUE(number == 0 && std::signbit(number));
  EXPECT_TRUE(Read("0.0", &number));
  EXPECT_TRUE(number == 0 && !std::signbit(number));
  EXPECT_TRUE(Read("0.0000000000000001", &number));
  EXPECT_EQ(number, 1e-16F);
  EXPECT_FALSE(Read("0.00000000000000001", &number));
}

// All texts of up to six characters: what is taken has the form -?D.D+.
TEST(PlainNumber, TakesNothingElse) {
  constexpr std::string_view kAlphabet = "-+.09e,/: ";
  int taken = 0;
  for (int length = 0; length <= 6; ++length) {
    const int count = static_cast<int>(std::pow(kAlphabet.size(), length));
    for (int code = 0; code < count; ++code) {
      std::string text;
      for (int rest = code, i = 0; i < length; ++i, rest /= 10) text += kAlphabet[rest % 10];
      float number = 0;
      if (!Read(text, &number)) continue;
      ++taken;
      const size_t sign = text.starts_with('-') ? 1 : 0;
      const bool good = text.find_first_not_of("09", sign) == sign + 1 && text[sign + 1] == '.' &&
                        text.find_first_not_of("09", sign + 2) == text.npos;
      EXPECT_TRUE(good) << text;
    }
  }
  // Two digits, each by 2: lengths 3 to 6 without a minus, 4 to 6 with one.
  EXPECT_EQ(taken, 4 + 8 + 16 + 32 + 4 + 8 + 16);
}

}  // namespace
}  // namespace vecload::wire
