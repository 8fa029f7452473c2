// Goal: each operation answers as the live service does, errors included. Method: requests as JSON
// text through the router, without a socket, on a store in a temporary folder; time stands still.
#include "server/router.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.h"
#include "base/testing_folder.h"
#include "store/store.h"
#include "wire/messages.h"

namespace vecload::server {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

struct Got {
  int status = 0;
  std::string error;
  std::string body;
  Duration delay{};
};

class RouterTest : public testing::Test {
 protected:
  RouterTest() {
    clock_.SetWall(WallTime(std::chrono::seconds(1'700'000'000)));
    Start({}, {});
  }

  void Start(Throttle::Limits limits, Duration latency, store::Store::Limits quotas = {}) {
    router_.reset();
    auto store = store::Store::Open(folder_, clock_, quotas);
    ASSERT_TRUE(store.ok()) << store.status().ToString();
    router_ = std::make_unique<Router>(
        Service({"eu-test-1", *std::move(store), std::make_shared<Throttle>(limits, clock_)}),
        std::make_shared<Latency>(ServiceModel{.latency_ms = Seconds(latency) * 1000}));
  }

  Got Call(const std::string& operation, std::string body) {
    http::ServerReply reply = router_->Handle({"POST", "/" + operation, {}, std::move(body)});
    EXPECT_FALSE(http::FindHeader(reply.reply.headers, "x-amzn-RequestId").empty());
    return {reply.reply.status,
            std::string(http::FindHeader(reply.reply.headers, "x-amzn-ErrorType")),
            reply.reply.body, reply.delay};
  }
  void Must(const std::string& operation, std::string body) {
    const Got got = Call(operation, std::move(body));
    EXPECT_EQ(got.status, 200) << operation << ": " << got.body;
  }
  void MakeIndex(std::string_view metric, int dimension) {
    Must("CreateVectorBucket", R"({"vectorBucketName":"bkt"})");
    Must("CreateIndex",
         R"({"vectorBucketName":"bkt","indexName":"idx","dataType":"float32","dimension":)" +
             std::to_string(dimension) + R"(,"distanceMetric":")" + std::string(metric) +
             R"(","metadataConfiguration":{"nonFilterableMetadataKeys":["raw"]}})");
  }
  // A call on the index; `members` follow its names.
  Got OnIndex(const std::string& operation, const std::string& members) {
    return Call(operation, R"({"vectorBucketName":"bkt","indexName":"idx")" +
                               (members.empty() ? "" : "," + members) + "}");
  }
  Got Put(const std::string& vectors) {
    return OnIndex("PutVectors", "\"vectors\":[" + vectors + "]");
  }

  ManualClock clock_;
  TestingFolder temporary_;
  std::string folder_ = temporary_.path();
  std::unique_ptr<Router> router_;
};

std::string Vector(const std::string& key, const std::string& floats,
                   const std::string& metadata = {}) {
  return R"({"key":")" + key + R"(","data":{"float32":[)" + floats + "]}" +
         (metadata.empty() ? "" : ",\"metadata\":" + metadata) + "}";
}

void ExpectError(const Got& got, int status, const std::string& code, const std::string& text) {
  EXPECT_EQ(got.status, status) << got.body;
  EXPECT_EQ(got.error, code);
  EXPECT_THAT(got.body, HasSubstr(text));
}

TEST_F(RouterTest, MakesShowsListsAndDeletesBuckets) {
  EXPECT_EQ(Call("CreateVectorBucket", R"({"vectorBucketName":"one"})").body,
            R"({"vectorBucketArn":"arn:aws:s3vectors:eu-test-1:000000000000:bucket/one"})");
  ExpectError(Call("CreateVectorBucket", R"({"vectorBucketName":"one"})"), 409, "ConflictException",
              "A vector bucket with the specified name already exists");
  ExpectError(Call("CreateVectorBucket", R"({"vectorBucketName":"No_Good"})"), 400,
              "ValidationException", "bucket");
  EXPECT_THAT(Call("GetVectorBucket", R"({"vectorBucketName":"one"})").body,
              AllOf(HasSubstr(R"("creationTime":1700000000)"), HasSubstr(R"("sseType":"AES256")")));
  const std::string arn = "arn:aws:s3vectors:eu-test-1:000000000000:bucket/one";
  EXPECT_EQ(Call("GetVectorBucket", R"({"vectorBucketArn":")" + arn + "\"}").status, 200);
  ExpectError(Call("GetVectorBucket",
                   R"({"vectorBucketArn":"arn:aws:s3vectors:us-east-1:000000000000:bucket/one"})"),
              404, "NotFoundException", "The specified vector bucket could not be found");
  ExpectError(Call("DeleteVectorBucket", R"({"vectorBucketName":"two"})"), 404, "NotFoundException",
              "The specified vector bucket could not be found");
  Must("DeleteVectorBucket", R"({"vectorBucketName":"one"})");
  EXPECT_EQ(Call("ListVectorBuckets", "").body, R"({"vectorBuckets":[]})");
}

TEST_F(RouterTest, QuotasAreToldAsSuch) {
  Start({}, {}, {.buckets = 1, .indexes_per_bucket = 1});
  MakeIndex("cosine", 1);
  ExpectError(Call("CreateVectorBucket", R"({"vectorBucketName":"two"})"), 402,
              "ServiceQuotaExceededException", "1 vector buckets already");
  ExpectError(Call("CreateIndex", R"({"vectorBucketName":"bkt","indexName":"two","dataType":)"
                                  R"("float32","dimension":1,"distanceMetric":"cosine"})"),
              402, "ServiceQuotaExceededException", "1 indexes already");
}

TEST_F(RouterTest, ListsBucketsAndIndexesInPages) {
  for (const char* name : {"aaa", "bb1", "bb2", "bb3"}) {
    Must("CreateVectorBucket", R"({"vectorBucketName":")" + std::string(name) + "\"}");
    Must("CreateIndex", R"({"vectorBucketName":"aaa","indexName":")" + std::string(name) +
                            R"(","dataType":"float32","dimension":2,"distanceMetric":"cosine"})");
  }
  std::string token;
  std::vector<std::string> buckets;
  do {
    const std::string more = token.empty() ? "" : R"(,"nextToken":")" + token + "\"";
    const Got got = Call("ListVectorBuckets", R"({"prefix":"bb","maxResults":2)" + more + "}");
    const auto reply = wire::DecodeReply<wire::ListVectorBucketsReply>(got.body);
    ASSERT_TRUE(reply.ok()) << got.body;
    for (const auto& bucket : reply->buckets) buckets.push_back(bucket.name);
    token = reply->next_token;
  } while (!token.empty());
  EXPECT_EQ(buckets, (std::vector<std::string>{"bb1", "bb2", "bb3"}));

  const Got got = Call("ListIndexes", R"({"vectorBucketName":"aaa","maxResults":3})");
  const auto reply = wire::DecodeReply<wire::ListIndexesReply>(got.body);
  ASSERT_TRUE(reply.ok()) << got.body;
  EXPECT_EQ(reply->indexes.size(), 3U);
  EXPECT_EQ(reply->indexes[2].arn, "arn:aws:s3vectors:eu-test-1:000000000000:bucket/aaa/index/bb2");
  const auto rest = wire::DecodeReply<wire::ListIndexesReply>(
      Call("ListIndexes", R"({"vectorBucketName":"aaa","nextToken":")" + reply->next_token + "\"}")
          .body);
  ASSERT_TRUE(rest.ok());
  ASSERT_EQ(rest->indexes.size(), 1U);
  EXPECT_EQ(rest->indexes[0].name.index, "bb3");
  EXPECT_TRUE(rest->next_token.empty());
  ExpectError(Call("ListIndexes", R"({"vectorBucketName":"zzz"})"), 404, "NotFoundException",
              "The specified vector bucket could not be found");
  ExpectError(Call("ListVectorBuckets", R"({"nextToken":"***"})"), 400, "ValidationException",
              "nextToken");
}

TEST_F(RouterTest, MakesShowsAndDeletesIndexes) {
  MakeIndex("cosine", 5);
  const Got got = OnIndex("GetIndex", "");
  const auto reply = wire::DecodeReply<wire::GetIndexReply>(got.body);
  ASSERT_TRUE(reply.ok()) << got.body;
  EXPECT_EQ(reply->index.arn, "arn:aws:s3vectors:eu-test-1:000000000000:bucket/bkt/index/idx");
  EXPECT_EQ(reply->index.dimension, 5U);
  EXPECT_EQ(reply->index.metric, DistanceMetric::kCosine);
  EXPECT_EQ(reply->index.non_filterable_keys, std::vector<std::string>{"raw"});
  EXPECT_EQ(reply->index.creation_time_s, 1.7e9);
  EXPECT_EQ(Call("GetIndex", R"({"indexArn":")" + reply->index.arn + "\"}").status, 200);

  const std::string again =
      R"({"vectorBucketName":"bkt","indexName":"idx","dataType":"float32","dimension":5,)"
      R"("distanceMetric":"cosine"})";
  ExpectError(Call("CreateIndex", again), 409, "ConflictException",
              "An index with the specified name already exists");
  ExpectError(Call("DeleteVectorBucket", R"({"vectorBucketName":"bkt"})"), 409, "ConflictException",
              "The specified vector bucket is not empty");
  EXPECT_EQ(OnIndex("DeleteIndex", "").body, "{}");
  for (const char* operation : {"DeleteIndex", "GetIndex", "ListVectors"}) {
    ExpectError(OnIndex(operation, ""), 404, "NotFoundException",
                "The specified index could not be found");
  }
  ExpectError(Put(Vector("k", "1,2,3,4,5")), 404, "NotFoundException", "index could not be found");
  Must("DeleteVectorBucket", R"({"vectorBucketName":"bkt"})");
  ExpectError(Call("CreateIndex", again), 404, "NotFoundException",
              "The specified vector bucket could not be found");
}

TEST_F(RouterTest, GivesBackWhatWasPut) {
  MakeIndex("euclidean", 2);
  EXPECT_EQ(
      Put(Vector("a", "0.1,-0", R"({ "s" : "\u00e9", "n":[1, 2.50] })") + "," + Vector("b", "3,4"))
          .body,
      "{}");
  const Got got =
      OnIndex("GetVectors", R"("keys":["b","none","a"],"returnData":true,"returnMetadata":true)");
  const auto reply = wire::DecodeReply<wire::GetVectorsReply>(got.body);
  ASSERT_TRUE(reply.ok()) << got.body;
  ASSERT_EQ(reply->vectors.size(), 2U);
  EXPECT_EQ(reply->vectors[0].key, "b");
  EXPECT_EQ(reply->vectors[0].metadata, "{}");
  EXPECT_EQ(reply->vectors[1].vector, (std::vector<float>{0.1F, -0.0F}));
  EXPECT_EQ(reply->vectors[1].metadata, "{\"s\":\"\xc3\xa9\",\"n\":[1,2.50]}");
  EXPECT_EQ(OnIndex("GetVectors", R"("keys":["b"])").body, R"({"vectors":[{"key":"b"}]})");

  // The last of one key stays, whole.
  EXPECT_EQ(Put(Vector("a", "1,1", R"({"x":1})") + "," + Vector("a", "2,2")).status, 200);
  EXPECT_THAT(OnIndex("GetVectors", R"("keys":["a"],"returnData":true,"returnMetadata":true)").body,
              AllOf(HasSubstr("[2,2]"), Not(HasSubstr("\"x\""))));
  EXPECT_EQ(OnIndex("DeleteVectors", R"("keys":["a","none"])").body, "{}");
  EXPECT_EQ(OnIndex("GetVectors", R"("keys":["a"])").body, R"({"vectors":[]})");
  ExpectError(OnIndex("DeleteVectors", R"("keys":["a","a"])"), 400, "ValidationException",
              "Request must not contain duplicate keys");
}

TEST_F(RouterTest, OneBadRecordFailsTheCallAndIsNamed) {
  MakeIndex("cosine", 3);
  const std::string good = Vector("good", "1,2,3");
  const std::string long_text(3000, 't');
  struct Case {
    std::string vector;
    std::string path;
    std::string message;
  };
  const Case cases[] = {
      {Vector("k", "1,2"), "vectors[1].data", "vector must have length 3, but has length 2"},
      {Vector("k", "0,-0,1e-60"), "vectors[1].data",
       "cosine distance does not support vectors with zero norm"},
      {Vector("k", "1,2,1e39"), "vectors[1].data", "vector contains NaNs or Infs"},
      {Vector("k", "1,2,3", R"({"a":null})"), "vectors[1].metadata",
       "Metadata values must be strings, numbers, booleans, or arrays"},
      {Vector("k", "1,2,3", R"({"a":")" + long_text + "\"}"), "vectors[1].metadata",
       "Filterable metadata must have at most 2048 bytes"},
      {Vector("", "1,2,3"), "/vectors/1/key", "length between 1 and 1024"},
  };
  for (const Case& bad : cases) {
    const Got got = Put(good + "," + bad.vector);
    ExpectError(got, 400, "ValidationException", bad.message);
    EXPECT_THAT(got.body, HasSubstr("\"path\":\"" + bad.path + "\""));
  }
  EXPECT_EQ(OnIndex("ListVectors", "").body, R"({"vectors":[]})") << "nothing was put";
  EXPECT_EQ(Put(good + "," + Vector("k", "1,2,3", R"({"raw":")" + long_text + "\"}")).status, 200)
      << "a non-filterable key may be long";
}

TEST_F(RouterTest, ListsVectorsInPagesAndSegments) {
  MakeIndex("euclidean", 1);
  std::string vectors;
  for (int i = 0; i < 500; ++i) {
    vectors += (i == 0 ? "" : ",") + Vector("k" + std::to_string(i), std::to_string(i));
  }
  ASSERT_EQ(Put(vectors).status, 200);
  const auto all = [&](const std::string& members) {
    std::multiset<std::string> keys;
    std::string token;
    do {
      const std::string more = token.empty() ? "" : R"(,"nextToken":")" + token + "\"";
      const auto page =
          wire::DecodeReply<wire::ListVectorsReply>(OnIndex("ListVectors", members + more).body);
      EXPECT_TRUE(page.ok());
      if (!page.ok()) break;
      for (const Record& record : page->vectors) keys.insert(record.key);
      token = page->next_token;
    } while (!token.empty());
    return keys;
  };
  EXPECT_EQ(all(R"("maxResults":7)").size(), 500U);
  EXPECT_EQ(all(R"("maxResults":1000,"segmentCount":1,"segmentIndex":0)").size(), 500U);
  auto both = all(R"("maxResults":99,"segmentCount":2,"segmentIndex":0)");
  both.merge(all(R"("maxResults":99,"segmentCount":2,"segmentIndex":1)"));
  EXPECT_EQ(both.size(), 500U);
  EXPECT_EQ(std::set(both.begin(), both.end()).size(), 500U);
  ExpectError(OnIndex("ListVectors", R"("nextToken":"AAAA")"), 400, "ValidationException",
              "nextToken");
}

TEST_F(RouterTest, AnswersQueriesNearestFirst) {
  MakeIndex("euclidean", 2);
  ASSERT_EQ(Put(Vector("far", "3,4") + "," + Vector("near", "0,1", R"({"m":true})")).status, 200);
  EXPECT_EQ(OnIndex("QueryVectors", R"("topK":5,"queryVector":{"float32":[0,0]},)"
                                    R"("returnDistance":true,"returnMetadata":true)")
                .body,
            R"({"vectors":[{"key":"near","distance":1,"metadata":{"m":true}},)"
            R"({"key":"far","distance":5,"metadata":{}}],"distanceMetric":"euclidean"})");
  const Got bare = OnIndex("QueryVectors", R"("topK":1,"queryVector":{"float32":[0,0]})");
  EXPECT_EQ(bare.body, R"({"vectors":[{"key":"near"}],"distanceMetric":"euclidean"})");
  ExpectError(OnIndex("QueryVectors", R"("topK":1,"queryVector":{"float32":[0]})"), 400,
              "ValidationException", "Query vector contains invalid values");
  const auto filtered = [&](const std::string& filter) {
    return OnIndex("QueryVectors",
                   R"("topK":5,"queryVector":{"float32":[0,0]},"filter":)" + filter);
  };
  EXPECT_EQ(filtered(R"({"m":true})").body,
            R"({"vectors":[{"key":"near"}],"distanceMetric":"euclidean"})");
  EXPECT_EQ(filtered(R"({"m":{"$exists":false}})").body,
            R"({"vectors":[{"key":"far"}],"distanceMetric":"euclidean"})");
  const Got refused = filtered(R"({"raw":1})");
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(refused.body, R"({"message":"Invalid filter","fieldList":[{"path":"filter",)"
                          R"("message":"Invalid filter"}]})");
}

TEST_F(RouterTest, KeepsAPolicyUntilItIsDeleted) {
  Must("CreateVectorBucket", R"({"vectorBucketName":"bkt"})");
  const std::string bucket = R"({"vectorBucketName":"bkt")";
  const auto no_policy = [&] {
    ExpectError(Call("GetVectorBucketPolicy", bucket + "}"), 404, "NotFoundException",
                "The specified vector bucket policy could not be found");
  };
  no_policy();
  Must("PutVectorBucketPolicy", bucket + R"(,"policy":"{\"Statement\":[]}"})");
  EXPECT_EQ(Call("GetVectorBucketPolicy", bucket + "}").body, R"({"policy":"{\"Statement\":[]}"})");
  Must("DeleteVectorBucketPolicy", bucket + "}");
  Must("DeleteVectorBucketPolicy", bucket + "}");
  no_policy();
  for (const char* operation : {"GetVectorBucketPolicy", "DeleteVectorBucketPolicy"}) {
    ExpectError(Call(operation, R"({"vectorBucketName":"none"})"), 404, "NotFoundException",
                "The specified vector bucket could not be found");
  }
}

TEST_F(RouterTest, TheModeOfAnIndexDecidesWhatAQueryMayAsk) {
  MakeIndex("euclidean", 1);
  ASSERT_EQ(Put(Vector("k", "1", R"({"s":"abc"})")).status, 200);
  const std::string query = R"("topK":1,"queryVector":{"float32":[0]})";
  const std::string prefix = query + R"(,"filter":{"s":{"$startsWith":"ab"}})";
  EXPECT_THAT(OnIndex("GetIndex", "").body, HasSubstr(R"("indexMode":"ENHANCED")"));
  EXPECT_EQ(OnIndex("QueryVectors", prefix).status, 200);
  ExpectError(OnIndex("QueryVectors", query + R"(,"queryMode":"CLASSIC")"), 400,
              "ValidationException", "queryMode");

  // The clock of this test stands in 2023, when buckets were CLASSIC.
  EXPECT_EQ(OnIndex("UpdateIndexMode", R"("indexMode":"CLASSIC")").body, "{}");
  EXPECT_THAT(OnIndex("GetIndex", "").body, HasSubstr(R"("indexMode":"CLASSIC")"));
  ExpectError(OnIndex("QueryVectors", prefix), 400, "ValidationException", "Invalid filter");
  EXPECT_EQ(OnIndex("QueryVectors", prefix + R"(,"queryMode":"ENHANCED")").status, 200);
  EXPECT_EQ(OnIndex("QueryVectors", query + R"(,"filter":{"s":"abc"})").status, 200);
  ExpectError(OnIndex("QueryVectors", R"("topK":1,"queryTexts":[{"text":"a","metadataKey":"s"}])"),
              400, "ValidationException", "ENHANCED");
  ExpectError(OnIndex("UpdateMetadataConfiguration",
                      R"("add":{"textSearchConfigurations":[{"metadataKey":"s"}]})"),
              400, "ValidationException", "ENHANCED");

  clock_.SetWall(WallTime(std::chrono::seconds(1'790'726'400)));
  Must("CreateVectorBucket", R"({"vectorBucketName":"new"})");
  Must("CreateIndex", R"({"vectorBucketName":"new","indexName":"idx","dataType":"float32",)"
                      R"("dimension":1,"distanceMetric":"cosine"})");
  ExpectError(Call("UpdateIndexMode",
                   R"({"vectorBucketName":"new","indexName":"idx","indexMode":"CLASSIC"})"),
              400, "ValidationException", "September 30, 2026");
}

TEST_F(RouterTest, NewIndexesHaveTheBucketsDefaultMode) {
  MakeIndex("euclidean", 1);
  EXPECT_THAT(Call("GetVectorBucket", R"({"vectorBucketName":"bkt"})").body,
              HasSubstr(R"("defaultIndexMode":"ENHANCED")"));
  Must("PutVectorBucketDefaultIndexMode",
       R"({"vectorBucketName":"bkt","defaultIndexMode":"CLASSIC"})");
  EXPECT_THAT(Call("GetVectorBucket", R"({"vectorBucketName":"bkt"})").body,
              HasSubstr(R"("defaultIndexMode":"CLASSIC")"));
  EXPECT_THAT(OnIndex("GetIndex", "").body, HasSubstr("ENHANCED")) << "it was there before";
  const std::string create = R"({"vectorBucketName":"bkt","indexName":"new","dataType":"float32",)"
                             R"("dimension":1,"distanceMetric":"cosine")";
  ExpectError(Call("CreateIndex", create + R"(,"metadataConfiguration":{"textSearchConfigurations")"
                                           R"(:[{"metadataKey":"t"}]}})"),
              400, "ValidationException", "ENHANCED");
  Must("CreateIndex", create + "}");
  EXPECT_THAT(Call("GetIndex", R"({"vectorBucketName":"bkt","indexName":"new"})").body,
              HasSubstr(R"("indexMode":"CLASSIC")"));
}

TEST_F(RouterTest, TextSearchIsConfiguredKeyByKey) {
  MakeIndex("euclidean", 1);
  const auto update = [&](const std::string& how, const std::string& key) {
    return OnIndex("UpdateMetadataConfiguration", "\"" + how +
                                                      R"(":{"textSearchConfigurations":[{)"
                                                      R"("metadataKey":")" +
                                                      key + "\"}]}");
  };
  EXPECT_EQ(update("add", "t").body,
            R"({"indexArn":"arn:aws:s3vectors:eu-test-1:000000000000:bucket/bkt/index/idx"})");
  EXPECT_THAT(OnIndex("GetIndex", "").body,
              HasSubstr(R"("textSearchConfigurations":[{"metadataKey":"t","status":"ACTIVE"}])"));
  ExpectError(update("add", "t"), 409, "ConflictException", "already");
  ExpectError(update("delete", "u"), 400, "ValidationException", "no text search configuration");
  ExpectError(OnIndex("UpdateIndexMode", R"("indexMode":"CLASSIC")"), 400, "ValidationException",
              "text search");
  for (int i = 0; i < 9; ++i) EXPECT_EQ(update("add", "t" + std::to_string(i)).status, 200);
  ExpectError(update("add", "t9"), 400, "ValidationException", "at most 10");

  const auto ask = [&](const std::string& key) {
    return OnIndex("QueryVectors",
                   R"("topK":1,"queryTexts":[{"text":"a","metadataKey":")" + key + "\"}]");
  };
  ExpectError(ask("t"), 400, "ValidationException", "does not rank by text");
  EXPECT_EQ(update("delete", "t").status, 200);
  ExpectError(ask("t"), 400, "ValidationException", "no text search configuration");
}

TEST_F(RouterTest, TagsAreKeptOnBucketsAndIndexes) {
  MakeIndex("euclidean", 1);
  const std::string bucket =
      "/tags/arn%3Aaws%3As3vectors%3Aeu-test-1%3A000000000000%3Abucket%2Fbkt";
  const auto tags = [&](const std::string& method, const std::string& target,
                        const std::string& body = "") {
    http::ServerReply reply = router_->Handle({method, target, {}, body});
    return Got{reply.reply.status,
               std::string(http::FindHeader(reply.reply.headers, "x-amzn-ErrorType")),
               reply.reply.body,
               {}};
  };
  for (const std::string& target : {bucket, bucket + "%2Findex%2Fidx"}) {
    EXPECT_EQ(tags("GET", target).body, R"({"tags":{}})");
    EXPECT_EQ(tags("POST", target, R"({"tags":{"a":"1","b":"2"}})").body, "{}");
    EXPECT_EQ(tags("POST", target, R"({"tags":{"b":"3","c":""}})").status, 200);
    EXPECT_EQ(tags("GET", target).body, R"({"tags":{"a":"1","b":"3","c":""}})");
    EXPECT_EQ(tags("DELETE", target + "?tagKeys=a&tagKeys=none&tagKeys=c").body, "{}");
    EXPECT_EQ(tags("GET", target).body, R"({"tags":{"b":"3"}})");
    std::string many = R"({"tags":{"0":"")";
    for (int i = 1; i < 50; ++i) many += ",\"" + std::to_string(i) + "\":\"\"";
    ExpectError(tags("POST", target, many + "}}"), 400, "ValidationException",
                "Too many tags specified");
    EXPECT_EQ(tags("GET", target).body, R"({"tags":{"b":"3"}})") << "all or nothing";
  }
  ExpectError(tags("GET", bucket + "2"), 404, "NotFoundException", "vector bucket could not be");
  ExpectError(tags("GET", bucket + "%2Findex%2Fnone"), 404, "NotFoundException",
              "index could not be found");
  ExpectError(tags("GET", "/tags/arn:aws:s3vectors:us-east-1:000000000000:bucket/bkt"), 404,
              "NotFoundException", "vector bucket could not be found");
}

TEST_F(RouterTest, MetadataThatIsNoTextCannotBeRead) {
  MakeIndex("euclidean", 1);
  ExpectError(Put(Vector("k", "1", R"({"s":"\ud800"})")), 400, "SerializationException",
              "UnknownError");
}

TEST_F(RouterTest, RefusesAZeroQueryUnderCosineOnly) {
  MakeIndex("cosine", 2);
  ExpectError(OnIndex("QueryVectors", R"("topK":1,"queryVector":{"float32":[0,-0]})"), 400,
              "ValidationException", "Query vector contains invalid values");
}

TEST_F(RouterTest, QueriesComeInPagesOfAHundredUpToTopK) {
  MakeIndex("euclidean", 1);
  std::string vectors;
  for (int i = 0; i < 400; ++i) {
    vectors += (i == 0 ? "" : ",") + Vector("k" + std::to_string(1000 + i), std::to_string(i / 7));
  }
  ASSERT_EQ(Put(vectors).status, 200);
  std::vector<std::string> keys;
  std::vector<size_t> pages;
  std::string token;
  do {
    const std::string more = token.empty() ? "" : R"(,"nextToken":")" + token + "\"";
    const Got got = OnIndex("QueryVectors", R"("topK":250,"queryVector":{"float32":[0]})" + more);
    const auto page = wire::DecodeReply<wire::QueryVectorsReply>(got.body);
    ASSERT_TRUE(page.ok()) << got.body;
    for (const auto& match : page->vectors) keys.push_back(match.key);
    pages.push_back(page->vectors.size());
    token = page->next_token;
  } while (!token.empty());
  EXPECT_EQ(pages, (std::vector<size_t>{100, 100, 50}));
  EXPECT_TRUE(std::ranges::is_sorted(keys));
  EXPECT_EQ(keys.back(), "k1249");
  ExpectError(
      OnIndex("QueryVectors", R"("topK":250,"queryVector":{"float32":[0]},"nextToken":"cQ")"), 400,
      "ValidationException", "nextToken");
}

TEST_F(RouterTest, RatesHoldForEachIndexAlone) {
  Start({.vectors_per_s = 2, .requests_per_s = 0}, {});
  MakeIndex("euclidean", 1);
  std::string vectors = Vector("k0", "0");
  for (int i = 1; i < 500; ++i) vectors += "," + Vector("k" + std::to_string(i), "0");
  EXPECT_EQ(Put(vectors).status, 200) << "a full request fits the burst";
  ExpectError(Put(Vector("one", "1")), 429, "TooManyRequestsException", "rate");
  ExpectError(OnIndex("DeleteVectors", R"("keys":["k0"])"), 429, "TooManyRequestsException", "");
  clock_.Advance(std::chrono::milliseconds(500));
  EXPECT_EQ(Put(Vector("one", "1")).status, 200);
  EXPECT_EQ(Put(Vector("two", "1")).status, 429);
  EXPECT_EQ(OnIndex("ListVectors", "").status, 200) << "reads are not limited";

  Start({.vectors_per_s = 0, .requests_per_s = 3}, {});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Put(vectors).status, 200);
  EXPECT_EQ(Put(vectors).status, 429);
}

TEST_F(RouterTest, LatencyIsForTheDataPathOnly) {
  Start({}, std::chrono::milliseconds(30));
  MakeIndex("euclidean", 1);
  EXPECT_EQ(OnIndex("GetIndex", "").delay, Duration());
  EXPECT_EQ(Put(Vector("k", "1")).delay, std::chrono::milliseconds(30));
  EXPECT_EQ(Put("").delay, std::chrono::milliseconds(30));
  EXPECT_EQ(OnIndex("QueryVectors", R"("topK":1,"queryVector":{"float32":[0]})").delay,
            std::chrono::milliseconds(30));
}

TEST_F(RouterTest, UnknownOperationsAndWebPagesAreRefused) {
  ExpectError(Call("TagResource", "{}"), 404, "UnknownOperationException", "POST /TagResource");
  const auto get = router_->Handle({"GET", "/GetIndex", {}, {}});
  EXPECT_EQ(get.reply.status, 404);
  // What cannot stand in JSON is not repeated.
  const auto odd = router_->Handle({"POST", "/Get\xff\xc3", {}, {}});
  EXPECT_THAT(odd.reply.body, HasSubstr("POST /Get??"));
  EXPECT_TRUE(wire::IsJsonObject(odd.reply.body));
  const auto page =
      router_->Handle({"POST", "/ListVectorBuckets", {{"origin", "http://evil.example"}}, "{}"});
  EXPECT_EQ(page.reply.status, 403);
  ExpectError(Call("PutVectors", "{"), 400, "SerializationException", "");
}

TEST_F(RouterTest, EachReplyHasItsOwnRequestId) {
  std::set<std::string> ids;
  for (int i = 0; i < 100; ++i) {
    const auto reply = router_->Handle({"POST", "/ListVectorBuckets", {}, {}});
    ids.emplace(http::FindHeader(reply.reply.headers, "x-amzn-RequestId"));
  }
  EXPECT_EQ(ids.size(), 100U);
  EXPECT_THAT(*ids.begin(), MatchesRegex("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"));
}

}  // namespace
}  // namespace vecload::server
