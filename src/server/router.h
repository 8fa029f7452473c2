#pragma once

#include <string>

#include "base/clock.h"
#include "http/server.h"
#include "server/service.h"
#include "wire/errors.h"

namespace vecload::server {

// Takes an HTTP request to its operation and makes the HTTP reply of what that answers.
// Thread-safe.
class Router {
 public:
  // `latency` is added to the answers of PutVectors, DeleteVectors and QueryVectors.
  Router(Service service, Duration latency) : service_(std::move(service)), latency_(latency) {}

  http::ServerReply Handle(http::ServerRequest&& request) const;

  // A reply that says `error`, with a request id of its own.
  static http::Reply ErrorReply(const wire::WireError& error);

 private:
  const Service service_;
  const Duration latency_;
};

}  // namespace vecload::server
