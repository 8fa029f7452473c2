// Goal: the blocking client retries what is worth it and nothing else, ends in time, follows
// pages, and its errors say what failed, on what, and what to do. Method: a scripted transport;
// the client's waits move a clock that otherwise stands still, so nothing here takes time.

#include "vecload/client.h"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/fake_transport.h"

namespace vecload::client {
namespace {

const IndexName kIndex{"b", "i"};
constexpr char kIndexReply[] =
    R"({"index":{"vectorBucketName":"b","indexName":"i","indexArn":"arn","creationTime":5,)"
    R"("dataType":"float32","dimension":4,"distanceMetric":"euclidean",)"
    R"("metadataConfiguration":{"nonFilterableMetadataKeys":["text"]}}})";

TEST(Client, RetriesWhatIsTransientUntilItPasses) {
  FakeService service;
  service.transport->Refuse(429, "TooManyRequestsException");
  service.transport->Refuse(503, "ServiceUnavailableException");
  service.transport->Refuse(500, "InternalServerException");
  service.transport->Refuse(408, "RequestTimeoutException");
  service.transport->Answer(502, "<html>bad gateway</html>");
  service.transport->Break("connection reset");
  service.transport->Answer(200, kIndexReply);
  const auto index = service.client->GetIndex(kIndex);
  ASSERT_TRUE(index.ok()) << index.status().ToString();
  EXPECT_EQ(index->dimension, 4U);
  EXPECT_EQ(index->metric, DistanceMetric::kEuclidean);
  EXPECT_EQ(index->non_filterable_keys, std::vector<std::string>{"text"});
  EXPECT_EQ(service.transport->seen.size(), 7U);
  EXPECT_EQ(service.waits.size(), 6U);
}

TEST(Client, GivesUpWithinItsTime) {
  FakeService service;
  for (int i = 0; i < 1000; ++i) service.transport->Refuse(503, "ServiceUnavailableException");
  const TimePoint begin = service.clock.Now();
  const auto index = service.client->GetIndex(kIndex);
  EXPECT_EQ(index.status().code(), Code::kUnavailable);
  EXPECT_LE(Seconds(service.clock.Now() - begin), 30);
  EXPECT_GT(service.transport->seen.size(), 3U);
  EXPECT_NE(index.status().message().find("gave up after"), std::string::npos)
      << index.status().message();
  EXPECT_EQ(index.status().service()->http_status, 503);
}

TEST(Client, WaitsAsLongAsTheServiceAsks) {
  FakeService service;
  service.transport->Refuse(503, "ServiceUnavailableException", {{"Retry-After", "7"}});
  service.transport->Answer(200, kIndexReply);
  EXPECT_TRUE(service.client->GetIndex(kIndex).ok());
  ASSERT_EQ(service.waits.size(), 1U);
  EXPECT_EQ(Seconds(service.waits[0]), 7);
  service.transport->Refuse(503, "ServiceUnavailableException", {{"Retry-After", "31"}});
  EXPECT_EQ(service.client->GetIndex(kIndex).status().code(), Code::kUnavailable);
  EXPECT_EQ(service.waits.size(), 1U);
}

TEST(Client, WhatIsFinalIsTriedOnce) {
  struct Row {
    int http_status;
    const char* aws_code;
    Code code;
  };
  constexpr Row kRows[] = {{403, "AccessDeniedException", Code::kDenied},
                           {409, "ConflictException", Code::kConflict},
                           {400, "KmsDisabledException", Code::kDenied},
                           {400, "KmsInvalidKeyUsageException", Code::kDenied},
                           {400, "KmsInvalidStateException", Code::kDenied},
                           {400, "KmsNotFoundException", Code::kDenied},
                           {404, "NotFoundException", Code::kNotFound},
                           {402, "ServiceQuotaExceededException", Code::kQuota},
                           {400, "ValidationException", Code::kInvalidArgument},
                           {400, "SerializationException", Code::kInvalidArgument},
                           {403, "UnrecognizedClientException", Code::kDenied},
                           {403, "InvalidSignatureException", Code::kDenied}};
  for (const Row& row : kRows) {
    FakeService service;
    service.transport->Refuse(row.http_status, row.aws_code);
    const Status status = service.client->PutVectors(kIndex, {{"k", {1}, ""}});
    EXPECT_EQ(status.code(), row.code) << row.aws_code;
    EXPECT_EQ(service.transport->seen.size(), 1U) << row.aws_code;
    ASSERT_NE(status.service(), nullptr);
    EXPECT_EQ(status.service()->aws_code, row.aws_code);
    EXPECT_TRUE(status.message().starts_with("PutVectors \"b/i\": ")) << status.message();
  }
}

TEST(Client, ExpiredKeysAreRefreshedOnce) {
  for (const std::string code : {"ExpiredTokenException", "ExpiredToken"}) {
    FakeService service;
    service.transport->Refuse(403, code);
    service.transport->Answer(200, kIndexReply);
    EXPECT_TRUE(service.client->GetIndex(kIndex).ok());
    EXPECT_EQ(service.credentials->refreshes, 1);
    EXPECT_TRUE(service.waits.empty());
    EXPECT_EQ(http::FindHeader(service.transport->seen[1].headers, "x-amz-security-token"),
              "token-new");
  }
  FakeService service;
  service.transport->Refuse(403, "ExpiredTokenException");
  service.transport->Refuse(403, "ExpiredTokenException");
  EXPECT_EQ(service.client->GetIndex(kIndex).status().code(), Code::kDenied);
  EXPECT_EQ(service.credentials->refreshes, 1);
  service.credentials->refresh_status = Status::Denied("the chain gives no keys");
  service.transport->Refuse(403, "ExpiredTokenException");
  const Status status = service.client->GetIndex(kIndex).status();
  EXPECT_NE(status.message().find("the chain gives no keys"), std::string::npos);
  EXPECT_EQ(status.service()->aws_code, "ExpiredTokenException");
}

TEST(Client, AClockThatIsOffIsMendedOnce) {
  FakeService service;
  const http::Headers date = {{"Date", "Wed, 25 Nov 2026 01:15:00 GMT"}};
  service.transport->Refuse(403, "RequestTimeTooSkewed", date);
  service.transport->Answer(200, kIndexReply);
  EXPECT_TRUE(service.client->GetIndex(kIndex).ok());
  EXPECT_TRUE(service.waits.empty());
  service.transport->Refuse(403, "RequestTimeTooSkewed", date);
  service.transport->Refuse(403, "RequestTimeTooSkewed", date);
  EXPECT_EQ(service.client->GetIndex(kIndex).status().code(), Code::kDenied);
  EXPECT_EQ(service.transport->seen.size(), 4U);
}

TEST(Client, AnErrorAfterALostAnswerSaysThatItMayBeItsOwnDoing) {
  FakeService service;
  const std::string note = "an earlier try that got no answer may have done this itself";
  service.transport->Break("connection reset");
  service.transport->Refuse(409, "ConflictException");
  EXPECT_NE(service.client->CreateVectorBucket("b").message().find(note), std::string::npos);
  service.transport->Break("connection reset");
  service.transport->Refuse(404, "NotFoundException");
  EXPECT_NE(service.client->DeleteIndex(kIndex).message().find(note), std::string::npos);
  service.transport->Refuse(404, "NotFoundException");
  EXPECT_EQ(service.client->DeleteIndex(kIndex).message().find(note), std::string::npos);
}

TEST(Client, MessagesSayWhatFailedOnWhatAndWhatToDo) {
  FakeService service;
  service.transport->Answer(404, R"({"message":"The specified index could not be found"})",
                            {{"x-amzn-ErrorType", "NotFoundException"}});
  EXPECT_EQ(service.client->GetIndex(kIndex).status().message(),
            "GetIndex \"b/i\": 404 NotFoundException: The specified index could not be found; "
            "check the names and the region; create what is missing");
  service.transport->Answer(200, R"({"index":[]})");
  const Status other = service.client->GetIndex(kIndex).status();
  EXPECT_EQ(other.code(), Code::kCorrupt);
  EXPECT_TRUE(other.message().starts_with(
      "GetIndex \"b/i\" at https://s3vectors.us-east-1.api.aws: the reply cannot be read"))
      << other.message();
}

TEST(Client, APageOfSomethingInBetweenIsTriedAgain) {
  FakeService service;
  service.transport->Answer(200, "<html>a portal's login page</html>");
  service.transport->Answer(200, kIndexReply);
  EXPECT_TRUE(service.client->GetIndex(kIndex).ok());
  EXPECT_EQ(service.waits.size(), 1U);
}

TEST(Client, ListingsFollowTheirPages) {
  FakeService service;
  service.transport->Answer(
      200,
      R"({"vectorBuckets":[{"vectorBucketName":"a","vectorBucketArn":"arn","creationTime":1}],)"
      R"("nextToken":"t1"})");
  service.transport->Answer(200, R"({"vectorBuckets":[],"nextToken":"t2"})");
  service.transport->Answer(200, R"({"vectorBuckets":[{"vectorBucketName":"c"}]})");
  const auto buckets = service.client->ListVectorBuckets("pre");
  ASSERT_TRUE(buckets.ok()) << buckets.status().ToString();
  ASSERT_EQ(buckets->size(), 2U);
  EXPECT_EQ((*buckets)[0].name, "a");
  EXPECT_EQ((*buckets)[1].name, "c");
  EXPECT_EQ(service.transport->seen[0].body, R"({"prefix":"pre"})");
  EXPECT_EQ(service.transport->seen[2].body, R"({"nextToken":"t2","prefix":"pre"})");

  service.transport->Answer(
      200, R"({"indexes":[{"vectorBucketName":"b","indexName":"i","indexArn":"arn",)"
           R"("creationTime":1}],"nextToken":"t1"})");
  service.transport->Answer(200, R"({"indexes":[]})");
  const auto indexes = service.client->ListIndexes("b", "");
  ASSERT_TRUE(indexes.ok());
  ASSERT_EQ(indexes->size(), 1U);
  EXPECT_EQ((*indexes)[0].name.ToString(), "b/i");
}

TEST(Client, PagesThatNeverEndAreGivenUp) {
  FakeService service;
  for (int i = 0; i < 3; ++i) {
    service.transport->Answer(200, R"({"vectorBuckets":[],"nextToken":"same"})");
  }
  EXPECT_EQ(service.client->ListVectorBuckets("").status().code(), Code::kCorrupt);
  EXPECT_EQ(service.transport->seen.size(), 2U);
}

TEST(Client, QueriesFollowTheirPagesUpToTopK) {
  FakeService service;
  const Query query{
      .vector = {1, 0.5F}, .top_k = 3, .filter = R"({"a":1})", .return_metadata = true};
  service.transport->Answer(200, R"({"vectors":[{"key":"a","distance":0.5,"metadata":{"x":1}},)"
                                 R"({"key":"b","distance":1}],"distanceMetric":"cosine",)"
                                 R"("nextToken":"t"})");
  service.transport->Answer(200,
                            R"({"vectors":[{"key":"c","distance":2},{"key":"d","distance":3}],)"
                            R"("distanceMetric":"cosine","nextToken":"u"})");
  const auto neighbors = service.client->QueryVectors(kIndex, query);
  ASSERT_TRUE(neighbors.ok()) << neighbors.status().ToString();
  ASSERT_EQ(neighbors->size(), 3U);
  EXPECT_EQ((*neighbors)[0].metadata, R"({"x":1})");
  EXPECT_EQ((*neighbors)[2].key, "c");
  EXPECT_EQ((*neighbors)[2].distance, 2);
  EXPECT_EQ(service.transport->seen.size(), 2U);
  EXPECT_EQ(service.transport->seen[1].body,
            R"({"vectorBucketName":"b","indexName":"i","topK":3,"queryVector":{"float32":[1,0.5]},)"
            R"("filter":{"a":1},"returnMetadata":true,"returnDistance":true,"nextToken":"t"})");
  service.transport->Answer(200, R"({"vectors":[{"key":"a"}]})");
  EXPECT_EQ(service.client->QueryVectors(kIndex, query).status().code(), Code::kCorrupt);
}

TEST(Client, WhatCannotBeWrittenAsJsonIsNotSent) {
  FakeService service;
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<Record> bad = {
      {"\xff", {1}, ""}, {"k", {kNan}, ""}, {"k", {1}, "{\"a\":"}, {"k", {1}, "{} {}"}};
  for (const Record& record : bad) {
    EXPECT_EQ(service.client->PutVectors(kIndex, {record}).code(), Code::kInvalidArgument);
  }
  EXPECT_EQ(service.client->QueryVectors(kIndex, {.vector = {kNan}}).status().code(),
            Code::kInvalidArgument);
  for (const std::string filter : {"{\"a\":1}}", "[1]", "{\"a\":1},\"topK\":5", "x"}) {
    EXPECT_EQ(
        service.client->QueryVectors(kIndex, {.vector = {1}, .filter = filter}).status().code(),
        Code::kInvalidArgument)
        << filter;
  }
  // 600 x 4,096 floats of 9 digits are over 20 MiB.
  const std::vector<Record> large(600, {"k", std::vector<float>(4096, 0.123456789F), ""});
  EXPECT_EQ(service.client->PutVectors(kIndex, large).code(), Code::kInvalidArgument);
  EXPECT_TRUE(service.transport->seen.empty());
}

TEST(Client, TheOtherCallsSendAndReadTheirBodies) {
  FakeService service;
  const auto sent = [&] { return service.transport->seen.back().body; };
  service.transport->Answer(200, "{}");
  EXPECT_TRUE(service.client->PutVectors(kIndex, {{"k", {0.5F}, R"( {"a" : 1} )"}}).ok());
  EXPECT_NE(sent().find(R"("metadata":{"a":1})"), std::string::npos) << sent();
  service.transport->Answer(200, R"({"vectors":[{"key":"k","data":{"float32":[0.5]}}]})");
  const auto got = service.client->GetVectors(kIndex, {"k"}, true, false);
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(got->at(0).vector, std::vector<float>{0.5F});
  EXPECT_EQ(sent(), R"({"vectorBucketName":"b","indexName":"i","keys":["k"],"returnData":true})");
  service.transport->Answer(200, R"({"vectors":[{"key":"k"}],"nextToken":"t"})");
  const auto page = service.client->ListVectors(kIndex, "s", false, true);
  ASSERT_TRUE(page.ok());
  EXPECT_EQ(page->next_token, "t");
  EXPECT_EQ(sent(), R"({"vectorBucketName":"b","indexName":"i","maxResults":1000,"nextToken":"s",)"
                    R"("returnMetadata":true})");
  service.transport->Answer(200, R"({"vectors":[]})");
  EXPECT_TRUE(service.client->ListVectors(kIndex, "", false, false, {.index = 3, .count = 4}).ok());
  EXPECT_EQ(sent(), R"({"vectorBucketName":"b","indexName":"i","maxResults":1000,)"
                    R"("segmentCount":4,"segmentIndex":3})");
  service.transport->Answer(200, R"({"tags":{"team":"search","empty":""}})");
  const auto tags = service.client->ListTags("arn:a/b");
  ASSERT_TRUE(tags.ok()) << tags.status().ToString();
  EXPECT_THAT(*tags,
              testing::ElementsAre(testing::Pair("team", "search"), testing::Pair("empty", "")));
  EXPECT_TRUE(service.transport->seen.back().url.ends_with("/tags/arn%3Aa%2Fb"));
  service.transport->Answer(200, "{}");
  EXPECT_TRUE(service.client->DeleteVectors(kIndex, {"k"}).ok());
  service.transport->Answer(200, R"({"indexArn":"arn"})");
  EXPECT_TRUE(service.client
                  ->CreateIndex(kIndex, {.dimension = 4,
                                         .non_filterable_keys = {"text"},
                                         .kms_key_arn = "arn:aws:kms:x:000000000000:key/y",
                                         .tags = {{"t", "v"}}})
                  .ok());
  EXPECT_EQ(sent(),
            R"({"vectorBucketName":"b","indexName":"i","dataType":"float32","dimension":4,)"
            R"("distanceMetric":"cosine","metadataConfiguration":{"nonFilterableMetadataKeys":)"
            R"(["text"]},"encryptionConfiguration":{"sseType":"aws:kms","kmsKeyArn":)"
            R"("arn:aws:kms:x:000000000000:key/y"},"tags":{"t":"v"}})");
  service.transport->Answer(200, R"({"vectorBucketArn":"arn"})");
  EXPECT_TRUE(service.client->CreateVectorBucket("b").ok());
  service.transport->Answer(200, "{}");
  EXPECT_TRUE(service.client->DeleteVectorBucket("b").ok());
  EXPECT_TRUE(service.transport->seen.back().url.ends_with("/DeleteVectorBucket"));
}

}  // namespace
}  // namespace vecload::client
