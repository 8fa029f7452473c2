// Goal: replies come out of the client's decoder as the server's encoder was given them, and what
// is no reply is never taken for an empty one. Method: round trips of every reply, the exact text
// of a few (boto3 reads them in tests/conformance), and bodies that lack what they must have.

#include <bit>
#include <limits>

#include <gtest/gtest.h>

#include "base/random.h"
#include "wire/messages.h"

namespace vecload::wire {
namespace {

TEST(Replies, BucketsRoundTrip) {
  const BucketInfo bucket{"bucket",
                          "arn:aws:s3vectors:us-east-1:000000000000:bucket/bucket",
                          1764000000.25,
                          {"aws:kms", "arn:aws:kms:us-east-1:000000000000:key/x"}};
  const std::string text = Encode(GetVectorBucketReply{bucket});
  EXPECT_NE(text.find(R"("creationTime":1764000000.25)"), std::string::npos) << text;
  const auto got = DecodeReply<GetVectorBucketReply>(text);
  ASSERT_TRUE(got.ok()) << got.status().ToString();
  EXPECT_EQ(got->bucket.name, bucket.name);
  EXPECT_EQ(got->bucket.arn, bucket.arn);
  EXPECT_EQ(got->bucket.creation_time_s, bucket.creation_time_s);
  EXPECT_EQ(got->bucket.encryption.sse_type, "aws:kms");
  EXPECT_EQ(got->bucket.encryption.kms_key_arn, bucket.encryption.kms_key_arn);
  const auto listed =
      DecodeReply<ListVectorBucketsReply>(Encode(ListVectorBucketsReply{{bucket, bucket}, "next"}));
  ASSERT_TRUE(listed.ok());
  EXPECT_EQ(listed->buckets.size(), 2U);
  EXPECT_EQ(listed->buckets[1].name, "bucket");
  EXPECT_EQ(listed->next_token, "next");
}

TEST(Replies, TimesAreNeverWrittenWithAnExponent) {
  const std::string text = Encode(GetVectorBucketReply{{"bucket", "arn", 2e9, {}}});
  EXPECT_NE(text.find(R"("creationTime":2000000000)"), std::string::npos) << text;
}

TEST(Replies, IndexesRoundTrip) {
  const IndexInfo index{.name = {"bucket", "index"},
                        .arn = "arn",
                        .creation_time_s = 1764000000,
                        .dimension = 384,
                        .metric = DistanceMetric::kEuclidean,
                        .non_filterable_keys = {"text", "größe"},
                        .sse_type = "AES256",
                        .kms_key_arn = "",
                        .mode = IndexMode::kClassic,
                        .text_search = {{"title", "de"}, {"body", ""}}};
  const auto got = DecodeReply<GetIndexReply>(Encode(GetIndexReply{index}));
  ASSERT_TRUE(got.ok()) << got.status().ToString();
  EXPECT_EQ(got->index.name.ToString(), "bucket/index");
  EXPECT_EQ(got->index.arn, "arn");
  EXPECT_EQ(got->index.creation_time_s, 1764000000);
  EXPECT_EQ(got->index.dimension, 384U);
  EXPECT_EQ(got->index.metric, DistanceMetric::kEuclidean);
  EXPECT_EQ(got->index.non_filterable_keys, index.non_filterable_keys);
  EXPECT_EQ(got->index.mode, IndexMode::kClassic);
  EXPECT_EQ(got->index.text_search, index.text_search);
  EXPECT_EQ(got->index.sse_type, "AES256");
  const auto listed = DecodeReply<ListIndexesReply>(
      Encode(ListIndexesReply{{{{"bucket", "index"}, "arn", 5}}, "next"}));
  ASSERT_TRUE(listed.ok());
  EXPECT_EQ(listed->indexes.at(0).name.index, "index");
  EXPECT_EQ(listed->next_token, "next");
  EXPECT_EQ(DecodeReply<CreateIndexReply>(Encode(CreateIndexReply{"arn"}))->arn, "arn");
  EXPECT_EQ(DecodeReply<CreateVectorBucketReply>(Encode(CreateVectorBucketReply{"arn"}))->arn,
            "arn");
}

TEST(Replies, VectorsRoundTripBitEqual) {
  Random random(7);
  Record record{"k\"\n", {}, R"({"a":[1,2]})"};
  for (uint32_t exponent = 0; exponent < 255; ++exponent) {
    const auto bits = static_cast<uint32_t>(random.Next());
    record.vector.push_back(std::bit_cast<float>((bits & 0x807fffffU) | exponent << 23));
  }
  record.vector.push_back(-0.0F);
  record.vector.push_back(std::numeric_limits<float>::denorm_min());
  const auto got = DecodeReply<GetVectorsReply>(Encode(GetVectorsReply{{record}}));
  ASSERT_TRUE(got.ok()) << got.status().ToString();
  EXPECT_EQ(got->vectors.at(0).key, record.key);
  EXPECT_EQ(got->vectors.at(0).metadata, record.metadata);
  ASSERT_EQ(got->vectors[0].vector.size(), record.vector.size());
  for (size_t i = 0; i < record.vector.size(); ++i) {
    EXPECT_EQ(std::bit_cast<uint32_t>(got->vectors[0].vector[i]),
              std::bit_cast<uint32_t>(record.vector[i]));
  }
}

TEST(Replies, WhatWasNotAskedForIsLeftOut) {
  EXPECT_EQ(Encode(ListVectorsReply{{{"a", {}, ""}, {"b", {0.5F}, "{}"}}, ""}),
            R"({"vectors":[{"key":"a"},{"key":"b","data":{"float32":[0.5]},"metadata":{}}]})");
  EXPECT_EQ(Encode(QueryVectorsReply{{{"a", 0.25F, ""}, {"b", std::nullopt, "{}"}}, {}, "t"}),
            R"({"vectors":[{"key":"a","distance":0.25},{"key":"b","metadata":{}}],)"
            R"("distanceMetric":"cosine","nextToken":"t"})");
}

TEST(Replies, NeighborsRoundTrip) {
  const QueryVectorsReply reply{
      {{"a", 0.1F, R"({"x":"y"})"}, {"b", std::nullopt, ""}}, DistanceMetric::kEuclidean, "t"};
  const auto got = DecodeReply<QueryVectorsReply>(Encode(reply));
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(got->vectors.at(0).distance, 0.1F);
  EXPECT_EQ(got->vectors.at(0).metadata, R"({"x":"y"})");
  EXPECT_FALSE(got->vectors.at(1).distance);
  EXPECT_EQ(got->metric, DistanceMetric::kEuclidean);
  EXPECT_EQ(got->next_token, "t");
}

template <typename T>
Code CodeOf(std::string_view body) {
  const auto reply = DecodeReply<T>(body);
  return reply.ok() ? Code::kOk : reply.status().code();
}

TEST(Replies, WhatIsNoReplyIsCorruptAndNeverAnEmptyListing) {
  for (const std::string_view body :
       {"", "{}", "[]", "<html>", "{\"vectors\":null}", "{\"vectors\":{}}", "{\"vectors\":[{}]}",
        "{\"vectors\":[", R"({"vectors":[{"key":1}]})"}) {
    EXPECT_EQ(CodeOf<ListVectorsReply>(body), Code::kCorrupt) << body;
    EXPECT_EQ(CodeOf<GetVectorsReply>(body), Code::kCorrupt) << body;
    EXPECT_EQ(CodeOf<QueryVectorsReply>(body), Code::kCorrupt) << body;
  }
  const std::string_view beyond_float32 =
      R"({"vectors":[{"key":"a","distance":1e39}],"distanceMetric":"cosine"})";
  EXPECT_EQ(CodeOf<QueryVectorsReply>(beyond_float32), Code::kCorrupt);
  EXPECT_EQ(CodeOf<ListVectorBucketsReply>("{}"), Code::kCorrupt);
  EXPECT_EQ(CodeOf<ListIndexesReply>("{}"), Code::kCorrupt);
  EXPECT_EQ(CodeOf<GetVectorBucketReply>("{}"), Code::kCorrupt);
  EXPECT_EQ(CodeOf<GetIndexReply>("{}"), Code::kCorrupt);
  EXPECT_EQ(CodeOf<GetIndexReply>(R"({"index":{"indexName":"i"}})"), Code::kCorrupt);
  EXPECT_EQ(CodeOf<GetIndexReply>(R"({"index":{"dimension":0,"distanceMetric":"cosine"}})"),
            Code::kCorrupt);
  EXPECT_EQ(CodeOf<GetIndexReply>(R"({"index":{"dimension":4,"distanceMetric":"dot"}})"),
            Code::kCorrupt);
  EXPECT_EQ(CodeOf<GetVectorsReply>(R"({"vectors":[{"key":"a","data":{"float32":[1e39]}}]})"),
            Code::kCorrupt);
  EXPECT_EQ(CodeOf<GetVectorsReply>(R"({"vectors":[{"key":"a","metadata":{"a":tru}}]})"),
            Code::kCorrupt);
}

TEST(Replies, MembersThatCameLaterAreIgnored) {
  const auto got = DecodeReply<GetIndexReply>(
      R"({"index":{"indexMode":"ENHANCED","dimension":4,"distanceMetric":"cosine","indexName":"i",)"
      R"("metadataConfiguration":{"textSearchConfigurations":[]}},"more":1})");
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(got->index.dimension, 4U);
}

}  // namespace
}  // namespace vecload::wire
