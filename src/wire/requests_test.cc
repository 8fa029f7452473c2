// Goal: a request that breaks a constraint of the service's model is refused in the service's own
// words, one that keeps them all comes out as it went in, and nothing that a stranger may send
// makes a decoder do anything else. Method: one table of broken requests per rule, round trips
// through our encoder. Properties over random input are in property_test.cc; that boto3's requests
// decode too is tested in tests/conformance.

#include <gtest/gtest.h>

#include "wire/messages.h"

namespace vecload::wire {
namespace {

constexpr char kIndexJson[] = R"("vectorBucketName":"bucket","indexName":"index")";
constexpr char kNotBoth[] = "Must specify either indexArn or both vectorBucketName and indexName";
constexpr char kNotBothBucket[] =
    "Must specify either vectorBucketName or vectorBucketArn but not both";

std::string Text(size_t length, char c = 'a') { return std::string(length, c); }

template <typename T>
std::string Code(const std::string& body) {
  const auto decoded = DecodeRequest<T>(body);
  return decoded.ok() ? "ok" : decoded.error().aws_code;
}

template <typename T>
std::string Message(const std::string& body) {
  const auto decoded = DecodeRequest<T>(body);
  return decoded.ok() ? "ok" : decoded.error().message;
}

std::string Length(size_t length, const std::string& path, size_t min, size_t max) {
  return "1 validation error detected. Value with length " + std::to_string(length) + " at '" +
         path + "' failed to satisfy constraint: Member must have length between " +
         std::to_string(min) + " and " + std::to_string(max) + ", inclusive";
}

std::string Range(const std::string& path, int64_t min, int64_t max) {
  return "1 validation error detected. Value at '" + path +
         "' failed to satisfy constraint: Member must be between " + std::to_string(min) + " and " +
         std::to_string(max) + ", inclusive";
}

std::string Missing(const std::string& path) {
  return "1 validation error detected. Value at '" + path +
         "' failed to satisfy constraint: Member must not be null";
}

TEST(Requests, MalformedJsonIsASerializationException) {
  for (const std::string body : {"{",
                                 "}",
                                 "[]",
                                 "\"x\"",
                                 "nul",
                                 "{\"prefix\":\"a\"}}",
                                 "{\"prefix\":\"a\"} x",
                                 "{} {}",
                                 "{\"prefix\" \"a\"}",
                                 "{\"prefix\":\"a\",}",
                                 "{\"prefix\":'a'}",
                                 "{\"x\":[1,2}",
                                 "\xff",
                                 "{\"prefix\":\"\xff\"}",
                                 "{\"prefix\":\"a\tb\"}",
                                 "{\"x\":tru}",
                                 "{\"x\":01}",
                                 "{\"x\":1.}",
                                 "{\"x\":+1}",
                                 "{\"x\":.5}",
                                 "{\"x\":1e}",
                                 "{\"x\":NaN}",
                                 " "}) {
    const auto decoded = DecodeRequest<ListVectorBucketsRequest>(body);
    ASSERT_FALSE(decoded.ok()) << body;
    EXPECT_EQ(decoded.error().aws_code, "SerializationException") << body;
    EXPECT_EQ(decoded.error().http_status, 400) << body;
  }
}

TEST(Requests, LoneSurrogatesAreASerializationExceptionWhereverTheyStand) {
  const std::string lone = R"("\ud800")";
  for (const std::string& body :
       {"{\"prefix\":" + lone + "}", "{\"x\":[{\"y\":" + lone + "}]}", "{" + lone + ":1}",
        std::string(R"({"prefix":"\udc00x"})"), std::string(R"({"prefix":"\ud83dx"})")}) {
    EXPECT_EQ(Message<ListVectorBucketsRequest>(body), "UnknownError") << body;
  }
  EXPECT_EQ(Code<QueryVectorsRequest>("{\"filter\":{\"a\":{\"$in\":[" + lone + "]}}}"),
            "SerializationException");
  const auto pair = DecodeRequest<ListVectorBucketsRequest>(R"({"prefix":"\ud83d\ude00"})");
  ASSERT_TRUE(pair.ok());
  EXPECT_EQ(pair->prefix, "😀");
}

TEST(Requests, EmptyBodyCountsAsNoMembers) {
  const auto decoded = DecodeRequest<ListVectorBucketsRequest>("");
  ASSERT_TRUE(decoded.ok());
  EXPECT_FALSE(decoded->max_results);
}

TEST(Requests, UnknownMembersAndNullsAreIgnored) {
  const auto decoded = DecodeRequest<ListVectorBucketsRequest>(
      R"({"new":{"deep":[1,2.5,-0,true,null,"x",{"a":[]}]},"prefix":null,"maxResults":7})");
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(decoded->max_results, 7U);
  EXPECT_EQ(decoded->prefix, "");
}

TEST(Requests, NestingIsBounded) {
  const auto nested = [](size_t depth) {
    return "{\"x\":" + Text(depth, '[') + Text(depth, ']') + "}";
  };
  EXPECT_EQ(Code<ListVectorBucketsRequest>(nested(60)), "ok");
  EXPECT_EQ(Code<ListVectorBucketsRequest>(nested(100'000)), "SerializationException");
}

TEST(Requests, WrongTypesSayWhatWasExpected) {
  EXPECT_EQ(Message<ListVectorBucketsRequest>(R"({"prefix":1})"), "'/prefix' must be a string");
  EXPECT_EQ(Message<ListVectorBucketsRequest>(R"({"maxResults":"1"})"),
            "'/maxResults' must be a whole number of 32 bits");
  EXPECT_EQ(Code<ListVectorBucketsRequest>(R"({"maxResults":1.0})"), "SerializationException");
  EXPECT_EQ(Code<ListVectorBucketsRequest>(R"({"maxResults":4294967297})"),
            "SerializationException");
  EXPECT_EQ(Message<GetVectorsRequest>(R"({"returnData":1})"),
            "'/returnData' must be true or false");
  EXPECT_EQ(Message<GetVectorsRequest>(R"({"keys":{}})"), "'/keys' must be a list");
  EXPECT_EQ(Code<GetVectorsRequest>(R"({"keys":["a",null]})"), "SerializationException");
  EXPECT_EQ(Message<CreateIndexRequest>(R"({"metadataConfiguration":[]})"),
            "'/metadataConfiguration' must be an object");
}

TEST(Requests, AnIndexIsNamedInOneOfTwoWays) {
  const std::string arn =
      R"("indexArn":"arn:aws:s3vectors:us-east-1:000000000000:bucket/my-bucket/index/my-index")";
  const auto by_arn = DecodeRequest<GetIndexRequest>("{" + arn + "}");
  ASSERT_TRUE(by_arn.ok());
  EXPECT_EQ(by_arn->index.bucket, "my-bucket");
  EXPECT_EQ(by_arn->index.index, "my-index");
  EXPECT_TRUE(by_arn->index.arn.starts_with("arn:aws:s3vectors"));
  const auto by_name = DecodeRequest<GetIndexRequest>(std::string("{") + kIndexJson + "}");
  ASSERT_TRUE(by_name.ok());
  EXPECT_EQ(by_name->index.bucket, "bucket");
  EXPECT_EQ(by_name->index.arn, "");
  for (const std::string& body :
       {std::string("{}"), "{" + arn + "," + kIndexJson + "}",
        std::string(R"({"vectorBucketName":"bucket"})"), std::string(R"({"indexName":"index"})"),
        "{" + arn + R"(,"indexName":"index"})"}) {
    EXPECT_EQ(Message<GetIndexRequest>(body), kNotBoth) << body;
    EXPECT_EQ(Message<DeleteIndexRequest>(body), kNotBoth) << body;
  }
}

TEST(Requests, ArnsKeepTheModelsPattern) {
  const auto arn = [](const std::string& text) {
    return Message<GetIndexRequest>("{\"indexArn\":\"" + text + "\"}");
  };
  EXPECT_EQ(arn("arn:aws-us-gov:s3vectors:us-gov-west-1:123456789012:bucket/a.b/index/c.d"), "ok");
  for (const std::string text :
       {"", "arn", "arn:aws:s3:us-east-1:123456789012:bucket/abc/index/abc",
        "arn:aws:s3vectors::123456789012:bucket/abc/index/abc",
        "arn:aws:s3vectors:us-east-1:12345678901:bucket/abc/index/abc",
        "arn:aws:s3vectors:us-east-1:123456789012:bucket/abc",
        "arn:aws:s3vectors:us-east-1:123456789012:bucket/ab/index/abc",
        "arn:aws:s3vectors:us-east-1:123456789012:bucket/abc/index/a_c",
        "arn:aws:s3vectors:us-east-1:123456789012:bucket/abc/index/abc/index/abc"}) {
    EXPECT_NE(arn(text).find("'/indexArn' failed to satisfy constraint: Member must satisfy "
                             "regular expression pattern: arn:aws"),
              std::string::npos)
        << text;
  }
}

TEST(Requests, ABucketIsNamedInOneOfTwoWays) {
  const std::string arn =
      R"("vectorBucketArn":"arn:aws:s3vectors:us-east-1:000000000000:bucket/my-bucket")";
  const auto by_arn = DecodeRequest<GetVectorBucketRequest>("{" + arn + "}");
  ASSERT_TRUE(by_arn.ok());
  EXPECT_EQ(by_arn->bucket.name, "my-bucket");
  EXPECT_EQ(Message<GetVectorBucketRequest>("{}"), kNotBothBucket);
  EXPECT_EQ(Message<DeleteVectorBucketRequest>("{" + arn + R"(,"vectorBucketName":"abc"})"),
            kNotBothBucket);
  EXPECT_EQ(Message<ListIndexesRequest>("{}"), kNotBothBucket);
  EXPECT_EQ(Message<GetVectorBucketRequest>(R"({"vectorBucketName":"ab"})"),
            Length(2, "/vectorBucketName", 3, 63));
}

TEST(Requests, NamesToBeCreatedKeepTheRules) {
  const auto create = [](const std::string& name) {
    return Message<CreateVectorBucketRequest>("{\"vectorBucketName\":\"" + name + "\"}");
  };
  EXPECT_EQ(Message<CreateVectorBucketRequest>("{}"), Missing("/vectorBucketName"));
  EXPECT_EQ(create("a1.b-c"), "ok");
  EXPECT_EQ(create(Text(63)), "ok");
  EXPECT_EQ(create("ab"), Length(2, "/vectorBucketName", 3, 63));
  EXPECT_EQ(create(Text(64)), Length(64, "/vectorBucketName", 3, 63));
  for (const std::string name : {"Abc", "a_b", "-ab", "ab-", ".ab", "a b", "äbc"}) {
    EXPECT_EQ(create(name), "Invalid vector bucket name") << name;
  }
}

std::string CreateIndexBody(const std::string& more) {
  return std::string("{") + kIndexJson +
         R"(,"dataType":"float32","dimension":4,"distanceMetric":"cosine")" + more + "}";
}

TEST(Requests, CreateIndexNeedsItsMembers) {
  const auto decoded = DecodeRequest<CreateIndexRequest>(R"({"vectorBucketName":"bucket"})");
  ASSERT_FALSE(decoded.ok());
  EXPECT_TRUE(decoded.error().message.starts_with("4 validation errors detected. Value at"));
  ASSERT_EQ(decoded.error().fields.size(), 4U);
  EXPECT_EQ(decoded.error().fields[0].path, "/indexName");
  EXPECT_EQ(decoded.error().fields[1].path, "/dataType");
  EXPECT_EQ(decoded.error().fields[2].path, "/dimension");
  EXPECT_EQ(decoded.error().fields[3].path, "/distanceMetric");
}

TEST(Requests, CreateIndexMembersKeepTheirConstraints) {
  const auto create = [](const std::string& more) {
    return Message<CreateIndexRequest>(CreateIndexBody(more));
  };
  EXPECT_EQ(create(""), "ok");
  for (const int dimension : {1, 4096}) {
    EXPECT_EQ(create(",\"dimension\":" + std::to_string(dimension)), "ok");
  }
  for (const int dimension : {0, -1, 4097}) {
    EXPECT_EQ(create(",\"dimension\":" + std::to_string(dimension)), Range("/dimension", 1, 4096));
  }
  EXPECT_EQ(create(R"(,"distanceMetric":"dot")"),
            "1 validation error detected. Value at '/distanceMetric' failed to satisfy "
            "constraint: Member must satisfy enum value set: [euclidean, cosine]");
  EXPECT_EQ(create(R"(,"dataType":"float16")"),
            "1 validation error detected. Value at '/dataType' failed to satisfy constraint: "
            "Member must satisfy enum value set: [float32]");
  EXPECT_EQ(create(R"(,"indexName":"a_b")"), "Invalid index name");
  const auto keys = [&](const std::string& list) {
    return create(",\"metadataConfiguration\":{\"nonFilterableMetadataKeys\":" + list + "}");
  };
  const std::string root = "/metadataConfiguration/nonFilterableMetadataKeys";
  EXPECT_EQ(keys(R"(["a","b","c","d","e","f","g","h","i","j"])"), "ok");
  EXPECT_EQ(keys(R"(["a","b","c","d","e","f","g","h","i","j","k"])"), Length(11, root, 0, 10));
  EXPECT_EQ(keys("[\"" + Text(64) + "\"]"), Length(64, root + "/0", 1, 63));
  EXPECT_EQ(keys("[\"\"]"), Length(0, root + "/0", 1, 63));
  EXPECT_NE(create(R"(,"metadataConfiguration":{"textSearchConfigurations":[{}]})"), "ok");
  EXPECT_EQ(create(R"(,"metadataConfiguration":{"textSearchConfigurations":[]})"), "ok");
}

TEST(Requests, EncryptionAndTagsKeepTheirConstraints) {
  const auto create = [](const std::string& more) {
    return Message<CreateVectorBucketRequest>("{\"vectorBucketName\":\"bucket\"," + more + "}");
  };
  const std::string key = R"("kmsKeyArn":"arn:aws:kms:us-east-1:000000000000:key/x")";
  const auto encrypt = [&](const std::string& members) {
    return create("\"encryptionConfiguration\":{" + members + "}");
  };
  EXPECT_EQ(encrypt(R"("sseType":"AES256")"), "ok");
  EXPECT_EQ(encrypt(R"("sseType":"aws:kms",)" + key), "ok");
  EXPECT_NE(encrypt(R"("sseType":"aws:kms")"), "ok");
  EXPECT_NE(encrypt(R"("sseType":"AES256",)" + key), "ok");
  EXPECT_NE(encrypt(R"("sseType":"DES")"), "ok");
  EXPECT_NE(encrypt(R"("sseType":"aws:kms","kmsKeyArn":"arn:aws:kms:x:1:key/x")"), "ok");
  EXPECT_EQ(create(R"("tags":{"team":"search","Größe":""})"), "ok");
  EXPECT_EQ(create("\"tags\":{\"" + Text(129) + "\":\"\"}"), Length(129, "/tags", 1, 128));
  EXPECT_EQ(create("\"tags\":{\"a\":\"" + Text(257) + "\"}"), Length(257, "/tags/a", 0, 256));
  EXPECT_NE(create(R"("tags":{"a!":""})"), "ok");
  EXPECT_EQ(create(R"("tags":{"aws:a":""})"), "System tags cannot be added/updated by requester");
  EXPECT_EQ(create(R"("tags":{"AWS:a":""})"),
            "Invalid System Tag: AWS:a must be prefixed with \"aws:\" in lowercase.");
  EXPECT_EQ(create(R"("tags":{"a":"aws:b"})"), "ok");
  std::string many = "\"tags\":{";
  for (int i = 0; i < 51; ++i) many += (i > 0 ? ",\"" : "\"") + std::to_string(i) + "\":\"\"";
  EXPECT_EQ(create(many + "}"), "Too many tags specified");
}

TEST(Requests, ListingsKeepTheirConstraints) {
  EXPECT_EQ(Message<ListVectorBucketsRequest>(R"({"maxResults":0})"), Range("/maxResults", 1, 500));
  EXPECT_EQ(Message<ListVectorBucketsRequest>(R"({"maxResults":501})"),
            Range("/maxResults", 1, 500));
  EXPECT_EQ(Message<ListVectorBucketsRequest>(R"({"nextToken":""})"),
            Length(0, "/nextToken", 1, 512));
  EXPECT_EQ(Message<ListVectorBucketsRequest>("{\"prefix\":\"" + Text(64) + "\"}"),
            Length(64, "/prefix", 1, 63));
  const auto list = [](const std::string& more) {
    return Message<ListVectorsRequest>(std::string("{") + kIndexJson + more + "}");
  };
  EXPECT_EQ(list(R"(,"maxResults":1000)"), "ok");
  EXPECT_EQ(list(R"(,"maxResults":1001)"), Range("/maxResults", 1, 1000));
  EXPECT_EQ(list(",\"nextToken\":\"" + Text(2049) + "\""), Length(2049, "/nextToken", 1, 2048));
  EXPECT_EQ(list(R"(,"segmentCount":16,"segmentIndex":15)"), "ok");
  EXPECT_EQ(list(R"(,"segmentCount":17,"segmentIndex":0)"), Range("/segmentCount", 1, 16));
  EXPECT_EQ(list(R"(,"segmentCount":16,"segmentIndex":16)"), Range("/segmentIndex", 0, 15));
  EXPECT_EQ(list(R"(,"segmentCount":2,"segmentIndex":-1)"), Range("/segmentIndex", 0, 15));
  EXPECT_EQ(list(R"(,"segmentCount":2,"segmentIndex":2)"),
            "segmentIndex must be less than segmentCount");
  EXPECT_EQ(list(R"(,"segmentCount":2)"), "segmentCount and segmentIndex must be given together");
  EXPECT_EQ(list(R"(,"segmentIndex":0)"), "segmentCount and segmentIndex must be given together");
}

TEST(Requests, KeysKeepTheirConstraints) {
  const auto get = [](const std::string& keys) {
    return Message<GetVectorsRequest>(std::string("{") + kIndexJson + ",\"keys\":" + keys + "}");
  };
  EXPECT_EQ(Message<GetVectorsRequest>(std::string("{") + kIndexJson + "}"), Missing("/keys"));
  EXPECT_EQ(get("[]"), Length(0, "/keys", 1, 100));
  EXPECT_EQ(get("[\"\"]"), Length(0, "/keys/0", 1, 1024));
  EXPECT_EQ(get("[\"a\",\"" + Text(1025) + "\"]"), Length(1025, "/keys/1", 1, 1024));
  EXPECT_EQ(get("[\"" + Text(1024) + "\"]"), "ok");
  std::string han;  // 340 x 3 bytes + 4 = 1,024 bytes
  for (int i = 0; i < 340; ++i) han += "中";
  EXPECT_EQ(get("[\"" + han + "abcd\"]"), "ok");
  EXPECT_EQ(get("[\"" + han + "abcde\"]"), "Record key length exceeds the maximum allowed");
  const auto many = [](size_t count) {
    std::string keys = "[";
    for (size_t i = 0; i < count; ++i) keys += (i > 0 ? ",\"" : "\"") + std::to_string(i) + '"';
    return keys + "]";
  };
  EXPECT_EQ(get(many(100)), "ok");
  EXPECT_EQ(get(many(101)), Length(101, "/keys", 1, 100));
  const auto erase = [](const std::string& keys) {
    return Message<DeleteVectorsRequest>(std::string("{") + kIndexJson + ",\"keys\":" + keys + "}");
  };
  EXPECT_EQ(erase(many(500)), "ok");
  EXPECT_EQ(erase(many(501)), Length(501, "/keys", 1, 500));
  EXPECT_EQ(erase(R"(["a","b","a"])"), "Request must not contain duplicate keys");
  EXPECT_EQ(get(R"(["a","a"])"), "ok");
}

TEST(Requests, QueriesKeepTheirConstraints) {
  const auto query = [](const std::string& more) {
    return Message<QueryVectorsRequest>(std::string("{") + kIndexJson +
                                        R"(,"topK":3,"queryVector":{"float32":[1,2]})" + more +
                                        "}");
  };
  constexpr char kInvalid[] = "Query vector contains invalid values or is invalid for this index";
  EXPECT_EQ(query(""), "ok");
  EXPECT_EQ(query(R"(,"topK":10000)"), "ok");
  EXPECT_EQ(query(R"(,"topK":0)"), Range("/topK", 1, 10000));
  EXPECT_EQ(query(R"(,"topK":10001)"), Range("/topK", 1, 10000));
  EXPECT_EQ(query(R"(,"queryVector":{"float32":[]})"), kInvalid);
  EXPECT_EQ(query(R"(,"queryVector":{"float32":[1e39,1]})"), kInvalid);
  EXPECT_EQ(query(R"(,"queryVector":{"float32":["NaN",1]})"), kInvalid);
  EXPECT_EQ(query(R"(,"filter":{})"), "Invalid filter");
  EXPECT_EQ(query(R"(,"filter":{  })"), "Invalid filter");
  EXPECT_EQ(query(R"(,"filter":"x")"), "Invalid filter");
  EXPECT_EQ(query(R"(,"filter":{"a":1})"), "ok");
  const auto texts = [&](const std::string& list) { return query(",\"queryTexts\":" + list); };
  EXPECT_EQ(texts(R"([{"text":"x","metadataKey":"y"}])"), "ok");
  EXPECT_EQ(texts("[]"), Length(0, "/queryTexts", 1, 10));
  EXPECT_EQ(texts(R"([{"text":"","metadataKey":"y"}])"), Length(0, "/queryTexts/0/text", 1, 1024));
  EXPECT_EQ(texts(R"([{"text":"x"}])"), Missing("/queryTexts/0/metadataKey"));
  EXPECT_EQ(texts(R"([{"text":"x","metadataKey":"y"},{"text":"z","metadataKey":"y"}])"),
            "Each metadata key must be specified at most once");
  EXPECT_EQ(query(R"(,"queryMode":"CLASSIC","returnScores":true)"), "ok");
  EXPECT_EQ(query(R"(,"queryMode":"classic")"),
            "1 validation error detected. Value at '/queryMode' failed to satisfy constraint: "
            "Member must satisfy enum value set: [CLASSIC, ENHANCED]");
  EXPECT_EQ(query(R"(,"queryVector":{})"), Missing("/queryVector/float32"));
  EXPECT_EQ(Message<QueryVectorsRequest>(std::string("{") + kIndexJson + R"(,"topK":1})"),
            Missing("/queryVector"));
  const auto decoded = DecodeRequest<QueryVectorsRequest>(
      std::string("{") + kIndexJson +
      R"(,"filter" : {"a" : [1, 2.50]}  ,"topK":1,"queryVector":{"float32":[0.1]},)"
      R"("returnDistance":true,"returnMetadata":true})");
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(decoded->filter, R"({"a" : [1, 2.50]})");
  EXPECT_EQ(decoded->query, std::vector<float>{0.1F});
  EXPECT_TRUE(decoded->return_distance);
  EXPECT_TRUE(decoded->return_metadata);
}

TEST(Requests, RoundTrip) {
  const CreateIndexRequest create{
      .bucket = {"bucket", {}},
      .name = "index",
      .dimension = 1024,
      .metric = DistanceMetric::kEuclidean,
      .non_filterable_keys = {"text", "größe"},
      .encryption = {"aws:kms", "arn:aws:kms:us-east-1:000000000000:key/x"},
      .tags = {{"team", "search"}, {"stage", "test"}}};
  const auto created = DecodeRequest<CreateIndexRequest>(Encode(create));
  ASSERT_TRUE(created.ok()) << created.error().message;
  EXPECT_EQ(created->bucket.name, "bucket");
  EXPECT_EQ(created->name, "index");
  EXPECT_EQ(created->dimension, 1024U);
  EXPECT_EQ(created->metric, DistanceMetric::kEuclidean);
  EXPECT_EQ(created->non_filterable_keys, create.non_filterable_keys);
  EXPECT_EQ(created->encryption.kms_key_arn, create.encryption.kms_key_arn);
  EXPECT_EQ(created->tags, create.tags);

  const ListVectorsRequest list{.index = {"bucket", "index", {}},
                                .max_results = 10,
                                .next_token = "token",
                                .segment_count = 4,
                                .segment_index = 0,
                                .return_data = true,
                                .return_metadata = true};
  const auto listed = DecodeRequest<ListVectorsRequest>(Encode(list));
  ASSERT_TRUE(listed.ok());
  EXPECT_EQ(listed->index.index, "index");
  EXPECT_EQ(listed->max_results, 10U);
  EXPECT_EQ(listed->next_token, "token");
  EXPECT_EQ(listed->segment_count, 4U);
  EXPECT_EQ(listed->segment_index, 0U);
  EXPECT_TRUE(listed->return_data && listed->return_metadata);

  const auto bucket =
      DecodeRequest<CreateVectorBucketRequest>(Encode(CreateVectorBucketRequest{"abc", {}, {}}));
  ASSERT_TRUE(bucket.ok());
  EXPECT_EQ(bucket->name, "abc");
  const std::string arn = "arn:aws:s3vectors:us-east-1:000000000000:bucket/abc";
  const auto gone =
      DecodeRequest<DeleteVectorBucketRequest>(Encode(DeleteVectorBucketRequest{{"", arn}}));
  ASSERT_TRUE(gone.ok());
  EXPECT_EQ(gone->bucket.name, "abc");
  const auto indexes =
      DecodeRequest<ListIndexesRequest>(Encode(ListIndexesRequest{{"abc", {}}, 5, "token", "pre"}));
  ASSERT_TRUE(indexes.ok());
  EXPECT_EQ(indexes->max_results, 5U);
  EXPECT_EQ(indexes->prefix, "pre");
}

TEST(Requests, ACutRequestIsNeverTakenForAWholeOne) {
  const std::string body = Encode(QueryVectorsRequest{.index = {"bucket", "index", {}},
                                                      .top_k = 5,
                                                      .query = {1, -2.5F, 1e-30F},
                                                      .filter = R"({"a":{"$in":["x","y"]}})",
                                                      .return_metadata = true,
                                                      .return_distance = true,
                                                      .next_token = "t"});
  ASSERT_EQ(Code<QueryVectorsRequest>(body), "ok");
  for (size_t length = 1; length < body.size(); ++length) {
    EXPECT_EQ(Code<QueryVectorsRequest>(body.substr(0, length)), "SerializationException");
  }
}

}  // namespace
}  // namespace vecload::wire
