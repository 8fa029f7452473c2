// Goal: a line that names a row is read, whatever else is in it, and nothing else is taken for one.
// Method: the forms one by one; the lines that vecload writes are tried in load and end to end.
#include "wire/row_reference.h"

#include <gtest/gtest.h>

namespace vecload::wire {
namespace {

TEST(RowReference, ReadsFileAndRowInAnyOrderWithAnythingBeside) {
  const auto plain = ParseRowReference(R"({"file":"a \"b\"é.parquet","row":18446744073709551615})");
  ASSERT_TRUE(plain.ok());
  EXPECT_EQ(plain->file, "a \"b\"é.parquet");
  EXPECT_EQ(plain->row, UINT64_MAX);
  const auto more =
      ParseRowReference(R"( {"key":"k","row":0,"x":[1,{"y":null}],"file":"s3://b/k"} )");
  ASSERT_TRUE(more.ok());
  EXPECT_EQ(more->file, "s3://b/k");
  EXPECT_EQ(more->row, 0U);
}

TEST(RowReference, RefusesAllElse) {
  for (const char* line :
       {"", " ", "{}", "[]", "1", "\"file\"", R"({"file":"a"})", R"({"row":1})",
        R"({"file":"a","row":18446744073709551616})", R"({"file":"a","row":1e3})",
        R"({"file":"a","row":true})", R"({"file":["a"],"row":1})", R"({"file":"a","row":1}})",
        R"({"file":"a","row":1,"x":})", "{\"file\":\"\xff\",\"row\":1}"}) {
    EXPECT_EQ(ParseRowReference(line).status().code(), Code::kInvalidArgument) << line;
  }
}

}  // namespace
}  // namespace vecload::wire
