#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "http/server.h"
#include "server/latency.h"
#include "server/service.h"
#include "wire/errors.h"

namespace vecload::server {

// Takes an HTTP request to its operation and makes the HTTP reply of what that answers.
// Thread-safe.
class Router {
 public:
  // `latency` holds back the answers of PutVectors, DeleteVectors and QueryVectors.
  Router(Service service, std::shared_ptr<Latency> latency)
      : service_(std::move(service)), latency_(std::move(latency)) {}

  http::ServerReply Handle(http::ServerRequest&& request) const;

  // The operation that the request asks for, by its name; empty where there is none.
  static std::string_view OperationOf(const http::ServerRequest& request);

  // Only browsers send an Origin. A web page that the user has open must not be able to reach in.
  static bool IsOfWebPage(const http::ServerRequest& request);

  static http::Reply ReplyTo(Answer answer);
  // A reply that says `error`, with a request id of its own.
  static http::Reply ErrorReply(const wire::WireError& error);

 private:
  const Service service_;
  const std::shared_ptr<Latency> latency_;
};

}  // namespace vecload::server
