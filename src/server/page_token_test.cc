// Goal: tokens read back, and nothing else is taken for one.
#include "server/page_token.h"

#include <string>

#include <gtest/gtest.h>

namespace vecload::server {
namespace {

TEST(PageToken, ReadsBack) {
  for (const char* name : {"a", "ab", "abc", "abcd", "docs-2024.v1"}) {
    EXPECT_EQ(ReadNameToken(NameToken(name)), name);
  }
  for (const int64_t position : {int64_t{0}, int64_t{1}, int64_t{1} << 62}) {
    EXPECT_EQ(ReadPositionToken(PositionToken(position)), position);
  }
  const QueryPosition position{300, {std::string("k\0\xff", 3), 0.125F}};
  const auto read = ReadQueryToken(QueryToken(position));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->given, 300U);
  EXPECT_EQ(read->after.key, position.after.key);
  EXPECT_EQ(read->after.distance, 0.125F);
}

TEST(PageToken, FitsTheModelsLimits) {
  EXPECT_LE(NameToken(std::string(63, 'n')).size(), 512U);
  EXPECT_LE(QueryToken({9999, {std::string(1024, 'k'), 1}}).size(), 4096U);
}

TEST(PageToken, RefusesWhatIsNotItsOwn) {
  for (const char* token : {"", "*", "=", "AAAA", "cA", "cQ", "n"}) {
    EXPECT_FALSE(ReadPositionToken(token).has_value()) << token;
    EXPECT_FALSE(ReadQueryToken(token).has_value()) << token;
  }
  EXPECT_FALSE(ReadPositionToken(NameToken("eight-ch")).has_value());
  EXPECT_FALSE(ReadNameToken(PositionToken(1)).has_value());
  EXPECT_FALSE(ReadPositionToken(PositionToken(-1)).has_value());
  EXPECT_FALSE(ReadPositionToken(PositionToken(1) + "AA").has_value());
}

}  // namespace
}  // namespace vecload::server
