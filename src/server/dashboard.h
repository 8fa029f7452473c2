#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "http/server.h"
#include "observe/event_hub.h"
#include "server/counters.h"
#include "server/service.h"

namespace vecload::server {

// /_dashboard: the page of the server, what it shows, and its query box. Looks at the server only
// while somebody watches. Thread-safe.
class Dashboard {
 public:
  struct Parts {
    Service service;
    std::shared_ptr<const Counters> counters;
    std::string host;  // where the server listens
    std::string region;
    bool keys_required = false;  // then a token is, too
  };
  explicit Dashboard(Parts parts);
  ~Dashboard();
  Dashboard(const Dashboard&) = delete;
  Dashboard& operator=(const Dashboard&) = delete;

  static bool IsDashboard(const http::ServerRequest& request);
  http::ServerReply Handle(const http::ServerRequest& request);
  // Of the page, with the token where one is needed.
  [[nodiscard]] std::string path() const;

 private:
  [[nodiscard]] bool HasToken(const http::ServerRequest& request) const;
  http::ServerReply Query(const http::ServerRequest& request) const;
  void Watch();  // the thread
  std::string ServerEvent();
  void CountVectors(const std::vector<IndexInfo>& indexes);

  const Parts parts_;
  const std::string token_;  // empty: none is needed
  const TimePoint started_ = Clock::System().Now();
  observe::EventHub hub_;

  // The thread's own.
  std::map<std::string, uint64_t> vectors_;  // by "BUCKET/INDEX", as far as they are counted
  std::string counted_last_;                 // where the counting goes on

  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace vecload::server
