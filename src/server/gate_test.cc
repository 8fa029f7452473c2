// Goal: who is not known, and what comes from web pages, gets no further than the gate; the control
// requests read and change the running server; everything is counted. Method: requests without a
// socket, on a store in a temporary folder, signed by auth::Sign; time stands still.

#include "server/gate.h"

#include <cstdlib>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "auth/sigv4.h"
#include "base/testing_folder.h"

namespace vecload::server {
namespace {

using testing::HasSubstr;
using testing::Not;

class GateTest : public testing::Test {
 protected:
  GateTest() {
    clock_.SetWall(WallTime(std::chrono::seconds(1'700'000'000)));
    auto store = store::Store::Open(folder_, clock_);
    EXPECT_TRUE(store.ok()) << store.status().ToString();
    store_ = *std::move(store);
  }

  std::unique_ptr<Gate> Open(Gate::Options options) {
    auto throttle = std::make_shared<Throttle>(
        Throttle::Limits{options.model.rate_vectors_per_s, options.model.rate_requests_per_s},
        clock_);
    return std::make_unique<Gate>(Service({"us-east-1", store_, throttle}), std::move(options));
  }

  static std::string Ask(Gate* gate, const std::string& method, const std::string& target,
                         std::string body = "{}", http::Headers headers = {}) {
    const http::ServerReply reply =
        gate->Handle({method, target, std::move(headers), std::move(body)});
    return std::to_string(reply.reply.status) + " " + reply.reply.body;
  }

  static void MakeIndex(Gate* gate) {
    EXPECT_THAT(Ask(gate, "POST", "/CreateVectorBucket", R"({"vectorBucketName":"bucket"})"),
                HasSubstr("200 "));
    EXPECT_THAT(Ask(gate, "POST", "/CreateIndex",
                    R"({"vectorBucketName":"bucket","indexName":"index","dataType":"float32",)"
                    R"("dimension":2,"distanceMetric":"cosine"})"),
                HasSubstr("200 "));
  }
  static std::string Put(Gate* gate) {
    return Ask(gate, "POST", "/PutVectors",
               R"({"vectorBucketName":"bucket","indexName":"index",)"
               R"("vectors":[{"key":"k","data":{"float32":[1,2]}}]})");
  }

  ManualClock clock_;
  TestingFolder temporary_;
  std::string folder_ = temporary_.path();
  std::shared_ptr<store::Store> store_;
};

TEST_F(GateTest, WithKeysOnlySignedRequestsPass) {
  const auth::Credentials known = {"AKIDKNOWN", "the-secret", ""};
  auth::KeyRing keys;
  ASSERT_TRUE(keys.Add(known).ok());
  Gate::Options options;
  options.control = true;
  options.verifier = std::make_unique<const auth::Verifier>(
      std::move(keys), auth::SigningScope{"us-east-1"}, clock_);
  const auto gate = Open(std::move(options));
  for (const std::string target : {"/ListVectorBuckets", "/_vecload/reset", "/nothing"}) {
    EXPECT_THAT(Ask(gate.get(), "POST", target), HasSubstr("403 ")) << target;
    auth::SigningRequest request{"POST", target, {}, {{"Host", "h"}}, {}};
    const auth::PayloadHash hash = auth::Sha256Hex("{}");
    request.payload_hash = {hash.data(), hash.size()};
    http::Headers headers = auth::Sign(request, known, {"us-east-1"}, clock_.WallNow());
    headers.emplace_back("Host", "h");
    EXPECT_THAT(Ask(gate.get(), "POST", target, "{}", headers), Not(HasSubstr("403 "))) << target;
    EXPECT_THAT(Ask(gate.get(), "POST", target, "{ }", headers), HasSubstr("403 ")) << target;
  }
}

TEST_F(GateTest, ControlIsThereOnlyWhenAskedForAndNotForWebPages) {
  const auto closed = Open({});
  EXPECT_THAT(Ask(closed.get(), "GET", "/_vecload/counters"), HasSubstr("404 "));
  Gate::Options options;
  options.control = true;
  const auto gate = Open(std::move(options));
  EXPECT_THAT(Ask(gate.get(), "GET", "/_vecload/counters"), HasSubstr("200 {"));
  EXPECT_THAT(Ask(gate.get(), "POST", "/_vecload/reset", "", {{"origin", "http://evil.example"}}),
              HasSubstr("403 "));
  for (const std::string target : {"/_vecload/", "/_vecload/other", "/_vecload/counters/x"}) {
    EXPECT_THAT(Ask(gate.get(), "GET", target), HasSubstr("404 ")) << target;
  }
  EXPECT_THAT(Ask(gate.get(), "GET", "/_vecload/reset"), HasSubstr("404 "));
}

TEST_F(GateTest, ResetForgetsEverythingButTheModel) {
  Gate::Options options;
  options.control = true;
  options.model.rate_requests_per_s = 1;
  const auto gate = Open(std::move(options));
  MakeIndex(gate.get());
  EXPECT_THAT(Put(gate.get()), HasSubstr("200 "));
  EXPECT_THAT(Put(gate.get()), HasSubstr("429 "));
  EXPECT_EQ(Ask(gate.get(), "POST", "/_vecload/reset", ""), "200 {}");
  EXPECT_THAT(Ask(gate.get(), "GET", "/_vecload/counters"), HasSubstr(R"("requests":{},)"));
  EXPECT_EQ(Ask(gate.get(), "POST", "/ListVectorBuckets"), R"(200 {"vectorBuckets":[]})");
  MakeIndex(gate.get());
  EXPECT_THAT(Put(gate.get()), HasSubstr("200 ")) << "the index has its burst again";
  EXPECT_THAT(Put(gate.get()), HasSubstr("429 ")) << "the limit is still there";
}

TEST_F(GateTest, TheModelIsReadAndChangedWhileRunning) {
  Gate::Options options;
  options.control = true;
  options.faults.seed = 3;
  options.faults.slow = 0.25;
  const auto gate = Open(std::move(options));
  MakeIndex(gate.get());
  const auto put_model = [&](const std::string& body) {
    return Ask(gate.get(), "PUT", "/_vecload/model", body);
  };
  EXPECT_EQ(Ask(gate.get(), "GET", "/_vecload/model"),
            R"(200 {"rate_vectors_per_s":0,"rate_requests_per_s":0,"burst_s":1,"latency_ms":0,)"
            R"("latency_ms_per_mb":0,"latency_spread":0,"faults":"seed=3,slow=0.25"})");
  EXPECT_EQ(put_model(R"({"latency_ms":5,"model":"aws","faults":"seed=1,http503=1"})"),
            R"(200 {"rate_vectors_per_s":2500,"rate_requests_per_s":1000,"burst_s":15,)"
            R"("latency_ms":5,"latency_ms_per_mb":512.7,"latency_spread":0.339,)"
            R"("faults":"seed=1,http503=1"})");
  EXPECT_THAT(Put(gate.get()), HasSubstr("503 "));
  EXPECT_THAT(put_model(R"({"faults":"","rate_requests_per_s":1,"burst_s":1})"),
              HasSubstr(R"("faults":""})"));
  EXPECT_THAT(Put(gate.get()), HasSubstr("200 "));
  EXPECT_THAT(Put(gate.get()), HasSubstr("429 "));
  put_model(R"({"latency_ms":9})");
  EXPECT_THAT(Put(gate.get()), HasSubstr("429 ")) << "what is not named stays, burst and all";
  EXPECT_THAT(put_model(R"({"model":"none"})"), HasSubstr(R"("rate_requests_per_s":0)"));
  EXPECT_THAT(Put(gate.get()), HasSubstr("200 "));
}

TEST_F(GateTest, AModelThatCannotBeChangesNothing) {
  Gate::Options options;
  options.control = true;
  const auto gate = Open(std::move(options));
  const std::string before = Ask(gate.get(), "GET", "/_vecload/model");
  const std::pair<std::string, std::string> cases[] = {
      {R"({"latency_ms":1,"burst_s":-1})", "burst_s must be"},
      {R"({"latency_ms":1,"rate":5})", "no member \\\"rate\\\""},
      {R"({"latency_ms":"1"})", "latency_ms must be a number"},
      {R"({"latency_ms":1,"faults":"cut=2"})", "probability"},
      {R"({"latency_ms":1,"faults":2})", "faults must be"},
      {R"({"latency_ms":1,"model":"gcp"})", "model must be"},
      {R"({"latency_ms":[1]})", "message"},
      {R"({"latency_ms":1)", "message"},
  };
  for (const auto& [body, words] : cases) {
    const std::string answer = Ask(gate.get(), "PUT", "/_vecload/model", body);
    EXPECT_THAT(answer, HasSubstr("400 ")) << body;
    EXPECT_THAT(answer, HasSubstr(words)) << body;
    EXPECT_EQ(Ask(gate.get(), "GET", "/_vecload/model"), before) << body;
  }
}

TEST_F(GateTest, CountsWhatWasAskedAndAnswered) {
  Gate::Options options;
  options.control = true;
  options.model.rate_requests_per_s = 1;
  const auto gate = Open(std::move(options));
  MakeIndex(gate.get());
  Put(gate.get());
  Put(gate.get());
  Ask(gate.get(), "POST", "/Nothing");
  Ask(gate.get(), "PUT", "/_vecload/model", R"({"faults":"seed=1,cut=1"})");
  Put(gate.get());
  const std::string counters = Ask(gate.get(), "GET", "/_vecload/counters");
  EXPECT_THAT(counters, HasSubstr(R"("CreateIndex":1,"CreateVectorBucket":1,"PutVectors":3,)"
                                  R"("unknown":1})"));
  EXPECT_THAT(counters, HasSubstr(R"("throttled":2,"refused":0,)"));
  EXPECT_THAT(counters, HasSubstr(R"("cut":1,)"));
  EXPECT_THAT(counters, HasSubstr(R"("slow":0)"));
  EXPECT_THAT(counters, Not(HasSubstr(R"("bytes_received":0)")));
}

}  // namespace
}  // namespace vecload::server
