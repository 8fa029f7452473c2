#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "http/body_stream.h"
#include "http/transport.h"
#include "vecload/status.h"

namespace vecload::http {

struct ServerRequest {
  std::string method;
  std::string target;  // path and query as received
  Headers headers{};
  std::string body{};
};

struct ServerOptions {
  std::string host = "127.0.0.1";  // a name or an address, v4 or v6
  uint16_t port = 0;               // 0: any free one
  size_t body_bytes_max = 20'971'520;
  size_t header_bytes_max = 64 << 10;  // request line and headers together
  int threads = 2;                     // workers that run the handler
  size_t connections_max = 1024;       // one more is answered by `overloaded` and closed
  // What all requests hold of bodies, and of replies not yet sent; a request that needs more is
  // answered by `overloaded`. Replies are never refused.
  size_t bytes_in_flight_max = size_t{1} << 30;
  // After each of these the connection is closed, however busily bytes trickle in or out.
  Duration idle_timeout = std::chrono::seconds(75);    // until a request's first byte
  Duration header_timeout = std::chrono::seconds(15);  // from there to the end of the head
  Duration body_timeout = std::chrono::seconds(60);    // from there to the end of the body
  Duration reply_timeout = std::chrono::seconds(60);   // to send a reply, or a streamed one's piece
  // The reply to a body over body_bytes_max; to a Content-Length it is sent without reading the
  // body. Then the connection closes.
  Reply too_large{};
  Reply overloaded{503, {{"Content-Type", "text/plain"}}, "the server is overloaded\n"};
  // PEM: the certificate with its chain, and its key, without a passphrase; both or neither. With
  // them the server speaks TLS 1.2 and up, and nothing else.
  std::string tls_certificate_file{};
  std::string tls_key_file{};
};

// Where a server on that host and port is reached: "http://[::1]:80".
std::string ServerUrl(std::string_view scheme, std::string_view host, uint16_t port);

// How much of an answer is sent; what is not kWhole plays a network that fails.
enum class Delivery {
  kWhole,
  kCutShort,  // head and half of the body (without a body: half of the head), then the end
  kReset,     // nothing: the connection is reset
};

// What a handler answers; `delay` holds the answer back without holding a thread.
struct ServerReply {
  Reply reply{};
  Duration delay{};
  Delivery delivery = Delivery::kWhole;
  // Where set, the body is this, sent as it comes; `reply` has only status and headers. Then the
  // connection closes. Stop ends it at once.
  std::shared_ptr<BodyStream> stream = nullptr;
};

// An HTTP/1.1 server on Boost.Beast coroutines. Knows no S3 word. Connections are kept alive,
// each serves one request at a time; handlers run on `threads` workers, so a slow client blocks
// nobody. Content-Length, Connection and Date are the server's to set, except that a Date from the
// handler stays. To HEAD the handler answers as to GET: the body is left out. A handler that
// throws has answered 500.
class Server {
 public:
  using Handler = std::function<ServerReply(ServerRequest&&)>;
  // kIo: the address cannot be listened on; kInvalidArgument: certificate or key cannot be used.
  static Result<std::unique_ptr<Server>> Start(ServerOptions options, Handler handler);
  virtual ~Server() = default;  // stops, without grace
  [[nodiscard]] virtual uint16_t port() const = 0;
  // Stops accepting, lets requests under way finish within `grace`, closes. Idempotent. A handler
  // that runs is always waited for; not to be called from one.
  virtual void Stop(Duration grace) = 0;
};

}  // namespace vecload::http
