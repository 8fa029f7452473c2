// Goal: what the null server says of a run is so: vectors counted however the body is cut, the
// index that is named, a limit for each index.
// Method: bodies as the SDKs and the loader write them, cut at every place; time is made up.

#include "null_service.h"

#include <gtest/gtest.h>

namespace null_service {
namespace {

using std::chrono::milliseconds;

// Near misses at every step; `\"key\":` is the inside of a string.
constexpr std::string_view kBody =
    R"({"vectorBucketName":"docs","indexName":"pages","vectors":[)"
    R"({"key":"a","data":{"float32":[1]}},)"
    R"({"key": "key","metadata":{"k":"ke","note":"\"key\":","keys":1,"":"key"}},)"
    R"({"":"","key":"c"}]})";

TEST(BodyReader, CountsVectorsWhereverTheBodyIsCut) {
  for (size_t first = 0; first <= kBody.size(); ++first) {
    for (size_t second = first; second <= kBody.size(); ++second) {
      BodyReader reader;
      reader.Take(kBody.substr(0, first));
      reader.Take(kBody.substr(first, second - first));
      reader.Take(kBody.substr(second));
      ASSERT_EQ(reader.vectors(), 3U) << first << " " << second;
      ASSERT_EQ(reader.Index().bucket, "docs");
      ASSERT_EQ(reader.Index().index, "pages");
    }
  }
}

TEST(BodyReader, TakesTheIndexFromItsArn) {
  BodyReader reader;
  reader.Take(R"({"indexArn": "arn:aws:s3vectors:us-east-1:000000000000:bucket/b-1/index/i.2"})");
  EXPECT_EQ(reader.Index().bucket, "b-1");
  EXPECT_EQ(reader.Index().index, "i.2");
}

TEST(BodyReader, HasADefaultIndex) {
  BodyReader reader;
  reader.Take("{}");
  EXPECT_EQ(reader.Index().index, "null-index");
}

TEST(IndexLimits, LetsABurstOfASecondThroughAndThenTheRate) {
  IndexLimits limits(1000);
  const IndexName one{"b", "one"};
  const IndexName two{"b", "two"};
  TimePoint now{};
  EXPECT_TRUE(limits.Take(one, 500, now));
  EXPECT_TRUE(limits.Take(one, 500, now));
  EXPECT_FALSE(limits.Take(one, 1, now));
  EXPECT_TRUE(limits.Take(two, 1000, now)) << "another index has a limit of its own";
  now += milliseconds(499);
  EXPECT_FALSE(limits.Take(one, 500, now));
  now += milliseconds(1);
  EXPECT_TRUE(limits.Take(one, 500, now)) << "what was refused took nothing";
  now += milliseconds(60'000);
  EXPECT_TRUE(limits.Take(one, 1000, now));
  EXPECT_FALSE(limits.Take(one, 1, now)) << "no more than a second's is saved";
}

}  // namespace
}  // namespace null_service
