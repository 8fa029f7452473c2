#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "auth/credentials.h"
#include "base/clock.h"
#include "http/transport.h"
#include "vecload/client.h"
#include "wire/errors.h"

namespace vecload::client {

// One call's outcome as the loader needs it: the Status for the pacer, and which records a
// ValidationException named.
struct Outcome {
  Status status;
  std::vector<size_t> named_records;  // ascending; empty: none were named
  Duration retry_after{};             // 0: the reply had no Retry-After
  Duration latency{};                 // from Send to the answer
  std::string body;                   // of a success
};

// Signs and sends one S3 Vectors operation; retries are the caller's. Thread-safe.
class Caller {
 public:
  struct Parts {
    std::string endpoint_url;  // no trailing slash
    std::string region;
    std::shared_ptr<auth::CredentialProvider> credentials;
    std::shared_ptr<http::Transport> transport;
    Clock* clock = nullptr;
  };
  // Region, endpoint, credentials and CA bundle by AWS's rules.
  static Result<std::shared_ptr<Caller>> Open(const ClientOptions& options);
  explicit Caller(Parts parts);

  // Sends POST /`operation`. `payload_hash` is of `body`; `owner` keeps it alive. `done` runs on
  // the transport's thread and must not block. Signed anew at each call with the newest keys and
  // the clock offset below.
  void Start(std::string_view operation, std::string_view body,
             const auth::PayloadHash& payload_hash, std::shared_ptr<const void> owner,
             std::function<void(Outcome)> done);
  // As Start, and waits.
  Outcome Call(std::string_view operation, std::string body);

  // After an ExpiredToken: asks the provider for new keys (blocks).
  Status RefreshCredentials() { return parts_.credentials->Refresh(); }
  [[nodiscard]] const std::string& endpoint_url() const { return parts_.endpoint_url; }
  [[nodiscard]] const std::string& region() const { return parts_.region; }

 private:
  Parts parts_;
};

}  // namespace vecload::client
