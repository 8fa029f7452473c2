#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "http/server.h"
#include "observe/metrics.h"
#include "vecload/job.h"
#include "vecload/status.h"

namespace vecload::cli {

// --metrics-port and --metrics-host.
struct MetricsFlags {
  std::optional<uint16_t> port;  // 0: any free one; absent: no metrics
  std::string host = "127.0.0.1";
};

// Answers GET /metrics with a job's metrics as long as it lives, and nothing else.
class MetricsPort {
 public:
  // kIo: the port cannot be listened on. `index` is "BUCKET/INDEX".
  static Result<std::unique_ptr<MetricsPort>> Open(const MetricsFlags& flags, JobKind kind,
                                                   const std::string& index);
  void Update(const JobProgress& progress) { metrics_.Update(progress); }
  // "http://HOST:PORT/metrics"
  [[nodiscard]] const std::string& url() const { return url_; }

 private:
  MetricsPort(JobKind kind, const std::string& index) : metrics_(kind, index) {}
  [[nodiscard]] http::ServerReply Answer(const http::ServerRequest& request) const;

  observe::JobMetrics metrics_;
  std::string url_;
  std::unique_ptr<http::Server> server_;  // last: it ends before what its handler reads
};

}  // namespace vecload::cli
