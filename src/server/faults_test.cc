// Goal: made-up failures come as often as asked, the same ones from the same seed, strike requests
// of vectors only, and fall on the right side of the operation's effect. Method: an operation that
// counts its calls stands in for the server; no socket.

#include "server/faults.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vecload::server {
namespace {

using testing::HasSubstr;

http::ServerRequest Put() { return {.method = "POST", .target = "/PutVectors"}; }

// Asks once, with one fault certain; tells whether the operation ran.
struct Asked {
  http::ServerReply reply;
  int effects = 0;
};
Asked AskWith(const std::string& spec, http::ServerRequest request = Put()) {
  Asked asked;
  Faults faults(*ServerFaults::Parse(spec));
  asked.reply = faults.Answer(std::move(request), [&](http::ServerRequest&&) {
    ++asked.effects;
    return http::ServerReply{{200, {}, "{}"}, std::chrono::milliseconds(1)};
  });
  return asked;
}

std::string AwsCode(const http::ServerReply& reply) {
  return std::string(http::FindHeader(reply.reply.headers, "x-amzn-ErrorType"));
}

TEST(ServerFaults, AreReadFromTheirSpec) {
  const auto faults = ServerFaults::Parse(
      "seed=18446744073709551615,http503=0.01,http429=0.02,http500=0.03,reset=0.04,cut=0.05,"
      "slow=1e-1,lost=0");
  ASSERT_TRUE(faults.ok()) << faults.status().ToString();
  EXPECT_EQ(faults->seed, UINT64_MAX);
  EXPECT_EQ(faults->http503, 0.01);
  EXPECT_EQ(faults->http429, 0.02);
  EXPECT_EQ(faults->http500, 0.03);
  EXPECT_EQ(faults->reset, 0.04);
  EXPECT_EQ(faults->cut, 0.05);
  EXPECT_EQ(faults->slow, 0.1);
  EXPECT_EQ(faults->lost, 0);
  EXPECT_TRUE(
      ServerFaults::Parse("http503=0.1,http429=0.2,http500=0.3,reset=0.2,cut=0.1,slow=0.1").ok())
      << "1, but for rounding";
}

TEST(ServerFaults, ABadItemIsNamed) {
  const std::map<std::string, std::string> bad = {
      {"", "\"\": write it like"},
      {"reset", "\"reset\": write it like"},
      {"reset=", "\"reset=\": a probability"},
      {"=0.1", "\"=0.1\": write it like"},
      {"seed=1,", "\"\": write it like"},
      {"seed=1,,cut=0.1", "\"\": write it like"},
      {"cut=0.1,http404=0.1", "\"http404=0.1\": there is no such fault"},
      {"cut=1.5", "\"cut=1.5\": a probability"},
      {"cut=-0.1", "\"cut=-0.1\": a probability"},
      {"cut=nan", "\"cut=nan\": a probability"},
      {"cut=0.1x", "\"cut=0.1x\": a probability"},
      {"cut= 0.1", "\"cut= 0.1\": a probability"},
      {"seed=-1", "\"seed=-1\": seed must be"},
      {"seed=0.5", "\"seed=0.5\": seed must be"},
      {"cut=0.1,lost=0.1,cut=0.2", "\"cut=0.2\": given twice"},
      {"cut=0.6,lost=0.6", "add up to more than 1"},
  };
  for (const auto& [spec, words] : bad) {
    const auto faults = ServerFaults::Parse(spec);
    EXPECT_EQ(faults.status().code(), Code::kInvalidArgument) << spec;
    EXPECT_THAT(faults.status().message(), HasSubstr(words)) << spec;
  }
}

TEST(FaultOf, ComesAsOftenAsAsked) {
  const ServerFaults plan = *ServerFaults::Parse(
      "seed=7,http503=0.01,http429=0.02,http500=0.03,reset=0.04,cut=0.05,slow=0.06,lost=0.07");
  constexpr int kRequests = 200'000;
  std::map<Fault, int> counts;
  for (uint64_t number = 0; number < kRequests; ++number) ++counts[FaultOf(plan, number)];
  const auto share = [&](Fault fault) { return static_cast<double>(counts[fault]) / kRequests; };
  EXPECT_NEAR(share(Fault::kHttp503), 0.01, 0.002);
  EXPECT_NEAR(share(Fault::kHttp429), 0.02, 0.002);
  EXPECT_NEAR(share(Fault::kHttp500), 0.03, 0.002);
  EXPECT_NEAR(share(Fault::kReset), 0.04, 0.002);
  EXPECT_NEAR(share(Fault::kCut), 0.05, 0.002);
  EXPECT_NEAR(share(Fault::kSlow), 0.06, 0.002);
  EXPECT_NEAR(share(Fault::kLost), 0.07, 0.002);
}

TEST(FaultOf, IsDecidedByTheSeedAlone) {
  const auto fates = [](const std::string& seed) {
    const ServerFaults plan = *ServerFaults::Parse("seed=" + seed + ",http503=0.5");
    std::vector<Fault> found;
    for (uint64_t number = 0; number < 1000; ++number) found.push_back(FaultOf(plan, number));
    return found;
  };
  const std::vector<Fault> first = fates("1");
  EXPECT_EQ(fates("1"), first);
  const std::vector<Fault> second = fates("2");
  int equal = 0;
  for (size_t i = 0; i < first.size(); ++i) equal += first[i] == second[i] ? 1 : 0;
  EXPECT_NEAR(equal, 500, 100) << "another seed, other fates";
  EXPECT_FALSE(std::equal(first.begin() + 1, first.end(), second.begin())) << "nor shifted ones";
}

TEST(Faults, RefusalsAndResetsComeBeforeTheEffect) {
  const std::map<std::string, std::pair<int, std::string>> refusals = {
      {"http503=1", {503, "ServiceUnavailableException"}},
      {"http429=1", {429, "TooManyRequestsException"}},
      {"http500=1", {500, "InternalServerException"}}};
  for (const auto& [spec, expected] : refusals) {
    const Asked asked = AskWith(spec);
    EXPECT_EQ(asked.effects, 0) << spec;
    EXPECT_EQ(asked.reply.reply.status, expected.first);
    EXPECT_EQ(AwsCode(asked.reply), expected.second);
    EXPECT_EQ(asked.reply.delivery, http::Delivery::kWhole);
  }
  const Asked reset = AskWith("reset=1");
  EXPECT_EQ(reset.effects, 0);
  EXPECT_EQ(reset.reply.delivery, http::Delivery::kReset);
}

TEST(Faults, CutLostAndSlowAnswersComeAfterIt) {
  const Asked cut = AskWith("cut=1");
  EXPECT_EQ(cut.effects, 1);
  EXPECT_EQ(cut.reply.delivery, http::Delivery::kCutShort);
  EXPECT_EQ(cut.reply.reply.status, 200);
  const Asked lost = AskWith("lost=1");
  EXPECT_EQ(lost.effects, 1);
  EXPECT_EQ(lost.reply.delivery, http::Delivery::kReset);
  const Asked slow = AskWith("slow=1");
  EXPECT_EQ(slow.effects, 1);
  EXPECT_EQ(slow.reply.delivery, http::Delivery::kWhole);
  EXPECT_EQ(slow.reply.delay, Faults::kSlow + std::chrono::milliseconds(1));
}

TEST(Faults, StrikeRequestsOfVectorsOnly) {
  for (const char* target : {"/PutVectors", "/GetVectors", "/ListVectors", "/QueryVectors",
                             "/DeleteVectors", "/PutVectors?x=1"}) {
    EXPECT_EQ(AskWith("http500=1", {.method = "POST", .target = target}).effects, 0) << target;
  }
  for (const char* target : {"/CreateIndex", "/GetIndex", "/ListIndexes", "/DeleteVectorBucket",
                             "/PutVectorBucketPolicy", "/", "", "PutVectors"}) {
    EXPECT_EQ(AskWith("http500=1", {.method = "POST", .target = target}).effects, 1) << target;
  }
}

TEST(Faults, RequestsAreNumberedAsTheyCome) {
  const ServerFaults plan = *ServerFaults::Parse("seed=3,http500=0.5");
  Faults faults(plan);
  const auto answerer = [](http::ServerRequest&&) { return http::ServerReply{{200, {}, "{}"}}; };
  for (uint64_t number = 0; number < 100; ++number) {
    (void)faults.Answer({.method = "POST", .target = "/GetIndex"}, answerer);  // is not counted
    const bool failed = faults.Answer(Put(), answerer).reply.status == 500;
    EXPECT_EQ(failed, FaultOf(plan, number) == Fault::kHttp500) << number;
  }
}

}  // namespace
}  // namespace vecload::server
