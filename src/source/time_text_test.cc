// Goal: dates and times are RFC 3339 text, before 1970 and at the limits too.
// Method: known instants.
#include "source/time_text.h"

#include <limits>

#include <gtest/gtest.h>

namespace vecload::source {
namespace {

std::string Timestamp(int64_t value, int64_t units_per_second) {
  std::string text;
  return AppendTimestamp(value, units_per_second, &text) ? text : "refused" + text;
}

std::string Date(int64_t days) {
  std::string text;
  return AppendDate(days, &text) ? text : "refused" + text;
}

TEST(TimeText, WritesTimestamps) {
  EXPECT_EQ(Timestamp(0, 1), "1970-01-01T00:00:00Z");
  EXPECT_EQ(Timestamp(1'709'209'800, 1), "2024-02-29T12:30:00Z");
  EXPECT_EQ(Timestamp(1'709'209'800'250, 1'000), "2024-02-29T12:30:00.250Z");
  EXPECT_EQ(Timestamp(1'709'209'800'000'001, 1'000'000), "2024-02-29T12:30:00.000001Z");
  EXPECT_EQ(Timestamp(1, 1'000'000'000), "1970-01-01T00:00:00.000000001Z");
}

TEST(TimeText, RoundsDownBefore1970) {
  EXPECT_EQ(Timestamp(-1, 1'000), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(Timestamp(-1, 1), "1969-12-31T23:59:59Z");
  EXPECT_EQ(Timestamp(std::numeric_limits<int64_t>::min(), 1'000'000'000),
            "1677-09-21T00:12:43.145224192Z");
}

TEST(TimeText, RefusesYearsThatHaveNoText) {
  EXPECT_EQ(Timestamp(253'402'300'799, 1), "9999-12-31T23:59:59Z");
  EXPECT_EQ(Timestamp(253'402'300'800, 1), "refused");
  EXPECT_EQ(Timestamp(std::numeric_limits<int64_t>::max(), 1), "refused");
  EXPECT_EQ(Timestamp(std::numeric_limits<int64_t>::min(), 1), "refused");
  EXPECT_EQ(Date(-719'528), "0000-01-01");
  EXPECT_EQ(Date(-719'529), "refused");
  EXPECT_EQ(Date(19'782), "2024-02-29");
}

TEST(TimeText, WritesTimesOfDay) {
  std::string text;
  EXPECT_TRUE(AppendTime(45'000'250, 1'000, &text));
  EXPECT_EQ(text, "12:30:00.250");
  EXPECT_FALSE(AppendTime(86'400, 1, &text));
  EXPECT_FALSE(AppendTime(-1, 1, &text));
}

}  // namespace
}  // namespace vecload::source
