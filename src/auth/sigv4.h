#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "auth/payload_hash.h"
#include "base/clock.h"

namespace vecload::auth {

// One immutable set of keys. session_token is empty for long-term keys. Has no printing on
// purpose: keys never stand in a log or an error.
struct Credentials {
  std::string access_key;
  std::string secret_key;
  std::string session_token;

  friend bool operator==(const Credentials&, const Credentials&) = default;
};

struct SigningScope {
  std::string region;
  std::string service = "s3vectors";
};

// What is signed, as it is sent: path and query percent-encoded once.
struct SigningRequest {
  std::string_view method = "POST";
  std::string_view path = "/";
  std::string_view query = {};
  std::vector<std::pair<std::string, std::string>> headers = {};  // host included
  std::string_view payload_hash = {};                             // 64 hex digits
};

// Returns the headers to add or replace: x-amz-date, x-amz-security-token where there is one, and
// authorization. Signs all the headers given, in any case, but those that are changed on the way:
// expect, transfer-encoding, user-agent, x-amzn-trace-id. The payload hash stands in the canonical
// request only, as botocore does for services other than S3.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/ reference_sigv-create-signed-request.html
std::vector<std::pair<std::string, std::string>> Sign(const SigningRequest& request,
                                                      const Credentials& credentials,
                                                      const SigningScope& scope, WallTime now);

}  // namespace vecload::auth
