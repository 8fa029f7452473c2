#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "vecload/status.h"

namespace vecload {

/// How the local S3 Vectors server runs.
struct LocalServerOptions {
  std::string host = "127.0.0.1";  ///< Anything but loopback is refused until keys can be set.
  uint16_t port = 0;               ///< 0: any free one.
  std::string data_dir;            ///< Empty with `ephemeral`.
  bool ephemeral = false;          ///< Keep nothing: a temporary folder, removed at the end.
  std::string region = "us-east-1";
  double rate_vectors_per_s = 0;  ///< Per index, PutVectors and DeleteVectors; 0: unlimited.
  double rate_requests_per_s = 0;
  double latency_ms = 0;  ///< Added to each answer of PutVectors, DeleteVectors and QueryVectors.
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
  /// Answers what is under way, then closes. Idempotent.
  virtual void Stop() = 0;
};

}  // namespace vecload
