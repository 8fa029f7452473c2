// Goal: PutVectors requests come out bit-equal and in the service's terms, whatever the order of
// members and however the numbers are written. Method: requests written by our own writer and by
// hand (strangers write theirs in tests/conformance), every exponent of float32 and
// random bits; each rule broken once.

#include <bit>
#include <charconv>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "base/random.h"
#include "wire/limits.h"
#include "wire/messages.h"
#include "wire/put_body.h"

namespace vecload::wire {
namespace {

struct Outcome {
  std::optional<WireError> error;
  PutVectorsRequest request;
  std::string body;  // metadata points into it

  [[nodiscard]] std::string message() const { return error ? error->message : "ok"; }
};

std::unique_ptr<Outcome> Decode(std::string body) {
  auto outcome = std::make_unique<Outcome>();
  outcome->body = std::move(body);
  outcome->error = DecodePutVectors(&outcome->body, &outcome->request);
  return outcome;
}

std::string Body(const std::string& vectors) {
  return R"({"vectorBucketName":"bucket","indexName":"index","vectors":)" + vectors + "}";
}

std::string OneKey(const std::string& key) {
  return Body(R"([{"key":")" + key + R"(","data":{"float32":[1]}}])");
}

std::string OneNumber(const std::string& number) {
  return Body(R"([{"key":"k","data":{"float32":[)" + number + "]}}]");
}

TEST(PutDecode, ReadsWhatTheWriterWrote) {
  PutBodyWriter writer({"bucket", "index"}, {});
  const std::vector<float> first = {0.1F, -1.5F, 1e-45F};
  const std::vector<float> second = {std::numeric_limits<float>::max(), 0, 3};
  ASSERT_TRUE(writer.Add("a\"b", first, R"({"n":1})", kBodyBytesMax));
  ASSERT_TRUE(writer.Add("größe", second, "", kBodyBytesMax));
  const RecordsBody body = std::move(writer).Finish();
  const auto outcome = Decode(std::string(body.text()));
  ASSERT_EQ(outcome->message(), "ok");
  const PutVectorsRequest& request = outcome->request;
  EXPECT_EQ(request.index.bucket, "bucket");
  EXPECT_EQ(request.index.index, "index");
  ASSERT_EQ(request.entries.size(), 2U);
  EXPECT_EQ(request.entries[0].key, "a\"b");
  EXPECT_EQ(request.entries[0].metadata, R"({"n":1})");
  EXPECT_EQ(request.entries[1].key, "größe");
  EXPECT_EQ(request.entries[1].metadata, "");
  EXPECT_EQ(request.entries[1].float_count, 3U);
  EXPECT_EQ(std::vector<float>(request.vector(request.entries[0]),
                               request.vector(request.entries[0]) + 3),
            first);
  EXPECT_EQ(std::vector<float>(request.vector(request.entries[1]),
                               request.vector(request.entries[1]) + 3),
            second);
}

TEST(PutDecode, MembersComeInAnyOrderAndUnknownOnesAreIgnored) {
  const auto outcome = Decode(
      R"({"new":[{}],"vectors":[{"metadata" : {"a" : [1, 2]} ,"new":1,"data":{"float32":[1,2]},)"
      R"("key":"k"}],"indexArn":"arn:aws:s3vectors:us-east-1:000000000000:bucket/abc/index/def"})");
  ASSERT_EQ(outcome->message(), "ok");
  EXPECT_EQ(outcome->request.index.bucket, "abc");
  EXPECT_EQ(outcome->request.entries.at(0).key, "k");
  EXPECT_EQ(outcome->request.entries.at(0).metadata, R"({"a" : [1, 2]})");
}

TEST(PutDecode, ReuseLeavesNothingBehind) {
  std::string first = Body(R"([{"key":"a","data":{"float32":[1,2]}},)"
                           R"({"key":"b","data":{"float32":[3,4]},"metadata":{}}])");
  std::string second = OneKey("c");
  PutVectorsRequest request;
  ASSERT_FALSE(DecodePutVectors(&first, &request));
  ASSERT_FALSE(DecodePutVectors(&second, &request));
  ASSERT_EQ(request.entries.size(), 1U);
  EXPECT_EQ(request.entries[0].key, "c");
  EXPECT_EQ(request.entries[0].metadata, "");
  EXPECT_EQ(request.floats.size(), 1U);
}

TEST(PutDecode, MembersGivenTwiceCountOnce) {
  std::string twice = R"({"key":"a","key":")" + std::string(1000, 'b') +
                      R"(","data":{"float32":[1,2],"float32":[3]}})";
  std::string vectors = "[";
  for (int i = 0; i < 500; ++i) vectors += (i > 0 ? "," : "") + twice;
  vectors += ']';
  const auto outcome = Decode(R"({"vectorBucketName":"bucket","indexName":"index","vectors":)" +
                              vectors + R"(,"vectors":)" + vectors + "}");
  ASSERT_EQ(outcome->message(), "ok");
  ASSERT_EQ(outcome->request.entries.size(), 500U);
  for (const auto& entry : outcome->request.entries) {
    EXPECT_EQ(entry.key, std::string(1000, 'b'));
    ASSERT_EQ(entry.float_count, 1U);
    EXPECT_EQ(*outcome->request.vector(entry), 3.0F);
  }
}

TEST(PutDecode, KeysKeepTheirRules) {
  const auto length = [](const std::string& count) {
    return "1 validation error detected. Value with length " + count +
           " at '/vectors/0/key' failed to satisfy constraint: Member must have length between 1 "
           "and 1024, inclusive";
  };
  EXPECT_EQ(Decode(OneKey(""))->message(), length("0"));
  EXPECT_EQ(Decode(OneKey(std::string(1025, 'a')))->message(), length("1025"));
  EXPECT_EQ(Decode(OneKey(std::string(1024, 'a')))->message(), "ok");
  std::string han;
  for (int i = 0; i < 341; ++i) han += "中";
  EXPECT_EQ(Decode(OneKey(han))->message(), "ok");
  EXPECT_EQ(Decode(OneKey(han + "ab"))->message(), "Record key length exceeds the maximum allowed");
  const auto named = Decode(OneKey(""));
  EXPECT_EQ(NamedRecords(named->error->fields), std::vector<size_t>{0});
}

TEST(PutDecode, MissingMembersAreNamed) {
  const auto outcome = Decode(Body(R"([{"key":"a","data":{"float32":[1]}},{"metadata":{}}])"));
  ASSERT_TRUE(outcome->error);
  EXPECT_EQ(outcome->message(),
            "2 validation errors detected. Value at '/vectors/1/key' failed to satisfy "
            "constraint: Member must not be null; Value at '/vectors/1/data' failed to satisfy "
            "constraint: Member must not be null");
  EXPECT_EQ(NamedRecords(outcome->error->fields), std::vector<size_t>{1});
  EXPECT_EQ(Decode(R"({"vectorBucketName":"bucket","indexName":"index"})")->message(),
            "1 validation error detected. Value at '/vectors' failed to satisfy constraint: Member "
            "must not be null");
  EXPECT_EQ(Decode(Body(R"([{"key":"a","data":{}}])"))->message(),
            "1 validation error detected. Value at '/vectors/0/data/float32' failed to satisfy "
            "constraint: Member must not be null");
  EXPECT_EQ(Decode("")->error->aws_code, "ValidationException");
}

TEST(PutDecode, ABatchHasOneTo500Records) {
  const auto batch = [](size_t count) {
    std::string vectors = "[";
    for (size_t i = 0; i < count; ++i) {
      vectors += (i > 0 ? R"(,{"key":"k)" : R"({"key":"k)") + std::to_string(i) +
                 R"(","data":{"float32":[1]}})";
    }
    return Decode(Body(vectors + "]"));
  };
  const auto message = [](const std::string& count) {
    return "1 validation error detected. Value with length " + count +
           " at '/vectors' failed to satisfy constraint: Member must have length between 1 and "
           "500, inclusive";
  };
  EXPECT_EQ(batch(500)->message(), "ok");
  EXPECT_EQ(batch(500)->request.entries.size(), 500U);
  EXPECT_EQ(batch(0)->message(), message("0"));
  EXPECT_EQ(batch(501)->message(), message("501"));
  EXPECT_EQ(batch(100'000)->message(), message("100000"));
}

TEST(PutDecode, NumbersThatAreNoFloat32AreNamed) {
  for (const std::string number : {"1e39", "-1e39", "3.40282357e38", "1e999", "\"NaN\"",
                                   "\"-Infinity\"", "340282356779733661637539395458142568448"}) {
    const auto outcome = Decode(OneNumber(number));
    ASSERT_TRUE(outcome->error) << number;
    EXPECT_EQ(outcome->message(), "Invalid record for key 'k': vector contains NaNs or Infs");
    ASSERT_EQ(outcome->error->fields.size(), 1U);
    EXPECT_EQ(outcome->error->fields[0].path, "vectors[0].data");
    EXPECT_EQ(outcome->error->fields[0].message, "vector contains NaNs or Infs");
  }
  for (const std::string number : {"null", "true", "\"1\"", "[1]", "{}", "1x", "1 2", "01", "1.",
                                   "-", "+1", "1e", "0x10", "NaN", "1e999x", "\"\\ud800\""}) {
    const auto outcome = Decode(OneNumber(number));
    ASSERT_TRUE(outcome->error) << number;
    EXPECT_EQ(outcome->error->aws_code, "SerializationException") << number;
  }
}

TEST(PutDecode, NumbersAreRoundedOnceToDoubleAndOnceToFloat) {
  const std::pair<std::string, float> cases[] = {
      {"3.4028235e38", std::numeric_limits<float>::max()},
      {"3.402823567e38", std::numeric_limits<float>::max()},
      {"1.5e-45", std::numeric_limits<float>::denorm_min()},
      {"1e-46", 0.0F},
      {"1e-999", 0.0F},
      {"0.10000000149011612", 0.1F},
      {"1", 1.0F},
      {"-7", -7.0F},
      {"16777217", 16777216.0F},
      {"12345678901234567890123", 12345678901234567890123.0F},
      {"1E2", 100.0F},
      {"1e+2", 100.0F}};
  for (const auto& [text, value] : cases) {
    const auto outcome = Decode(OneNumber(text));
    ASSERT_EQ(outcome->message(), "ok") << text;
    EXPECT_EQ(std::bit_cast<uint32_t>(outcome->request.floats.at(0)),
              std::bit_cast<uint32_t>(value))
        << text;
  }
  const auto zero = Decode(OneNumber("-0.0"));
  EXPECT_TRUE(std::signbit(zero->request.floats.at(0)));
}

TEST(PutDecode, EveryExponentComesBackBitEqual) {
  Random random(1);
  std::vector<float> floats;
  for (uint32_t exponent = 0; exponent < 255; ++exponent) {
    for (const uint32_t mantissa : {0U, 1U, 0x7fffffU, 0x400000U}) {
      for (const uint32_t sign : {0U, 1U}) {
        floats.push_back(std::bit_cast<float>(sign << 31 | exponent << 23 | mantissa));
      }
    }
    for (int i = 0; i < 16; ++i) {
      const auto bits = static_cast<uint32_t>(random.Next());
      floats.push_back(std::bit_cast<float>((bits & 0x807fffffU) | exponent << 23));
    }
  }
  PutBodyWriter writer({"bucket", "index"}, {});
  ASSERT_TRUE(writer.Add("k", floats, "", kBodyBytesMax));
  const auto outcome = Decode(std::string(std::move(writer).Finish().text()));
  ASSERT_EQ(outcome->message(), "ok");
  ASSERT_EQ(outcome->request.floats.size(), floats.size());
  for (size_t i = 0; i < floats.size(); ++i) {
    ASSERT_EQ(std::bit_cast<uint32_t>(outcome->request.floats[i]),
              std::bit_cast<uint32_t>(floats[i]))
        << i;
  }
}

TEST(PutDecode, MetadataMustBeAnObject) {
  for (const std::string metadata : {"1", "\"x\"", "[]", "true"}) {
    const auto outcome =
        Decode(Body(R"([{"metadata":)" + metadata + R"(,"key":"k","data":{"float32":[1]}}])"));
    EXPECT_EQ(outcome->message(), "Invalid record for key 'k': Metadata must be an object");
  }
  EXPECT_EQ(Decode(Body(R"([{"metadata":null,"key":"k","data":{"float32":[1]}}])"))->message(),
            "ok");
}

}  // namespace
}  // namespace vecload::wire
