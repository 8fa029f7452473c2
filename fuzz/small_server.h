#pragma once

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/testing_folder.h"
#include "server/latency.h"
#include "server/router.h"
#include "server/service.h"
#include "sqlite/testing_vfs.h"
#include "store/store.h"
#include "wire/messages.h"

namespace vecload::fuzz {

// All of the server but its sockets, over a disk in memory: bucket/index with 250 vectors of two
// dimensions. Anything that may have changed it makes it anew, so that one input is enough to see a
// fault again.
class SmallServer {
 public:
  SmallServer() { Start(); }
  SmallServer(const SmallServer&) = delete;
  SmallServer& operator=(const SmallServer&) = delete;

  // The answer, which must be JSON, and no server error whatever was asked.
  http::Reply Ask(std::string method, std::string target, std::string body) {
    const bool reads = target.starts_with("/Get") || target.starts_with("/List") ||
                       target.starts_with("/Query") || method == "GET";
    http::Reply reply = Send(std::move(method), std::move(target), std::move(body));
    CHECK(reply.status == 200 || (reply.status >= 400 && reply.status < 500));
    CHECK(reply.body.empty() || wire::IsJsonObject(reply.body));
    if (reply.status == 200 && !reads) Start();
    return reply;
  }

 private:
  http::Reply Send(std::string method, std::string target, std::string body) {
    return router_
        ->Handle(
            {.method = std::move(method), .target = std::move(target), .body = std::move(body)})
        .reply;
  }

  void Start() {
    router_.reset();
    disk_ = std::make_unique<sqlite::TestingVfs>("fuzz");
    std::filesystem::remove_all(folder_);
    auto store = store::Store::Open(folder_, Clock::System(), {}, {.vfs = disk_->name()});
    CHECK(store.ok());
    auto throttle = std::make_shared<server::Throttle>(server::Throttle::Limits(), Clock::System());
    router_ = std::make_unique<server::Router>(
        server::Service({"us-east-1", *std::move(store), std::move(throttle)}),
        std::make_shared<server::Latency>(ServiceModel()));
    const auto must = [&](const char* target, const std::string& body) {
      CHECK(Send("POST", target, body).status == 200);
    };
    must("/CreateVectorBucket", R"({"vectorBucketName":"bucket"})");
    must("/CreateIndex",
         R"({"vectorBucketName":"bucket","indexName":"index","dataType":"float32","dimension":2,)"
         R"("distanceMetric":"euclidean",)"
         R"("metadataConfiguration":{"nonFilterableMetadataKeys":["note"]}})");
    std::string vectors;
    for (int i = 0; i < 250; ++i) {
      vectors += fmt::format(R"({}{{"key":"k{}","data":{{"float32":[{},1]}},)"
                             R"("metadata":{{"n":{},"tags":["a","b"],"note":"x"}}}})",
                             i == 0 ? "" : ",", i, i, i);
    }
    must("/PutVectors",
         R"({"vectorBucketName":"bucket","indexName":"index","vectors":[)" + vectors + "]}");
  }

  TestingFolder temporary_;
  std::string folder_ = temporary_.path();
  std::unique_ptr<sqlite::TestingVfs> disk_;
  std::unique_ptr<server::Router> router_;  // closed before the disk goes
};

}  // namespace vecload::fuzz
