#include "cli/job_dashboard.h"

#include <utility>

#include "base/clock.h"
#include "base/json_text.h"
#include "observe/progress_json.h"
#include "server/watch_reply.h"
#include "vecload/version.h"

namespace vecload::cli {
namespace {

constexpr const char* kHost = "127.0.0.1";  // whoever is on this machine
constexpr double kDetailEveryS = 2;
// A job ends when it is done, whoever watches.
constexpr Duration kGoodbye = std::chrono::seconds(2);
// A browser takes what it gets at once; one that does not is gone or was suspended.
constexpr Duration kStalledAfter = std::chrono::seconds(10);

std::string JobEvent(JobKind kind, const JobOptions& job) {
  JsonWriter json;
  json.BeginObject().Key("kind").String(JobKindName(kind));
  json.Key("index").String(job.index.ToString());
  if (!job.client.endpoint_url.empty()) json.Key("endpoint_url").String(job.client.endpoint_url);
  json.Key("sources").BeginArray();
  for (const std::string& source : job.sources) json.String(source);
  json.EndArray().Key("started_at").String(UtcText(Clock::System().WallNow()));
  json.Key("version").String(kVersion).EndObject();
  return observe::EventText("job", json.text());
}

}  // namespace

Result<std::unique_ptr<JobDashboard>> JobDashboard::Start(uint16_t port, JobKind kind,
                                                          const JobOptions& job) {
  std::unique_ptr<JobDashboard> dashboard(new JobDashboard(JobEvent(kind, job)));
  http::ServerOptions options;
  options.host = kHost;
  options.port = port;
  options.body_bytes_max = 0;
  options.header_bytes_max = 16 << 10;
  options.threads = 1;
  options.reply_timeout = kStalledAfter;
  options.too_large = server::TextReply(413, "no request here has a body\n").reply;
  auto server = http::Server::Start(
      std::move(options),
      [self = dashboard.get()](http::ServerRequest&& request) { return self->Handle(request); });
  if (!server.ok()) return server.status().WithContext("--dashboard");
  dashboard->server_ = *std::move(server);
  return dashboard;
}

std::string JobDashboard::url() const {
  return http::ServerUrl("http", kHost, server_->port()) + "/";
}

void JobDashboard::Update(const JobProgress& progress) {
  {
    const std::lock_guard lock(mutex_);
    timeline_.Add(progress);
  }
  if (progress.elapsed_s >= detail_at_s_ + kDetailEveryS) {
    detail_at_s_ = progress.elapsed_s;
    hub_.Publish("detail", observe::DetailJson(progress));
  }
  hub_.Publish("progress", observe::ProgressJson(progress));
}

void JobDashboard::Finish(std::string_view report) {
  hub_.Publish("report", report.substr(0, report.find('\n')));
  hub_.End();
  hub_.WaitUntilUnwatched(kGoodbye);
  server_->Stop(Duration::zero());
}

std::string JobDashboard::Opening() {
  const std::lock_guard lock(mutex_);
  return job_event_ + observe::EventText("history", R"({"points":)" + timeline_.Json() + "}");
}

http::ServerReply JobDashboard::Handle(const http::ServerRequest& request) {
  if (auto refusal = server::RefuseForeign(request, kHost)) return *std::move(refusal);
  const std::string_view path = server::PathOf(request);
  const bool reads = request.method == "GET" || request.method == "HEAD";
  if (!reads) return server::TextReply(405, "there is only GET\n");
  if (path == "/") return server::PageReply();
  if (path == "/events") return server::EventsReply(&hub_, Opening());
  return server::TextReply(404, "there are / and /events\n");
}

}  // namespace vecload::cli
