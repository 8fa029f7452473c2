#include "cli/metrics_port.h"

#include <string_view>
#include <utility>

#include <fmt/core.h>

namespace vecload::cli {
namespace {

http::ServerReply Text(int status, std::string body) {
  return {{status, {{"Content-Type", "text/plain; charset=utf-8"}}, std::move(body)}};
}

// A scraper keeps one connection; some more are for whoever looks by hand.
http::ServerOptions Options(const MetricsFlags& flags) {
  http::ServerOptions options;
  options.host = flags.host;
  options.port = *flags.port;
  options.threads = 1;
  options.connections_max = 32;
  options.body_bytes_max = 1024;
  options.header_bytes_max = 16 << 10;
  options.bytes_in_flight_max = 16 << 20;
  options.too_large = Text(413, "a request for metrics has no body\n").reply;
  return options;
}

}  // namespace

Result<std::unique_ptr<MetricsPort>> MetricsPort::Open(const MetricsFlags& flags, JobKind kind,
                                                       const std::string& index) {
  std::unique_ptr<MetricsPort> port(new MetricsPort(kind, index));
  auto server = http::Server::Start(
      Options(flags),
      [port = port.get()](http::ServerRequest&& request) { return port->Answer(request); });
  if (!server.ok()) {
    return server.status().WithContext(fmt::format("--metrics-port {}", *flags.port));
  }
  port->server_ = *std::move(server);
  port->url_ = http::ServerUrl("http", flags.host, port->server_->port()) + "/metrics";
  return port;
}

http::ServerReply MetricsPort::Answer(const http::ServerRequest& request) const {
  const std::string_view target = request.target;
  if (target.substr(0, target.find('?')) != "/metrics") {
    return Text(404, "metrics are at /metrics\n");
  }
  if (request.method != "GET" && request.method != "HEAD") {
    http::ServerReply reply = Text(405, "only GET is answered\n");
    reply.reply.headers.emplace_back("Allow", "GET, HEAD");
    return reply;
  }
  return {{200,
           {{"Content-Type", std::string(observe::JobMetrics::kContentType)},
            {"Cache-Control", "no-store"}},
           metrics_.Text()}};
}

}  // namespace vecload::cli
