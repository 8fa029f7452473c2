#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "http/transport.h"
#include "vecload/status.h"

namespace vecload::http {

struct ServerRequest {
  std::string method;
  std::string target;  // path and query as received
  Headers headers;
  std::string body;
};

struct ServerOptions {
  std::string host = "127.0.0.1";
  uint16_t port = 0;  // 0: any free one
  size_t body_bytes_max = 20'971'520;
  int threads = 2;                     // workers that run the handler
  size_t connections_max = 1024;
  Duration idle_timeout = std::chrono::seconds(75);
  Duration request_timeout = std::chrono::seconds(60);  // to receive head and body
  // The reply to a Content-Length over body_bytes_max; sent without reading the body.
  Reply too_large;
};

// What a handler answers; `delay` holds the answer back without holding a thread.
struct ServerReply {
  Reply reply;
  Duration delay{};
};

// An HTTP/1.1 server on Boost.Beast coroutines. Knows no S3 word. Connections are kept alive,
// each serves one request at a time; handlers run on `threads` workers, so a slow client blocks
// nobody.
class Server {
 public:
  using Handler = std::function<ServerReply(ServerRequest&&)>;
  static Result<std::unique_ptr<Server>> Start(ServerOptions options, Handler handler);
  virtual ~Server() = default;  // stops
  [[nodiscard]] virtual uint16_t port() const = 0;
  // Stops accepting, lets requests under way finish within `grace`, closes. Idempotent.
  virtual void Stop(Duration grace) = 0;
};

}  // namespace vecload::http
