#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "vecload/status.h"

namespace vecload {

/// Failures that the server makes up for requests of vectors (put, get, list, query, delete), each
/// with a probability from 0 to 1; the seed decides which request meets which.
struct ServerFaults {
  uint64_t seed = 0;
  double http503 = 0;  ///< Refused with that status; nothing took effect.
  double http429 = 0;
  double http500 = 0;
  double reset = 0;  ///< The connection is reset before the request took effect.
  double cut = 0;    ///< It took effect; the reply ends in the middle.
  double slow = 0;   ///< It took effect; the reply comes 200 ms late.
  double lost = 0;   ///< It took effect; the connection is reset in place of the reply.

  /// Returns the faults of "seed=7,http503=0.01,lost=0.005"; what is not named stays 0.
  /// kInvalidArgument names the item that cannot be read.
  static Result<ServerFaults> Parse(std::string_view spec);
};

/// How fast the service seems that the server stands for. By default as fast as the machine allows.
struct ServiceModel {
  /// Per index, PutVectors and DeleteVectors together; beyond it 429. 0: unlimited.
  double rate_vectors_per_s = 0;
  double rate_requests_per_s = 0;
  double burst_s = 1;  ///< So many seconds' worth of either may come at once after a rest.
  /// PutVectors, DeleteVectors and QueryVectors are answered late by
  /// (latency_ms + latency_ms_per_mb x megabytes of float32 put) x (1 to 1 + latency_spread).
  double latency_ms = 0;
  double latency_ms_per_mb = 0;
  double latency_spread = 0;

  /// What AWS documents (2,500 vectors/s, 1,000 requests/s) and what was observed of the service:
  /// bursts of some 37,500 vectors pass, and 500 vectors of 1,024 dimensions take 1.15 to 1.54 s.
  static ServiceModel Aws();
  /// kInvalidArgument names the member that is out of its range.
  [[nodiscard]] Status Check() const;
};

/// How the local S3 Vectors server runs.
struct LocalServerOptions {
  std::string host = "127.0.0.1";  ///< Anything but loopback needs keys.
  uint16_t port = 0;               ///< 0: any free one.
  std::string data_dir;            ///< Empty with `ephemeral`.
  bool ephemeral = false;          ///< Keep nothing: a temporary folder, removed at the end.
  std::string region = "us-east-1";
  ServiceModel model;
  ServerFaults faults;
  /// With keys, from here or from a file like ~/.aws/credentials (each profile is one), every
  /// request must be signed by one of them; without any, nobody is asked.
  std::string access_key;
  std::string secret_key;
  std::string credentials_file;
  /// PEM, both or neither; with them the server speaks HTTPS only.
  std::string tls_certificate_file;
  std::string tls_key_file;
  /// A page for browsers at /_dashboard; only where `host` is loopback. With keys it needs a token.
  bool dashboard = true;
  bool control = false;  ///< Answer /_vecload/...: reset, change the model, counters.
};

/// S3 Vectors on this machine. Data is durable when a call returns. Thread-safe.
class LocalServer {
 public:
  /// Opens the data folder and listens. kIo: folder or port cannot be used; kConflict: another
  /// server has the folder open; kCorrupt: the folder holds something else.
  static Result<std::unique_ptr<LocalServer>> Start(const LocalServerOptions& options);
  virtual ~LocalServer() = default;  ///< Stops.
  [[nodiscard]] virtual uint16_t port() const = 0;
  [[nodiscard]] virtual std::string url() const = 0;
  /// The page's, its token included; empty where there is none.
  [[nodiscard]] virtual std::string dashboard_url() const = 0;
  /// Answers what is under way, then closes. Idempotent.
  virtual void Stop() = 0;
};

}  // namespace vecload
