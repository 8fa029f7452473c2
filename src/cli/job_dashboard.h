#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "http/server.h"
#include "observe/event_hub.h"
#include "observe/timeline.h"
#include "vecload/job.h"

namespace vecload::cli {

// --dashboard: a job's page and its events, for browsers on this machine only. The job hands over
// its progress and waits for nobody, as long as it runs.
class JobDashboard {
 public:
  // Listens on 127.0.0.1. kIo: the port cannot be had.
  static Result<std::unique_ptr<JobDashboard>> Start(uint16_t port, JobKind kind,
                                                     const JobOptions& job);
  [[nodiscard]] std::string url() const;
  // By one thread.
  void Update(const JobProgress& progress);
  // The report as JSON, for everybody who watches; waits a moment until they have it.
  void Finish(std::string_view report);

 private:
  explicit JobDashboard(std::string job_event) : job_event_(std::move(job_event)) {}
  http::ServerReply Handle(const http::ServerRequest& request);
  // Of a watcher: what the job is, and its course so far.
  [[nodiscard]] std::string Opening();

  const std::string job_event_;
  std::mutex mutex_;  // for timeline_
  observe::Timeline timeline_;
  double detail_at_s_ = -1e9;
  observe::EventHub hub_;
  std::unique_ptr<http::Server> server_;  // goes first: it uses all the rest
};

}  // namespace vecload::cli
