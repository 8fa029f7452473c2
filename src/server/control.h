#pragma once

#include <memory>
#include <mutex>
#include <string_view>

#include "http/server.h"
#include "server/counters.h"
#include "server/faults.h"
#include "server/latency.h"
#include "server/service.h"
#include "vecload/server.h"

namespace vecload::server {

// /_vecload/...: the way to turn the running server's knobs, for tests of what runs against it.
// docs/reference/local-server.md says what each request does. Thread-safe.
class Control {
 public:
  struct Parts {
    Service service;
    std::shared_ptr<Latency> latency;
    std::shared_ptr<Faults> faults;
    std::shared_ptr<Counters> counters;
  };
  Control(Parts parts, const ServiceModel& model) : parts_(std::move(parts)), model_(model) {}

  static bool IsControl(const http::ServerRequest& request);
  http::ServerReply Handle(const http::ServerRequest& request);

 private:
  Answer Reset();
  Answer ChangeModel(std::string_view body);
  [[nodiscard]] std::string ModelLocked() const;
  [[nodiscard]] std::string CountersText() const;
  Status DeleteEverything();

  const Parts parts_;
  std::mutex mutex_;
  ServiceModel model_;
};

}  // namespace vecload::server
