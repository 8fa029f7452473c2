#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "auth/key_ring.h"
#include "auth/verify.h"
#include "http/server.h"
#include "server/dashboard.h"
#include "server/gate.h"
#include "server/router.h"
#include "vecload/server.h"
#include "wire/limits.h"

namespace vecload {
namespace {

namespace fs = std::filesystem;

// What is under way when the server stops: longer than any operation takes, shorter than the 30 s
// after which container platforms kill.
constexpr Duration kStopGrace = std::chrono::seconds(25);

// Two requests per core keep the cores busy while others wait for the disk.
int Threads() {
  return static_cast<int>(std::clamp(2 * std::thread::hardware_concurrency(), 4U, 64U));
}

bool IsLoopback(const std::string& host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

// All keys that the options name.
Result<auth::KeyRing> ReadKeys(const LocalServerOptions& options) {
  auth::KeyRing keys;
  if (!options.access_key.empty() || !options.secret_key.empty()) {
    VECLOAD_RETURN_IF_ERROR(
        keys.Add({options.access_key, options.secret_key, /*session_token=*/{}}));
  }
  if (!options.credentials_file.empty()) {
    VECLOAD_RETURN_IF_ERROR(keys.AddFile(options.credentials_file));
  }
  if (keys.empty() && !IsLoopback(options.host)) {
    return Status::InvalidArgument(
        "will not listen on " + options.host +
        ": without keys anybody there could use this server; give it some (--credentials-file, or "
        "VECLOAD_SERVER_ACCESS_KEY and VECLOAD_SERVER_SECRET_KEY), or leave --host at 127.0.0.1");
  }
  return keys;
}

Status Check(const LocalServerOptions& options) {
  if (options.ephemeral != options.data_dir.empty()) {
    return Status::InvalidArgument("give either a data folder (--data-dir) or --ephemeral");
  }
  VECLOAD_RETURN_IF_ERROR(options.model.Check());
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
  explicit RunningServer(const LocalServerOptions& options) : options_(options) {}
  RunningServer(const RunningServer&) = delete;
  RunningServer& operator=(const RunningServer&) = delete;
  ~RunningServer() override { RunningServer::Stop(); }

  Status Open(auth::KeyRing keys) {
    folder_ = std::make_unique<DataFolder>();
    VECLOAD_RETURN_IF_ERROR(folder_->Choose(options_));
    VECLOAD_ASSIGN_OR_RETURN(
        std::shared_ptr<store::Store> store,
        store::Store::Open(folder_->path(), Clock::System(), {}, {.synced = !options_.ephemeral}));
    const ServiceModel& model = options_.model;
    auto throttle = std::make_shared<server::Throttle>(
        server::Throttle::Limits{model.rate_vectors_per_s, model.rate_requests_per_s,
                                 model.burst_s},
        Clock::System());
    server::Gate::Options gate{model, options_.faults, nullptr, options_.control};
    if (!keys.empty()) {
      gate.verifier = std::make_unique<const auth::Verifier>(
          std::move(keys), auth::SigningScope{options_.region}, Clock::System());
    }
    const bool has_keys = gate.verifier != nullptr;
    const server::Service service({options_.region, std::move(store), std::move(throttle)});
    gate_ = std::make_unique<server::Gate>(service, std::move(gate));
    if (options_.dashboard && IsLoopback(options_.host)) {
      dashboard_ = std::make_unique<server::Dashboard>(server::Dashboard::Parts{
          service, gate_->counters(), options_.host, options_.region, has_keys});
    }
    return Listen();
  }

  [[nodiscard]] uint16_t port() const override { return port_; }

  [[nodiscard]] std::string url() const override {
    return http::ServerUrl(options_.tls_certificate_file.empty() ? "http" : "https", options_.host,
                           port_);
  }

  [[nodiscard]] std::string dashboard_url() const override {
    return dashboard_ == nullptr ? std::string() : url() + dashboard_->path();
  }

  void Stop() override {
    const std::lock_guard lock(mutex_);
    if (http_ != nullptr) http_->Stop(kStopGrace);
    http_.reset();
    dashboard_.reset();
    gate_.reset();
    folder_.reset();
  }

 private:
  Status Listen() {
    http::ServerOptions http_options;
    http_options.tls_certificate_file = options_.tls_certificate_file;
    http_options.tls_key_file = options_.tls_key_file;
    http_options.overloaded = server::Router::ErrorReply(wire::MakeError(
        "ServiceUnavailableException", "The server is busy. Reduce your request rate"));
    http_options.host = options_.host;
    http_options.port = options_.port;
    http_options.body_bytes_max = wire::kBodyBytesMax;
    http_options.threads = Threads();
    http_options.too_large =
        server::Router::ErrorReply(wire::ValidationError("Request body exceeds max allowed size"));
    VECLOAD_ASSIGN_OR_RETURN(
        http_, http::Server::Start(std::move(http_options), [this](http::ServerRequest&& request) {
          // Not through the gate: no operation, so neither counted nor struck by faults.
          if (dashboard_ != nullptr && server::Dashboard::IsDashboard(request)) {
            return dashboard_->Handle(request);
          }
          return gate_->Handle(std::move(request));
        }));
    port_ = http_->port();
    return Status::Ok();
  }

  const LocalServerOptions options_;
  uint16_t port_ = 0;
  std::mutex mutex_;
  // In the order of their making; Stop takes them down in reverse.
  std::unique_ptr<DataFolder> folder_;
  std::unique_ptr<server::Gate> gate_;
  std::unique_ptr<server::Dashboard> dashboard_;
  std::unique_ptr<http::Server> http_;
};

}  // namespace

Result<std::unique_ptr<LocalServer>> LocalServer::Start(const LocalServerOptions& options) {
  VECLOAD_RETURN_IF_ERROR(Check(options));
  VECLOAD_ASSIGN_OR_RETURN(auth::KeyRing keys, ReadKeys(options));
  auto server = std::make_unique<RunningServer>(options);
  VECLOAD_RETURN_IF_ERROR(server->Open(std::move(keys)));
  return std::unique_ptr<LocalServer>(std::move(server));
}

}  // namespace vecload
