#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "http/server.h"
#include "server/faults.h"
#include "server/router.h"
#include "vecload/server.h"
#include "wire/limits.h"

namespace vecload {
namespace {

namespace fs = std::filesystem;

// What is under way when the server stops: at most a request's own time limit.
constexpr Duration kStopGrace = std::chrono::seconds(60);
constexpr double kLatencyMsMax = 60'000;

// Two requests per core keep the cores busy while others wait for the disk.
int Threads() {
  return static_cast<int>(std::clamp(2 * std::thread::hardware_concurrency(), 4U, 64U));
}

bool IsLoopback(const std::string& host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

bool IsRate(double rate) { return std::isfinite(rate) && rate >= 0; }

Status Check(const LocalServerOptions& options) {
  if (!IsLoopback(options.host)) {
    return Status::InvalidArgument("will not listen on " + options.host +
                                   ": this server asks for no credentials, so it serves this "
                                   "machine only; leave --host at 127.0.0.1");
  }
  if (options.ephemeral != options.data_dir.empty()) {
    return Status::InvalidArgument("give either a data folder (--data-dir) or --ephemeral");
  }
  if (!IsRate(options.rate_vectors_per_s) || !IsRate(options.rate_requests_per_s)) {
    return Status::InvalidArgument("a rate must be 0 (unlimited) or more");
  }
  if (!IsRate(options.latency_ms) || options.latency_ms > kLatencyMsMax) {
    return Status::InvalidArgument("the latency must be 0 to 60000 ms");
  }
  const auto legal = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  };
  if (options.region.empty() || !std::ranges::all_of(options.region, legal)) {
    return Status::InvalidArgument("region \"" + options.region +
                                   "\" is not a region's name, e.g. us-east-1");
  }
  return Status::Ok();
}

// A folder that goes when this does, where it is a temporary one.
class DataFolder {
 public:
  DataFolder() = default;
  DataFolder(const DataFolder&) = delete;
  DataFolder& operator=(const DataFolder&) = delete;
  ~DataFolder() {
    std::error_code ignored;  // a temporary folder that cannot be removed is the system's to clear
    if (temporary_) fs::remove_all(path_, ignored);
  }

  Status Choose(const LocalServerOptions& options) {
    path_ = options.data_dir;
    if (!options.ephemeral) return Status::Ok();
    std::error_code error;
    const fs::path base = fs::temp_directory_path(error);
    std::string name = (base / ("vecload-" + std::string(6, 'X'))).string();
    if (error || mkdtemp(name.data()) == nullptr) {
      return Status::Io("cannot make a temporary folder in " + base.string() + ": " +
                        std::strerror(error ? error.value() : errno) + "; set TMPDIR");
    }
    path_ = name;
    temporary_ = true;
    return Status::Ok();
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
  bool temporary_ = false;
};

class RunningServer final : public LocalServer {
 public:
  explicit RunningServer(LocalServerOptions options)
      : options_(std::move(options)), faults_(options_.faults) {}
  RunningServer(const RunningServer&) = delete;
  RunningServer& operator=(const RunningServer&) = delete;
  ~RunningServer() override { RunningServer::Stop(); }

  Status Open() {
    VECLOAD_RETURN_IF_ERROR(Check(options_));
    folder_ = std::make_unique<DataFolder>();
    VECLOAD_RETURN_IF_ERROR(folder_->Choose(options_));
    VECLOAD_ASSIGN_OR_RETURN(std::shared_ptr<store::Store> store,
                             store::Store::Open(folder_->path(), Clock::System()));
    const server::Throttle::Limits limits{options_.rate_vectors_per_s,
                                          options_.rate_requests_per_s};
    auto throttle = std::make_shared<server::Throttle>(limits, Clock::System());
    router_ = std::make_unique<server::Router>(
        server::Service({options_.region, std::move(store), std::move(throttle)}),
        FromSeconds(options_.latency_ms / 1000));

    http::ServerOptions http_options;
    http_options.host = options_.host;
    http_options.port = options_.port;
    http_options.body_bytes_max = wire::kBodyBytesMax;
    http_options.threads = Threads();
    http_options.too_large =
        server::Router::ErrorReply(wire::ValidationError("Request body exceeds max allowed size"));
    VECLOAD_ASSIGN_OR_RETURN(
        http_, http::Server::Start(std::move(http_options), [this](http::ServerRequest&& request) {
          return faults_.Answer(std::move(request), [this](http::ServerRequest&& passed) {
            return router_->Handle(std::move(passed));
          });
        }));
    port_ = http_->port();
    return Status::Ok();
  }

  [[nodiscard]] uint16_t port() const override { return port_; }

  [[nodiscard]] std::string url() const override {
    const bool v6 = options_.host.find(':') != std::string::npos;
    const std::string host = v6 ? "[" + options_.host + "]" : options_.host;
    return "http://" + host + ":" + std::to_string(port_);
  }

  void Stop() override {
    const std::lock_guard lock(mutex_);
    if (http_ != nullptr) http_->Stop(kStopGrace);
    http_.reset();
    router_.reset();
    folder_.reset();
  }

 private:
  const LocalServerOptions options_;
  server::Faults faults_;
  uint16_t port_ = 0;
  std::mutex mutex_;
  // In the order of their making; Stop takes them down in reverse.
  std::unique_ptr<DataFolder> folder_;
  std::unique_ptr<server::Router> router_;
  std::unique_ptr<http::Server> http_;
};

}  // namespace

Result<std::unique_ptr<LocalServer>> LocalServer::Start(const LocalServerOptions& options) {
  auto server = std::make_unique<RunningServer>(options);
  VECLOAD_RETURN_IF_ERROR(server->Open());
  return std::unique_ptr<LocalServer>(std::move(server));
}

}  // namespace vecload
