#pragma once

#include <memory>
#include <optional>

#include "auth/verify.h"
#include "http/server.h"
#include "server/control.h"
#include "server/counters.h"
#include "server/faults.h"
#include "server/router.h"
#include "server/service.h"

namespace vecload::server {

// What every request passes before and after its operation: signature, control, counters, made-up
// failures. Thread-safe.
class Gate {
 public:
  struct Options {
    ServiceModel model;
    ServerFaults faults;
    std::unique_ptr<const auth::Verifier> verifier;  // nullptr: nobody is asked who they are
    bool control = false;                            // answers /_vecload/...
  };
  Gate(const Service& service, Options options);

  http::ServerReply Handle(http::ServerRequest&& request);
  [[nodiscard]] std::shared_ptr<const Counters> counters() const { return counters_; }

 private:
  http::ServerReply Operate(http::ServerRequest&& request);

  const std::unique_ptr<const auth::Verifier> verifier_;
  const std::shared_ptr<Latency> latency_;
  const std::shared_ptr<Faults> faults_;
  const std::shared_ptr<Counters> counters_;
  const Router router_;
  std::optional<Control> control_;
};

}  // namespace vecload::server
