// Goal: the values that users type are read as documented, and what is not of the form is refused
// with a message that shows it. Method: each parser on a table of good and bad texts.

#include "cli/values.h"

#include <chrono>

#include <gtest/gtest.h>

namespace vecload::cli {
namespace {

TEST(ParseBytes, ReadsPowersOfTwo) {
  EXPECT_EQ(*ParseBytes("1"), 1U);
  EXPECT_EQ(*ParseBytes("268435456"), 256U << 20);
  EXPECT_EQ(*ParseBytes("512KiB"), 512U << 10);
  EXPECT_EQ(*ParseBytes("256MiB"), 256U << 20);
  EXPECT_EQ(*ParseBytes("3GiB"), 3ULL << 30);
}

TEST(ParseBytes, RefusesWhatIsNotASize) {
  for (const char* text : {"", "0", "MiB", "256MB", "256mib", "-1", "1.5GiB", "256 MiB",
                           "99999999999999999999", "20000000TiB"}) {
    const auto bytes = ParseBytes(text);
    ASSERT_FALSE(bytes.ok()) << text;
    EXPECT_NE(bytes.status().message().find("256MiB"), std::string::npos);
  }
}

TEST(ParseDuration, ReadsSecondsMinutesHours) {
  EXPECT_EQ(*ParseDuration("90s"), std::chrono::seconds(90));
  EXPECT_EQ(*ParseDuration("5m"), std::chrono::minutes(5));
  EXPECT_EQ(*ParseDuration("1h"), std::chrono::hours(1));
}

TEST(ParseDuration, RefusesBareNumbersZeroAndOverflow) {
  for (const char* text :
       {"", "90", "0s", "-5m", "1d", "1h30m", "18446744073709551615h", "9000h"}) {
    EXPECT_FALSE(ParseDuration(text).ok()) << text;
  }
}

TEST(ParseRate, ReadsNumbersAndUnlimited) {
  EXPECT_EQ(*ParseRate("2500"), 2500.0);
  EXPECT_EQ(*ParseRate("0.5"), 0.5);
  EXPECT_EQ(*ParseRate("unlimited"), 0.0);
}

TEST(ParseRate, RefusesZeroSinceItWouldMeanUnlimited) {
  for (const char* text : {"", "0", "-1", "nan", "inf", "auto", "10/s"}) {
    EXPECT_FALSE(ParseRate(text).ok()) << text;
  }
}

TEST(ParseLoadRate, ReadsAutoToo) {
  EXPECT_TRUE(ParseLoadRate("auto")->is_auto);
  EXPECT_FALSE(ParseLoadRate("auto")->per_s.has_value());
  EXPECT_EQ(ParseLoadRate("100")->per_s, 100.0);
  EXPECT_EQ(ParseLoadRate("unlimited")->per_s, 0.0);
  EXPECT_FALSE(ParseLoadRate("Auto").ok());
}

TEST(ParsePart, ReadsOneOfMany) {
  EXPECT_EQ(ParsePart("2/3")->part, 2U);
  EXPECT_EQ(ParsePart("2/3")->parts, 3U);
  EXPECT_TRUE(ParsePart("1/1").ok());
  EXPECT_TRUE(ParsePart("10000/10000").ok());
  for (const char* text : {"", "/", "1", "1/", "/3", "0/3", "4/3", "0/0", "-1/3", "1/3/5", "1/3x",
                           " 1/3", "1 /3", "1/10001", "1/4294967297"}) {
    EXPECT_FALSE(ParsePart(text).ok()) << text;
  }
}

TEST(ParseTag, SplitsAtTheFirstEquals) {
  EXPECT_EQ(*ParseTag("team=search"), Tag("team", "search"));
  EXPECT_EQ(*ParseTag("url=a=b"), Tag("url", "a=b"));
  EXPECT_EQ(*ParseTag("empty="), Tag("empty", ""));
  EXPECT_FALSE(ParseTag("team").ok());
  EXPECT_FALSE(ParseTag("=search").ok());
}

TEST(ParseVector, ReadsJsonNumbersAndRoundsToFloat32) {
  EXPECT_EQ(*ParseVector("[1]"), std::vector<float>({1}));
  EXPECT_EQ(*ParseVector(" [ 0.1 , -2.5e-3,\n3E2 ] "), std::vector<float>({0.1F, -2.5e-3F, 300}));
  EXPECT_EQ(*ParseVector("[0,-0,1e-60]"), std::vector<float>({0, 0, 0}));
}

TEST(ParseVector, RefusesWhatJsonDoesNotAllow) {
  for (const char* text : {"", "1,2", "[", "[]", "[1,]", "[1 2]", "[1,2", "[1]x", "[nan]", "[inf]",
                           "[+1]", "[.5]", "[01]", "[1.]", "[\"1\"]", "[[1]]", "[1,null]"}) {
    EXPECT_FALSE(ParseVector(text).ok()) << text;
  }
}

TEST(ParseVector, RefusesNumbersBeyondFloat32) {
  const auto vector = ParseVector("[1,1e39]");
  ASSERT_FALSE(vector.ok());
  EXPECT_EQ(vector.status().message(), "element 1 is too large for a float32");
}

}  // namespace
}  // namespace vecload::cli
