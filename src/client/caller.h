#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
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

// An operation of the service, as it stands in a request's first line.
struct Operation {
  // POST /NAME, as almost all are.
  template <typename Name>
    requires std::is_convertible_v<Name, std::string_view>
  Operation(const Name& post) : name(post) {}  // NOLINT: implicit
  Operation(std::string_view named, std::string_view by_method, std::string at_path)
      : name(named), method(by_method), path(std::move(at_path)) {}

  std::string_view name;  // AWS's, also for failures
  std::string_view method = "POST";
  std::string path = {};  // percent-encoded; empty: "/" and the name
};

// Signs and sends one S3 Vectors operation; retries are the caller's. Thread-safe.
class Caller {
 public:
  struct Parts {
    std::string endpoint_url;  // no trailing slash; a path is kept before the operation's
    std::string region;
    std::shared_ptr<auth::CredentialProvider> credentials;
    std::shared_ptr<http::Transport> transport;
    Clock* clock = nullptr;
  };
  // Region, endpoint, credentials and CA bundle by AWS's rules. kInvalidArgument: no region, or an
  // endpoint that is no http(s) URL; kDenied: no credentials.
  // Calls beyond `connections_max` at once wait their turn.
  static Result<std::shared_ptr<Caller>> Open(const ClientOptions& options,
                                              size_t connections_max = kConnectionsMax);
  static constexpr size_t kConnectionsMax = 256;
  explicit Caller(Parts parts);

  // Sends one request. `payload_hash` is of `body`; `owner` keeps it alive. `done` runs on
  // the transport's thread and must not block. Signed anew at each call with the newest keys and
  // by the service's clock: a reply that refuses the call for its time mends the offset, so the
  // next call passes. `subject` (where not empty) says in failures what the call was about.
  void Start(const Operation& operation, std::string_view body,
             const auth::PayloadHash& payload_hash, std::shared_ptr<const void> owner,
             std::function<void(Outcome)> done, std::string_view subject = {});
  // As Start, and waits.
  Outcome Call(const Operation& operation, std::string body, std::string_view subject = {});

  // After an ExpiredToken: asks the provider for new keys (blocks).
  Status RefreshCredentials() { return parts_.credentials->Refresh(); }
  [[nodiscard]] const std::string& endpoint_url() const { return parts_.endpoint_url; }
  [[nodiscard]] const std::string& region() const { return parts_.region; }
  [[nodiscard]] Clock* clock() const { return parts_.clock; }

 private:
  // What answers need; shared with those under way, which may come after the Caller is gone.
  struct Shared;

  http::Headers SignedHeaders(std::string_view method, std::string_view path,
                              const auth::PayloadHash& payload_hash, WallTime now) const;

  Parts parts_;
  std::string authority_;    // HOST[:PORT] of the endpoint
  std::string path_prefix_;  // of the endpoint; empty or "/x"
  std::shared_ptr<Shared> shared_;
};

// Where the calls of a region go: https://s3vectors.REGION.api.aws, as botocore's endpoint rules
// have it. kInvalidArgument where `region` cannot be part of a host name.
Result<std::string> DefaultEndpoint(std::string_view region);

// Seconds since the epoch of an HTTP date ("Tue, 24 Nov 2026 23:15:00 GMT").
Result<WallTime> ParseHttpDate(std::string_view text);

// How the blocking calls of MakeClient wait between tries.
struct RetryOptions {
  // From a call's first try to its last one's begin.
  Duration time_max = std::chrono::seconds(30);
  std::function<void(Duration)> sleep;  // empty: the thread sleeps
  uint64_t seed = 0;                    // of the jitter; 0: another one each time
};

// The public client over `caller`: retries what pace::DecideRemedy says is worth it.
std::unique_ptr<Client> MakeClient(std::shared_ptr<Caller> caller, RetryOptions options = {});

}  // namespace vecload::client
