// Goal: a line that lists a key is read as it was meant, or refused. Method: lines written out
// here.
#include "wire/key_reference.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vecload::wire {
namespace {

using ::testing::HasSubstr;

TEST(KeyReference, ReadsTheKeyAndWhichIndexItIsIn) {
  const auto named = ParseKeyReference(R"({"key":"a \"17\" \u00e9","index":"bucket/index"})");
  ASSERT_TRUE(named.ok()) << named.status().ToString();
  EXPECT_EQ(named->key, "a \"17\" é");
  EXPECT_EQ(named->index, "bucket/index");
}

TEST(KeyReference, ReadsLinesOfRejects) {
  const auto text = ParseKeyReference(
      R"({"file":"a.parquet","row":17,"key":"k","rule":"vector_not_finite","message":"m"})");
  ASSERT_TRUE(text.ok());
  EXPECT_EQ(text->key, "k");
  EXPECT_EQ(text->index, "");
  const auto bytes = ParseKeyReference(R"({"row":8,"key_base64":"//4=","rule":"key_not_utf8"})");
  ASSERT_TRUE(bytes.ok());
  EXPECT_EQ(bytes->key, "\xff\xfe");
  for (const char* line : {R"({"row":9,"rule":"key_missing"})", R"({"key":null})", "{}"}) {
    const auto none = ParseKeyReference(line);
    ASSERT_TRUE(none.ok()) << line;
    EXPECT_FALSE(none->key.has_value()) << line;
  }
  EXPECT_EQ(ParseKeyReference(R"({"key":""})")->key, "") << "empty is not absent";
}

TEST(KeyReference, RefusesWhatCouldBeMeantOtherwise) {
  for (const char* line : {"", "a17", "\"a17\"", "[\"a17\"]", R"({"key":17})", R"({"key":["a"]})",
                           R"({"key":"a"} {"key":"b"})", R"({"key":"a")", R"({"key":"\ud800"})",
                           R"({"key":"a","index":3})", "{\"key\":\"\xff\"}"}) {
    const auto named = ParseKeyReference(line);
    EXPECT_EQ(named.status().code(), Code::kInvalidArgument) << line;
    EXPECT_THAT(named.status().message(), HasSubstr("not a JSON object")) << line;
  }
  for (const char* line : {R"({"key":"a","key":"b"})", R"({"key":"a","key_base64":"YQ=="})"}) {
    EXPECT_THAT(ParseKeyReference(line).status().message(), HasSubstr("two keys")) << line;
  }
  for (const char* text : {"YQ", "YQ=", "YR==", "Y Q=", "YQ==YQ==", "%"}) {
    EXPECT_THAT(
        ParseKeyReference(std::string(R"({"key_base64":")") + text + "\"}").status().message(),
        HasSubstr("not base64"))
        << text;
  }
}

}  // namespace
}  // namespace vecload::wire
