#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "auth/credentials.h"
#include "client/caller.h"
#include "http/transport.h"

// For tests: a service that answers what the test wrote down beforehand.
namespace vecload::client {

// Keeps every request and gives the scripted answers in turn, on the calling thread.
class FakeTransport final : public http::Transport {
 public:
  struct Seen {
    std::string url;
    http::Headers headers;
    std::string body;
  };

  void Send(http::Request request, Done done) override { done(Next(request)); }

  void Answer(int status, std::string body, http::Headers headers = {}) {
    answers.emplace_back(http::Reply{status, std::move(headers), std::move(body)});
  }
  void Refuse(int status, const std::string& aws_code, http::Headers headers = {}) {
    headers.emplace_back("x-amzn-ErrorType", aws_code);
    Answer(status, R"({"message":"said the service"})", std::move(headers));
  }
  void Break(std::string message) { answers.emplace_back(Status::Unavailable(std::move(message))); }

  std::deque<Result<http::Reply>> answers;
  std::vector<Seen> seen;

 private:
  Result<http::Reply> Next(const http::Request& request) {
    const std::lock_guard lock(mutex_);
    seen.push_back({request.url, request.headers, std::string(request.body)});
    if (answers.empty()) return Status::Internal("the test wrote down no answer to this request");
    auto answer = std::move(answers.front());
    answers.pop_front();
    return answer;
  }

  std::mutex mutex_;
};

class FakeCredentials final : public auth::CredentialProvider {
 public:
  [[nodiscard]] std::shared_ptr<const auth::Credentials> Current() const override { return keys; }
  Status Refresh() override {
    ++refreshes;
    if (!refresh_status.ok()) return refresh_status;
    keys = std::make_shared<const auth::Credentials>(
        auth::Credentials{"AKIDNEW", "secret-new", "token-new"});
    return Status::Ok();
  }

  std::shared_ptr<const auth::Credentials> keys =
      std::make_shared<const auth::Credentials>(auth::Credentials{"AKID", "secret", ""});
  int refreshes = 0;
  Status refresh_status;
};

// A Caller and a Client on the fakes; waiting moves the clock instead of the hands.
struct FakeService {
  explicit FakeService(const std::string& endpoint_url = "https://s3vectors.us-east-1.api.aws") {
    // 2026-11-24 23:15:00 UTC
    clock.SetWall(WallTime(std::chrono::seconds(1'795'562'100)));
    caller = std::make_shared<Caller>(Caller::Parts{.endpoint_url = endpoint_url,
                                                    .region = "us-east-1",
                                                    .credentials = credentials,
                                                    .transport = transport,
                                                    .clock = &clock});
    client = MakeClient(caller, {.sleep =
                                     [this](Duration wait) {
                                       waits.push_back(wait);
                                       clock.Advance(wait);
                                     },
                                 .seed = 1});
  }

  ManualClock clock;
  std::shared_ptr<FakeTransport> transport = std::make_shared<FakeTransport>();
  std::shared_ptr<FakeCredentials> credentials = std::make_shared<FakeCredentials>();
  std::shared_ptr<Caller> caller;
  std::unique_ptr<Client> client;
  std::vector<Duration> waits;
};

}  // namespace vecload::client
