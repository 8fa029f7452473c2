// What sending costs: POSTs `--requests` bodies of `--body-bytes` to `--url`, `--in-flight` at a
// time, through the client's transport, and prints the CPU time of this process as JSON, also per
// 12.7 KB, the size of a vector of 1,024 dimensions on the wire. Run it against null_server for
// the client's share, or against `--own-server` for both ends in one process.

#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <future>
#include <string>
#include <string_view>

#include "http/server.h"
#include "http/transport.h"

namespace {

using vecload::Result;
using vecload::http::Reply;

double CpuSeconds(int who) {
  rusage usage{};
  getrusage(who, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

long Number(const char* text) {
  char* end = nullptr;
  const long number = std::strtol(text, &end, 10);
  if (end == text || *end != '\0') {
    std::fprintf(stderr, "http_transport_bench: %s is not a number\n", text);
    std::exit(2);
  }
  return number;
}

struct Options {
  std::string url;
  bool own_server = false;
  long requests = 200;
  long body_bytes = 6'300'000;
  long in_flight = 8;
};

// Sends all requests; false if one failed.
bool Send(vecload::http::Transport& transport, const Options& options, const std::string& url) {
  const std::string body(static_cast<size_t>(options.body_bytes), '7');
  std::atomic<long> to_send = options.requests;
  std::atomic<long> to_come = options.requests;
  std::atomic<bool> failed = false;
  std::promise<void> all;
  std::function<void()> next = [&] {
    if (to_send.fetch_sub(1) <= 0) return;
    transport.Send({.url = url, .body = body}, [&](const Result<Reply>& reply) {
      if (!reply.ok() || reply->status != 200) {
        std::fprintf(stderr, "%s\n", reply.status().ToString().c_str());
        failed = true;
      }
      next();
      if (--to_come == 0) all.set_value();
    });
  };
  for (long i = 0; i < options.in_flight; ++i) next();
  all.get_future().wait();
  return !failed;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view flag = argv[i];
    if (flag == "--own-server") {
      options.own_server = true;
    } else if (i + 1 == argc) {
      return std::fprintf(stderr, "http_transport_bench: what is %s?\n", argv[i]), 2;
    } else if (flag == "--url") {
      options.url = argv[++i];
    } else if (flag == "--requests") {
      options.requests = Number(argv[++i]);
    } else if (flag == "--body-bytes") {
      options.body_bytes = Number(argv[++i]);
    } else if (flag == "--in-flight") {
      options.in_flight = Number(argv[++i]);
    }
  }
  std::unique_ptr<vecload::http::Server> server;
  if (options.own_server) {
    auto started = vecload::http::Server::Start({}, [](vecload::http::ServerRequest&&) {
      return vecload::http::ServerReply{{200, {}, "{}"}};
    });
    if (!started.ok()) return std::puts(started.status().ToString().c_str()), 1;
    server = *std::move(started);
    options.url = "http://127.0.0.1:" + std::to_string(server->port()) + "/PutVectors";
  }
  auto transport = vecload::http::MakeCurlTransport({});
  if (!transport.ok()) return std::puts(transport.status().ToString().c_str()), 1;

  const auto begin = std::chrono::steady_clock::now();
  const double cpu_begin = CpuSeconds(RUSAGE_SELF);
  if (!Send(**transport, options, options.url)) return 1;
  const double cpu = CpuSeconds(RUSAGE_SELF) - cpu_begin;
  const double wall =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  const double bytes =
      static_cast<double>(options.requests) * static_cast<double>(options.body_bytes);
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::printf(
      "{\"requests\":%ld,\"body_bytes\":%ld,\"in_flight\":%ld,\"wall_s\":%.3f,\"gb_per_s\":%.2f,"
      "\"cpu_s\":%.3f,\"cpu_us_per_request\":%.1f,\"cpu_us_per_12700_bytes\":%.2f,"
      "\"rss_mib_max\":%ld}\n",
      options.requests, options.body_bytes, options.in_flight, wall, bytes / wall / 1e9, cpu,
      cpu * 1e6 / static_cast<double>(options.requests), cpu * 1e6 / bytes * 12700,
      usage.ru_maxrss / 1024);
  return 0;
}
