#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "auth/key_ring.h"
#include "auth/sigv4.h"
#include "base/clock.h"

namespace vecload::auth {

// Why a request is not taken: the service's name for it (all are 403) and what to tell the sender.
struct Refusal {
  std::string_view aws_code;
  std::string message;
};

// What an Authorization header says, in views of it.
struct Authorization {
  std::string_view access_key;
  std::string_view date;
  std::string_view region;
  std::string_view service;
  std::string_view terminator;
  std::vector<std::string_view> signed_headers;
  std::string_view signature;  // 64 hex digits
};

// Reads "AWS4-HMAC-SHA256 Credential=..., SignedHeaders=..., Signature=..." into `out`. Messages
// never quote the header.
std::optional<Refusal> ParseAuthorization(std::string_view header, Authorization* out);

// A request as it came. The views outlive the check.
struct ReceivedRequest {
  std::string_view method;
  std::string_view target;  // path and query, as received
  const std::vector<std::pair<std::string, std::string>>& headers;
  std::string_view body;
};

// In a time that does not depend on where they differ.
bool IsSameSecret(std::string_view left, std::string_view right);

// Checks signatures (Version 4, header form) against the keys that it knows. Thread-safe.
class Verifier {
 public:
  // `clock` outlives the verifier.
  Verifier(KeyRing keys, SigningScope scope, const Clock& clock)
      : keys_(std::move(keys)), scope_(std::move(scope)), clock_(clock) {}

  // nullopt: a holder of one of the keys meant this request, at most kSkewMax ago or ahead: this
  // method, target and body, host, date and every other x-amz-* header.
  [[nodiscard]] std::optional<Refusal> Check(const ReceivedRequest& request) const;

  // As the service has it.
  static constexpr Duration kSkewMax = std::chrono::minutes(5);

 private:
  [[nodiscard]] std::optional<Refusal> CheckTime(std::string_view time,
                                                 const Authorization& claim) const;
  [[nodiscard]] std::optional<Refusal> CheckScope(const Authorization& claim) const;
  [[nodiscard]] std::optional<Refusal> CheckSignature(const ReceivedRequest& request,
                                                      const Authorization& claim,
                                                      const std::string& secret_key) const;

  const KeyRing keys_;
  const SigningScope scope_;
  const Clock& clock_;
};

}  // namespace vecload::auth
