// Goal: a pattern means what it means in the shell, and no pattern takes for ever.
// Method: one segment against names, pair by pair.
#include "source/glob.h"

#include <string>

#include <gtest/gtest.h>

namespace vecload::source {
namespace {

TEST(Glob, MatchesAsTheShellDoes) {
  EXPECT_TRUE(SegmentMatches("*.parquet", "a.parquet"));
  EXPECT_TRUE(SegmentMatches("*", "anything"));
  EXPECT_TRUE(SegmentMatches("a?c", "abc"));
  EXPECT_TRUE(SegmentMatches("part-[0-9][0-9]", "part-07"));
  EXPECT_TRUE(SegmentMatches("[!a]x", "bx"));
  EXPECT_TRUE(SegmentMatches("[]x]", "]"));
  EXPECT_TRUE(SegmentMatches("*a*b*", "xxaxxbxx"));
  EXPECT_TRUE(SegmentMatches("a[", "a["));
  EXPECT_FALSE(SegmentMatches("*.parquet", "a.parquet.crc"));
  EXPECT_FALSE(SegmentMatches("a?c", "ac"));
  EXPECT_FALSE(SegmentMatches("[!a]x", "ax"));
  EXPECT_FALSE(SegmentMatches("", "a"));
  EXPECT_FALSE(SegmentMatches("abc", "ab"));
}

TEST(Glob, HiddenNamesNeedTheirFirstCharacter) {
  EXPECT_FALSE(SegmentMatches("*", "_SUCCESS"));
  EXPECT_FALSE(SegmentMatches("*", ".part-0.crc"));
  EXPECT_TRUE(SegmentMatches("_*", "_SUCCESS"));
  EXPECT_TRUE(SegmentMatches("*", "_day=7"));
  EXPECT_TRUE(IsHidden("_metadata"));
  EXPECT_FALSE(IsHidden("_day=7"));
}

TEST(Glob, ManyStarsEndSoon) {
  std::string pattern;
  for (int i = 0; i < 100; ++i) pattern += "*a";
  EXPECT_FALSE(SegmentMatches(pattern + "b", std::string(5000, 'a')));
}

TEST(Glob, KnowsAPattern) {
  EXPECT_TRUE(HasGlob("a/*.parquet"));
  EXPECT_FALSE(HasGlob("a/b.parquet"));
}

}  // namespace
}  // namespace vecload::source
