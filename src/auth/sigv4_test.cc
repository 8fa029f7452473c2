// Goal: signatures that AWS accepts. Method: AWS's own published examples, whose every byte is
// known, then the rules they do not reach, each against a request that must sign the same or must
// not. tests/conformance/sigv4 compares with botocore on generated requests.

#include "auth/sigv4.h"

#include <chrono>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vecload::auth {
namespace {

using std::chrono::sys_days;
using std::chrono::year;

constexpr std::string_view kEmptyHash =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

// 2015-08-30T12:36:00Z, the time of AWS's signing test suite.
const WallTime kSuiteTime =
    sys_days(year(2015) / 8 / 30) + std::chrono::hours(12) + std::chrono::minutes(36);
const Credentials kSuiteKeys = {"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", ""};
const SigningScope kSuiteScope = {"us-east-1", "service"};

std::string Find(const std::vector<std::pair<std::string, std::string>>& headers,
                 std::string_view name) {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return "(none)";
}

std::string SuiteSignature(SigningRequest request) {
  request.headers.emplace_back("host", "example.amazonaws.com");
  if (request.payload_hash.empty()) request.payload_hash = kEmptyHash;
  const std::string authorization =
      Find(Sign(request, kSuiteKeys, kSuiteScope, kSuiteTime), "authorization");
  return authorization.substr(authorization.find("Signature=") + 10);
}

std::string Sha256Text(std::string_view bytes) {
  const PayloadHash hash = Sha256Hex(bytes);
  return {hash.begin(), hash.end()};
}

TEST(Sha256Hex, GivesTheKnownDigests) {
  EXPECT_EQ(Sha256Text(""), kEmptyHash);
  EXPECT_EQ(Sha256Text("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Sha256Text(std::string(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256Hex, WorksOnSeveralThreadsAtOnce) {
  std::vector<std::thread> threads;
  std::array<std::string, 4> results;
  for (std::string& result : results) {
    threads.emplace_back([&result] { result = Sha256Text("abc"); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(results, testing::Each(Sha256Text("abc")));
}

TEST(Sign, GivesTheSignatureOfTheIamExample) {
  SigningRequest request;
  request.method = "GET";
  request.query = "Action=ListUsers&Version=2010-05-08";
  request.headers = {{"content-type", "application/x-www-form-urlencoded; charset=utf-8"},
                     {"host", "iam.amazonaws.com"}};
  request.payload_hash = kEmptyHash;
  const auto headers = Sign(request, kSuiteKeys, {"us-east-1", "iam"}, kSuiteTime);
  EXPECT_EQ(Find(headers, "x-amz-date"), "20150830T123600Z");
  EXPECT_EQ(Find(headers, "authorization"),
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, "
            "SignedHeaders=content-type;host;x-amz-date, "
            "Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7");
  EXPECT_EQ(Find(headers, "x-amz-security-token"), "(none)");
}

// Names and signatures as in AWS's "aws-sig-v4-test-suite".
TEST(Sign, GivesTheSignaturesOfTheAwsSuite) {
  EXPECT_EQ(SuiteSignature({.method = "GET"}),
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
  EXPECT_EQ(SuiteSignature({.method = "POST"}),
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b");
  EXPECT_EQ(SuiteSignature({.method = "GET", .query = "Param2=value2&Param1=value1"}),
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500");
  EXPECT_EQ(SuiteSignature({.method = "GET", .path = "/example/.."}),
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
}

TEST(Sign, NormalizesThePath) {
  const auto signature = [](std::string_view path) {
    return SuiteSignature({.method = "GET", .path = path});
  };
  EXPECT_EQ(signature("/a//b/./c/../d"), signature("/a/b/d"));
  EXPECT_EQ(signature("/../.."), signature("/"));
  EXPECT_EQ(signature(""), signature("/"));
  EXPECT_NE(signature("/a/"), signature("/a"));
  EXPECT_NE(signature("/a%2Fb"), signature("/a/b"));
}

TEST(Sign, SortsTheQueryAndCompletesIt) {
  const auto signature = [](std::string_view query) {
    return SuiteSignature({.method = "GET", .query = query});
  };
  EXPECT_EQ(signature("b=1&a=2&a=1"), signature("a=1&a=2&b=1"));
  EXPECT_EQ(signature("flag"), signature("flag="));
  EXPECT_EQ(signature("a=b=c"), signature("a=b=c"));
  EXPECT_NE(signature("a=1"), signature("A=1"));
}

TEST(Sign, TakesHeadersInAnyOrderCaseAndSpacing) {
  const std::string plain =
      SuiteSignature({.method = "GET", .headers = {{"a", "x y"}, {"b", "1,2"}}});
  EXPECT_EQ(plain, SuiteSignature({.method = "GET",
                                   .headers = {{"B", " 1"}, {"A", "  x \t  y "}, {"b", "2"}}}));
  EXPECT_NE(plain, SuiteSignature({.method = "GET", .headers = {{"a", "xy"}, {"b", "1,2"}}}));
}

TEST(Sign, LeavesOutWhatChangesOnTheWayAndWhatItReplaces) {
  EXPECT_EQ(SuiteSignature({.method = "GET"}),
            SuiteSignature({.method = "GET",
                            .headers = {{"User-Agent", "x"},
                                        {"expect", "100-continue"},
                                        {"authorization", "old"},
                                        {"x-amz-date", "19990101T000000Z"},
                                        {"x-amz-security-token", "old"}}}));
}

TEST(Sign, SignsTheSessionToken) {
  SigningRequest request = {.method = "POST", .headers = {{"host", "h"}}};
  request.payload_hash = kEmptyHash;
  const Credentials temporary = {"A", "S", "the-token"};
  const auto headers = Sign(request, temporary, kSuiteScope, kSuiteTime);
  EXPECT_EQ(Find(headers, "x-amz-security-token"), "the-token");
  EXPECT_THAT(Find(headers, "authorization"),
              testing::HasSubstr("SignedHeaders=host;x-amz-date;x-amz-security-token,"));
  EXPECT_NE(Find(headers, "authorization"),
            Find(Sign(request, {"A", "S", "other"}, kSuiteScope, kSuiteTime), "authorization"));
}

TEST(Sign, ChangesWithEveryInput) {
  SigningRequest request = {.method = "POST", .headers = {{"host", "h"}}};
  request.payload_hash = kEmptyHash;
  const auto sign = [&](const Credentials& keys, const SigningScope& scope, WallTime now) {
    return Find(Sign(request, keys, scope, now), "authorization");
  };
  const std::string base = sign(kSuiteKeys, kSuiteScope, kSuiteTime);
  EXPECT_NE(base, sign({"AKIDEXAMPLE", "other", ""}, kSuiteScope, kSuiteTime));
  EXPECT_NE(base, sign(kSuiteKeys, {"eu-west-1", "service"}, kSuiteTime));
  EXPECT_NE(base, sign(kSuiteKeys, {"us-east-1", "s3vectors"}, kSuiteTime));
  EXPECT_NE(base, sign(kSuiteKeys, kSuiteScope, kSuiteTime + std::chrono::seconds(1)));
  EXPECT_EQ(base, sign(kSuiteKeys, kSuiteScope, kSuiteTime + std::chrono::milliseconds(999)));
  const std::string body_hash = Sha256Text("body");
  request.payload_hash = body_hash;
  EXPECT_NE(base, sign(kSuiteKeys, kSuiteScope, kSuiteTime));
}

}  // namespace
}  // namespace vecload::auth
