#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "vecload/status.h"

namespace vecload::http {

using Headers = std::vector<std::pair<std::string, std::string>>;

// The value of the header of that name (case-insensitive), or empty.
std::string_view FindHeader(const Headers& headers, std::string_view name);

struct Request {
  std::string method = "POST";
  std::string url{};  // whole: https://host[:port]/path?query
  Headers headers{};
  std::string_view body{};                   // must live until `done` was called ...
  std::shared_ptr<const void> body_owner{};  // ... which holding this guarantees
};

struct Reply {
  int status = 0;
  Headers headers{};
  std::string body{};
};

// The seam for the network: sends one request, gives its reply. Thread-safe.
class Transport {
 public:
  virtual ~Transport() = default;
  // Calls `done` exactly once, on the transport's own thread: a Reply for whatever the server
  // answered, or why no whole answer came (the message says what broke):
  //   kUnavailable      no connection, a broken or stalled one, no address, half a reply
  //   kDenied           the server's TLS certificate was not accepted
  //   kInvalidArgument  an unusable URL, header or CA bundle
  //   kCorrupt          a reply over the transport's limits
  //   kCancelled        the transport was destroyed first
  // `done` must not block and must not hold the last reference to the transport.
  using Done = std::function<void(Result<Reply>)>;
  virtual void Send(Request request, Done done) = 0;

  // Sends and waits. Not from within a `done`.
  Result<Reply> Call(Request request);
};

struct CurlOptions {
  std::string ca_bundle{};                              // empty: the system's
  Duration connect_timeout = std::chrono::seconds(10);  // name, TCP and TLS together
  // A transfer slower than 1 byte/s for this long is broken: a total time-out would punish large
  // bodies on slow lines.
  Duration stall_timeout = std::chrono::seconds(60);
  size_t connections_max = 256;  // more requests than this wait their turn
  size_t reply_bytes_max = 64 << 20;
};

// libcurl's multi interface on one thread of its own; keep-alive; proxies by the usual
// environment variables; HTTPS verified. kInvalidArgument: the CA bundle cannot be read.
Result<std::unique_ptr<Transport>> MakeCurlTransport(const CurlOptions& options);

}  // namespace vecload::http
