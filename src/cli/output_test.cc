// Goal: what reaches the terminal is readable, aligned and cannot steer it. Method: exact texts.

#include "cli/output.h"

#include <gtest/gtest.h>

namespace vecload::cli {
namespace {

TEST(Printable, LeavesPlainTextAndQuotesTheRest) {
  EXPECT_EQ(Printable("ffmpeg"), "ffmpeg");
  EXPECT_EQ(Printable("größe"), "größe");
  EXPECT_EQ(Printable("two words"), "\"two words\"");
  EXPECT_EQ(Printable(""), "\"\"");
  EXPECT_EQ(Printable("a\nb"), "\"a\\nb\"");
  EXPECT_EQ(Printable("\x1b[2J"), "\"\\u001b[2J\"");
  EXPECT_EQ(Printable("\"a\""), "\"\\\"a\\\"\"");
}

TEST(Shortened, CutsAtACharactersBoundary) {
  EXPECT_EQ(Shortened("abc", 3), "abc");
  EXPECT_EQ(Shortened("abcd", 3), "abc...");
  EXPECT_EQ(Shortened("aäb", 2), "a...");
}

TEST(FloatText, IsShortest) {
  EXPECT_EQ(FloatText(0.1F), "0.1");
  EXPECT_EQ(FloatText(0.39469802F), "0.39469802");
}

TEST(TimeText, IsUtc) { EXPECT_EQ(TimeText(1'000'000'000.75), "2001-09-09T01:46:40Z"); }

TEST(Table, AlignsByCharactersAndLeavesNoTrailingSpace) {
  EXPECT_EQ(Table({{"key", "distance"}, {"größe", "0.5"}, {"a", "1"}}),
            "key    distance\n"
            "größe  0.5\n"
            "a      1\n");
}

}  // namespace
}  // namespace vecload::cli
