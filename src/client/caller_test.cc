// Goal: what goes out is what the AWS SDKs send, signed by the right clock and keys, and each
// answer becomes the outcome that the loader decides on. Method: a scripted transport and a clock
// that stands still; that the signatures themselves are right is auth's to test.

#include "client/caller.h"

#include <set>

#include <gtest/gtest.h>

#include "client/fake_transport.h"

namespace vecload::client {
namespace {

std::string Header(const FakeTransport::Seen& seen, std::string_view name) {
  return std::string(http::FindHeader(seen.headers, name));
}

TEST(Caller, SendsWhatTheSdksSend) {
  FakeService service;
  service.transport->Answer(200, "{\"x\":1}");
  const Outcome outcome = service.caller->Call("GetIndex", "{\"a\":1}");
  EXPECT_TRUE(outcome.status.ok());
  EXPECT_EQ(outcome.body, "{\"x\":1}");
  ASSERT_EQ(service.transport->seen.size(), 1U);
  const auto& seen = service.transport->seen[0];
  EXPECT_EQ(seen.url, "https://s3vectors.us-east-1.api.aws/GetIndex");
  EXPECT_EQ(seen.body, "{\"a\":1}");
  EXPECT_EQ(Header(seen, "content-type"), "application/json");
  EXPECT_EQ(Header(seen, "host"), "s3vectors.us-east-1.api.aws");
  EXPECT_EQ(Header(seen, "user-agent"), "vecload/0.1.0");
  EXPECT_EQ(Header(seen, "x-amz-date"), "20261124T231500Z");
  EXPECT_EQ(Header(seen, "x-amz-security-token"), "");
  EXPECT_EQ(Header(seen, "amz-sdk-request"), "attempt=1");
  const std::string authorization = Header(seen, "authorization");
  EXPECT_NE(authorization.find("Credential=AKID/20261124/us-east-1/s3vectors/aws4_request"),
            std::string::npos)
      << authorization;
  EXPECT_NE(authorization.find("SignedHeaders=content-type;host;x-amz-date,"), std::string::npos)
      << authorization;
}

TEST(Caller, SignsWithTheTokenOfTemporaryKeys) {
  FakeService service;
  service.credentials->keys =
      std::make_shared<const auth::Credentials>(auth::Credentials{"ASIA", "secret", "token"});
  service.transport->Answer(200, "{}");
  (void)service.caller->Call("GetIndex", "{}");
  const auto& seen = service.transport->seen[0];
  EXPECT_EQ(Header(seen, "x-amz-security-token"), "token");
  EXPECT_NE(Header(seen, "authorization")
                .find("SignedHeaders=content-type;host;x-amz-date;x-amz-security-token,"),
            std::string::npos);
}

TEST(Caller, KeepsTheEndpointsPathAndPort) {
  FakeService service("http://127.0.0.1:9000/prefix");
  service.transport->Answer(200, "{}");
  (void)service.caller->Call("GetIndex", "{}");
  EXPECT_EQ(service.transport->seen[0].url, "http://127.0.0.1:9000/prefix/GetIndex");
  EXPECT_EQ(Header(service.transport->seen[0], "host"), "127.0.0.1:9000");
}

TEST(Caller, EveryCallHasAnIdOfItsOwn) {
  FakeService service;
  std::set<std::string> ids;
  for (int i = 0; i < 100; ++i) {
    service.transport->Answer(200, "{}");
    (void)service.caller->Call("GetIndex", "{}");
    const std::string id = Header(service.transport->seen.back(), "amz-sdk-invocation-id");
    ASSERT_EQ(id.size(), 36U) << id;
    EXPECT_EQ(id[8], '-');
    EXPECT_EQ(id[13], '-');
    EXPECT_EQ(id[14], '4');
    EXPECT_EQ(id[18], '-');
    EXPECT_NE(std::string("89ab").find(id[19]), std::string::npos) << id;
    EXPECT_EQ(id[23], '-');
    ids.insert(id);
  }
  EXPECT_EQ(ids.size(), 100U);
}

TEST(Caller, ARefusalCarriesWhatTheServiceSaid) {
  FakeService service;
  service.transport->Answer(
      400,
      R"({"message":"bad","fieldList":[{"path":"vectors[3].metadata","message":"m"},)"
      R"({"path":"/vectors/1/key","message":"m"}]})",
      {{"x-amzn-ErrorType", "ValidationException"}, {"x-amzn-RequestId", "id-1"}});
  const Outcome outcome = service.caller->Call("PutVectors", "{}", "b/i");
  EXPECT_EQ(outcome.status.code(), Code::kInvalidArgument);
  EXPECT_EQ(outcome.status.message(), "PutVectors \"b/i\": 400 ValidationException: bad");
  ASSERT_NE(outcome.status.service(), nullptr);
  EXPECT_EQ(outcome.status.service()->request_id, "id-1");
  EXPECT_EQ(outcome.named_records, (std::vector<size_t>{1, 3}));
  EXPECT_EQ(outcome.body, "");
}

TEST(Caller, RetryAfterIsReadInBothForms) {
  FakeService service;
  const auto wait = [&](http::Headers headers) {
    service.transport->Refuse(503, "ServiceUnavailableException", std::move(headers));
    return Seconds(service.caller->Call("PutVectors", "{}").retry_after);
  };
  EXPECT_EQ(wait({}), 0);
  EXPECT_EQ(wait({{"Retry-After", "2"}}), 2);
  EXPECT_EQ(wait({{"Retry-After", "0.5"}}), 0.5);
  EXPECT_EQ(wait({{"Retry-After", "-1"}}), 0);
  EXPECT_EQ(wait({{"Retry-After", "1e9"}}), 3600);
  EXPECT_EQ(wait({{"Retry-After", "soon"}}), 0);
  EXPECT_EQ(wait({{"Retry-After", "Tue, 24 Nov 2026 23:15:07 GMT"},
                  {"Date", "Tue, 24 Nov 2026 23:15:00 GMT"}}),
            7);
}

TEST(Caller, ABrokenConnectionNamesTheEndpointAndWhatToDo) {
  FakeService service("http://127.0.0.1:1");
  service.transport->Break("POST http://127.0.0.1:1/GetIndex: connection refused");
  const Outcome outcome = service.caller->Call("GetIndex", "{}", "b/i");
  EXPECT_EQ(outcome.status.code(), Code::kUnavailable);
  EXPECT_EQ(outcome.status.service(), nullptr);
  EXPECT_TRUE(outcome.status.message().starts_with("GetIndex \"b/i\": POST http://127.0.0.1:1"));
  EXPECT_NE(outcome.status.message().find("--endpoint-url"), std::string::npos);
}

TEST(Caller, WhatIsNoJsonIsNoAcknowledgement) {
  FakeService service;
  const auto status = [&](std::string body) {
    service.transport->Answer(200, std::move(body));
    return service.caller->Call("PutVectors", "{}", "b/i").status;
  };
  for (const std::string body :
       {"<html>log in</html>", "{\"a\":", "{", "}", "[]", "null", " ", "{}x", "x{}"}) {
    const Status refused = status(body);
    EXPECT_EQ(refused.code(), Code::kUnavailable) << body;
    EXPECT_EQ(refused.service(), nullptr) << body;
    EXPECT_NE(refused.message().find("PutVectors \"b/i\": the reply is no JSON"),
              std::string::npos);
  }
  for (const std::string body : {"", "{}", " {\n}\r\n", "{\"a\":1}"}) {
    EXPECT_TRUE(status(body).ok()) << body;
  }
}

TEST(Caller, AClockThatIsOffIsMendedForTheNextCall) {
  // How services say it: by name, or as a wrong signature.
  for (const std::string code :
       {"RequestTimeTooSkewed", "RequestExpired", "InvalidSignatureException"}) {
    FakeService service;
    service.transport->Refuse(403, code, {{"Date", "Wed, 25 Nov 2026 01:15:00 GMT"}});
    service.transport->Answer(200, "{}");
    const Outcome outcome = service.caller->Call("GetIndex", "{}");
    EXPECT_EQ(outcome.status.code(), Code::kDenied) << code;
    EXPECT_NE(outcome.status.message().find("by 7200 s"), std::string::npos)
        << outcome.status.message();
    EXPECT_TRUE(service.caller->Call("GetIndex", "{}").status.ok());
    EXPECT_EQ(Header(service.transport->seen[0], "x-amz-date"), "20261124T231500Z");
    EXPECT_EQ(Header(service.transport->seen[1], "x-amz-date"), "20261125T011500Z");
  }
}

// The wall clock is for signatures only: whatever it does, times taken are the monotonic clock's.
TEST(Caller, AWallClockThatJumpsHarmsNothing) {
  struct Slow final : http::Transport {
    void Send(http::Request request, Done done) override {
      headers = std::move(request.headers);
      meanwhile();
      done(http::Reply{200, {}, "{}"});
    }
    http::Headers headers;
    std::function<void()> meanwhile;
  };
  const auto transport = std::make_shared<Slow>();
  FakeService service;
  Caller caller({.endpoint_url = "https://x",
                 .region = "us-east-1",
                 .credentials = service.credentials,
                 .transport = transport,
                 .clock = &service.clock});
  const WallTime begin = service.clock.WallNow();
  for (const auto jump : {std::chrono::hours(-48), std::chrono::hours(30), std::chrono::hours(-1),
                          std::chrono::hours(24 * 365)}) {
    transport->meanwhile = [&] {
      service.clock.Advance(std::chrono::seconds(2));
      service.clock.SetWall(begin + jump);
    };
    const Outcome outcome = caller.Call("PutVectors", "{}");
    EXPECT_TRUE(outcome.status.ok());
    EXPECT_EQ(Seconds(outcome.latency), 2);
  }
  transport->meanwhile = [] {};
  service.clock.SetWall(begin - std::chrono::hours(48));
  (void)caller.Call("PutVectors", "{}");
  EXPECT_EQ(http::FindHeader(transport->headers, "x-amz-date"), "20261122T231500Z");
}

TEST(Caller, AnOffsetThatWasLearnedIsLearnedAnewWhenTheClockIsSet) {
  FakeService service;
  const WallTime true_time = service.clock.WallNow();
  service.clock.SetWall(true_time - std::chrono::hours(2));  // it is slow ...
  service.transport->Refuse(403, "RequestTimeTooSkewed",
                            {{"Date", "Tue, 24 Nov 2026 23:15:00 GMT"}});
  service.transport->Answer(200, "{}");
  EXPECT_FALSE(service.caller->Call("PutVectors", "{}").status.ok());
  EXPECT_TRUE(service.caller->Call("PutVectors", "{}").status.ok());
  service.clock.SetWall(true_time);  // ... and somebody sets it
  service.transport->Refuse(403, "RequestTimeTooSkewed",
                            {{"Date", "Tue, 24 Nov 2026 23:15:00 GMT"}});
  service.transport->Answer(200, "{}");
  EXPECT_FALSE(service.caller->Call("PutVectors", "{}").status.ok());
  EXPECT_TRUE(service.caller->Call("PutVectors", "{}").status.ok());
  EXPECT_EQ(Header(service.transport->seen[1], "x-amz-date"), "20261124T231500Z");
  EXPECT_EQ(Header(service.transport->seen[2], "x-amz-date"), "20261125T011500Z");
  EXPECT_EQ(Header(service.transport->seen[3], "x-amz-date"), "20261124T231500Z");
}

TEST(Caller, AWrongSignatureAtTheRightTimeIsNotTheClock) {
  FakeService service;
  service.transport->Refuse(403, "InvalidSignatureException",
                            {{"Date", "Tue, 24 Nov 2026 23:15:30 GMT"}});
  const Outcome outcome = service.caller->Call("GetIndex", "{}");
  EXPECT_EQ(outcome.status.service()->aws_code, "InvalidSignatureException");
  service.transport->Answer(200, "{}");
  (void)service.caller->Call("GetIndex", "{}");
  EXPECT_EQ(Header(service.transport->seen[1], "x-amz-date"), "20261124T231500Z");
}

TEST(Caller, TheSecretIsInNoOutcome) {
  FakeService service;
  service.credentials->keys = std::make_shared<const auth::Credentials>(
      auth::Credentials{"AKID", "very-secret", "very-token"});
  service.transport->Refuse(403, "SignatureDoesNotMatch");
  service.transport->Break("broken");
  for (int i = 0; i < 2; ++i) {
    const Outcome outcome = service.caller->Call("GetIndex", "{}");
    EXPECT_EQ(outcome.status.message().find("very-"), std::string::npos);
  }
  for (const auto& [name, value] : service.transport->seen[0].headers) {
    EXPECT_EQ(value.find("very-secret"), std::string::npos) << name;
  }
}

TEST(Caller, AnAnswerMayComeAfterTheCallerIsGone) {
  struct Holding final : http::Transport {
    void Send(http::Request, Done done) override { held = std::move(done); }
    Done held;
  };
  const auto transport = std::make_shared<Holding>();
  FakeService service;
  auto caller = std::make_shared<Caller>(Caller::Parts{.endpoint_url = "https://x",
                                                       .region = "us-east-1",
                                                       .credentials = service.credentials,
                                                       .transport = transport,
                                                       .clock = &service.clock});
  Outcome outcome;
  caller->Start("GetIndex", "{}", auth::Sha256Hex("{}"), nullptr,
                [&](Outcome answered) { outcome = std::move(answered); });
  caller.reset();
  service.clock.Advance(std::chrono::seconds(3));
  transport->held(http::Reply{503, {}, ""});
  EXPECT_EQ(outcome.status.code(), Code::kUnavailable);
  EXPECT_EQ(Seconds(outcome.latency), 3);
}

TEST(Caller, RegionsGiveTheirEndpoint) {
  EXPECT_EQ(*DefaultEndpoint("eu-central-1"), "https://s3vectors.eu-central-1.api.aws");
  EXPECT_EQ(*DefaultEndpoint("cn-north-1"),
            "https://s3vectors.cn-north-1.api.amazonwebservices.com.cn");
  for (const std::string region : {"", "evil.example/", "us east", "US-EAST-1", "a@b"}) {
    EXPECT_FALSE(DefaultEndpoint(region).ok()) << region;
  }
}

TEST(Caller, HttpDates) {
  const auto seconds = [](std::string_view text) {
    return Seconds((*ParseHttpDate(text)).time_since_epoch());
  };
  EXPECT_EQ(seconds("Thu, 01 Jan 1970 00:00:00 GMT"), 0);
  EXPECT_EQ(seconds("Tue, 24 Nov 2026 23:15:00 GMT"), 1'795'562'100);
  EXPECT_EQ(seconds("Thu, 29 Feb 2024 12:00:01 GMT"), 1'709'208'001);
  for (const std::string text :
       {"", "now", "Tue, 24 Nov 2026 23:15:00 UTC", "Tue, 24 Foo 2026 23:15:00 GMT",
        "Tue, 31 Feb 2026 23:15:00 GMT", "Tue, 24 Nov 2026 24:15:00 GMT",
        "Tue, 2x Nov 2026 23:15:00 GMT", "Tuesday, 24-Nov-26 23:15:00 GMT",
        "Tue, 24 Nov 9999 23:15:00 GMT"}) {
    EXPECT_FALSE(ParseHttpDate(text).ok()) << text;
  }
}

}  // namespace
}  // namespace vecload::client
