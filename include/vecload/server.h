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
  ServerFaults faults;
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
