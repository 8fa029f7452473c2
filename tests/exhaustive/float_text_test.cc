// Goal: each of the 2^32 float32 bit patterns that is a number reads back from its text to the same
// bits, by a parser that goes straight to float32 and by one that goes through a double; and the
// writer of many floats gives the text that the writer of one gives.
// Method: arrays of 4,096 patterns in a row, on all cores; std::from_chars is the judge. Only each
// n-th array where FLOAT_TEXT_STRIDE=n is set, for a machine that is emulated.
#include "wire/float_text.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace vecload::wire {
namespace {

constexpr uint64_t kPatterns = uint64_t{1} << 32;
constexpr uint64_t kAtOnce = 4096;

struct Found {
  uint64_t numbers = 0;
  uint64_t wrong = 0;
  std::string first_wrong;
};

bool ReadsBack(float value, const char* begin, const char* end) {
  float straight = 0;
  double wide = 0;
  const bool whole = std::from_chars(begin, end, straight).ptr == end &&
                     std::from_chars(begin, end, wide).ptr == end;
  const auto bits = std::bit_cast<uint32_t>(value);
  return whole && std::bit_cast<uint32_t>(straight) == bits &&
         std::bit_cast<uint32_t>(static_cast<float>(wide)) == bits;
}

void Check(const std::vector<float>& values, std::string* text, Found* found) {
  const char* const list_end = WriteFloat32s(values, text->data());
  const char* begin = text->data() + 1;
  for (const float value : values) {
    const char* const end =
        std::find_if(begin, list_end, [](char c) { return c == ',' || c == ']'; });
    char one[kFloat32TextMax];
    const std::string_view text_of_one(one, static_cast<size_t>(WriteFloat32(value, one) - one));
    if (!ReadsBack(value, begin, end) || std::string_view(begin, end) != text_of_one) {
      if (found->wrong++ == 0) found->first_wrong = std::string(begin, end);
    }
    begin = end + 1;
  }
  found->numbers += values.size();
}

TEST(FloatTextExhaustive, EveryBitPatternReadsBackBothWays) {
  const char* const stride_text = std::getenv("FLOAT_TEXT_STRIDE");
  const uint64_t stride = stride_text == nullptr ? 1 : std::stoull(stride_text);
  std::atomic<uint64_t> next{0};
  std::vector<Found> found(std::max(1U, std::thread::hardware_concurrency()));
  std::vector<std::thread> threads;
  for (Found& mine : found) {
    threads.emplace_back([&next, &mine, stride] {
      std::string text(kFloat32ListedMax * kAtOnce + kFloat32TextMax, '\0');
      std::vector<float> values;
      for (uint64_t first = 0; (first = next.fetch_add(kAtOnce * stride)) < kPatterns;) {
        values.clear();
        for (uint64_t bits = first; bits < first + kAtOnce; ++bits) {
          const auto value = std::bit_cast<float>(static_cast<uint32_t>(bits));
          if (std::isfinite(value)) values.push_back(value);
        }
        Check(values, &text, &mine);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  Found all;
  for (const Found& mine : found) {
    all.numbers += mine.numbers;
    all.wrong += mine.wrong;
    if (all.first_wrong.empty()) all.first_wrong = mine.first_wrong;
  }
  EXPECT_EQ(all.wrong, 0) << "the first: " << all.first_wrong;
  constexpr uint64_t kNotNumbers = 2 * (uint64_t{1} << 23);  // an exponent of each sign
  if (stride == 1) {
    EXPECT_EQ(all.numbers, kPatterns - kNotNumbers);
  }
  EXPECT_GT(all.numbers, 1'000'000U);
}

}  // namespace
}  // namespace vecload::wire
