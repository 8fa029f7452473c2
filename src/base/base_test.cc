// Goal: the small things that everything else takes for granted. Method: examples with the edges;
// the UTF-8 cases are those of RFC 3629 and of Unicode's table of well-formed sequences.
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>

#include <gtest/gtest.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/json_text.h"
#include "base/large_memory.h"
#include "base/random.h"
#include "vecload/record.h"
#include "vecload/status.h"

namespace vecload {
namespace {

std::string Quoted(std::string_view text) {
  std::string out;
  AppendJsonString(text, &out);
  return out;
}

// The vectors of RFC 4648, section 10.
TEST(Base64, IsTheUsualOneAndReadsBackNoOther) {
  const std::pair<const char*, const char*> known[] = {{"", ""},
                                                       {"f", "Zg=="},
                                                       {"fo", "Zm8="},
                                                       {"foo", "Zm9v"},
                                                       {"foob", "Zm9vYg=="},
                                                       {"fooba", "Zm9vYmE="},
                                                       {"foobar", "Zm9vYmFy"},
                                                       {"\xff\xfe", "//4="}};
  for (const auto& [bytes, text] : known) {
    EXPECT_EQ(ToBase64(bytes), text);
    EXPECT_EQ(FromBase64(text), bytes);
  }
  for (const char* text :
       {"Zg", "Zg=", "Zg===", "Zh==", "Z", "=", "Zm9v=", "Zm9 v", "Zg==Zg==", "_-4="}) {
    EXPECT_FALSE(FromBase64(text).has_value()) << text;
  }
}

TEST(Base64, OfUrlsHasItsOwnLettersAndNoPadding) {
  const std::string bytes = "\xfb\xff\xfe\x01";
  EXPECT_EQ(ToBase64(bytes), "+//+AQ==");
  EXPECT_EQ(ToBase64Url(bytes), "-__-AQ");
  EXPECT_EQ(FromBase64Url("-__-AQ"), bytes);
  EXPECT_FALSE(FromBase64Url("+//+AQ").has_value());
}

TEST(JsonText, EscapesWhatJsonDemandsAndNothingElse) {
  EXPECT_EQ(Quoted(""), "\"\"");
  EXPECT_EQ(Quoted("a/ü€😀\x7f"), "\"a/ü€😀\x7f\"");
  EXPECT_EQ(Quoted("\"\\\b\f\n\r\t"), R"("\"\\\b\f\n\r\t")");
  EXPECT_EQ(Quoted(std::string_view("\0\x1f", 2)), "\"\\u0000\\u001f\"");
}

TEST(JsonText, KnowsUtf8) {
  for (const char* good :
       {"", "a", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
        "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(IsUtf8(good)) << good;
  }
  for (const char* bad :
       {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xe0\x9f\xbf", "\xe1\x80", "\xed\xa0\x80",
        "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "a\xc3", "\xc3\x28"}) {
    EXPECT_FALSE(IsUtf8(bad)) << Quoted(bad);
  }
  EXPECT_EQ(Utf8Length("aü€😀"), 4U);
}

TEST(JsonWriter, PutsTheCommas) {
  JsonWriter json;
  json.BeginObject();
  json.Key("a").BeginArray().Int(-1).Uint(2).EndArray();
  json.Key("b").BeginObject().EndObject();
  json.Key("c").Double(0.1).Key("d").Bool(true).Key("e").Null().Key("f").Raw("[1]");
  json.Key("g").Double(std::numeric_limits<double>::infinity());
  json.EndObject();
  EXPECT_EQ(json.text(), R"({"a":[-1,2],"b":{},"c":0.1,"d":true,"e":null,"f":[1],"g":null})");
}

TEST(Random, GivesTheSameNumbersEverywhere) {
  Random random(42);
  // xoshiro256** seeded by splitmix64(42), from the authors' C code.
  EXPECT_EQ(random.Next(), 1546998764402558742ULL);
  EXPECT_EQ(random.Next(), 6990951692964543102ULL);
}

TEST(Random, NormalHasMeanZeroAndDeviationOne) {
  Random random(1);
  double sum = 0;
  double squares = 0;
  constexpr int kCount = 100'000;
  for (int i = 0; i < kCount; ++i) {
    const double value = random.Normal();
    ASSERT_TRUE(std::isfinite(value));
    sum += value;
    squares += value * value;
  }
  EXPECT_NEAR(sum / kCount, 0, 0.02);
  EXPECT_NEAR(squares / kCount, 1, 0.02);
}

TEST(IndexName, ReadsBothForms) {
  for (const char* text :
       {"media/films", "arn:aws:s3vectors:us-east-1:000000000000:bucket/media/index/films",
        "arn:aws-us-gov:s3vectors:us-gov-west-1:123456789012:bucket/media/index/films"}) {
    const Result<IndexName> name = IndexName::Parse(text);
    ASSERT_TRUE(name.ok()) << text;
    EXPECT_EQ(name->ToString(), "media/films");
  }
  for (const char* text : {"", "media", "media/", "/films", "a/b/c", "arn:aws:s3vectors:x",
                           "arn:aws:s3vectors:r:0:bucket/b/index/"}) {
    const Result<IndexName> name = IndexName::Parse(text);
    ASSERT_FALSE(name.ok()) << text;
    EXPECT_EQ(name.status().code(), Code::kInvalidArgument);
  }
}

TEST(Status, KeepsWhatTheServiceSaid) {
  const Status status(Code::kThrottled, "slow down", {429, "TooManyRequestsException", "id"});
  const Status wrapped = status.WithContext("PutVectors");
  EXPECT_EQ(wrapped.ToString(), "throttled: PutVectors: slow down");
  ASSERT_NE(wrapped.service(), nullptr);
  EXPECT_EQ(wrapped.service()->http_status, 429);
  EXPECT_TRUE(Status::Ok().WithContext("x").ok());
  EXPECT_EQ(Status::Ok().ToString(), "ok");
}

TEST(Result, HoldsAValueOrAFailure) {
  const auto half = [](int value) -> Result<int> {
    if (value % 2 != 0) return Status::InvalidArgument("odd");
    return value / 2;
  };
  const auto quarter = [&](int value) -> Result<int> {
    VECLOAD_ASSIGN_OR_RETURN(const int first, half(value));
    VECLOAD_ASSIGN_OR_RETURN(const int second, half(first));
    return second;
  };
  EXPECT_EQ(*quarter(8), 2);
  EXPECT_EQ(quarter(6).status().message(), "odd");
}

TEST(ManualClock, MovesOnlyWhenTold) {
  ManualClock clock;
  const TimePoint before = clock.Now();
  EXPECT_EQ(clock.Now(), before);
  clock.Advance(std::chrono::seconds(2));
  EXPECT_EQ(Seconds(clock.Now() - before), 2);
}

TEST(LargeMemory, IsWritableWholeAndStartsAtAHugePageWhereItHoldsOne) {
  constexpr size_t kHugePageBytes = size_t{2} << 20;
  for (const size_t bytes :
       {size_t{1}, kHugePageBytes - 1, kHugePageBytes, kHugePageBytes * 3 + 5}) {
    const LargeMemory memory = AllocateLargeMemory(bytes);
    std::memset(memory.get(), 0x5a, bytes);
    EXPECT_EQ(memory[bytes - 1], 0x5a);
    if (bytes >= kHugePageBytes) {
      EXPECT_EQ(reinterpret_cast<uintptr_t>(memory.get()) % kHugePageBytes, 0U);
    }
  }
}

}  // namespace
}  // namespace vecload
