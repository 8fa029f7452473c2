#include "auth/sigv4.h"

#include <algorithm>
#include <iterator>

#include "auth/canonical_request.h"

namespace vecload::auth {
namespace {

// Headers that proxies and HTTP libraries change or add on the way, and those that signing sets.
bool IsSigned(std::string_view name) {
  constexpr std::string_view kUnsigned[] = {"authorization",  "expect",     "transfer-encoding",
                                            "user-agent",     "x-amz-date", "x-amz-security-token",
                                            "x-amzn-trace-id"};
  return std::find(std::begin(kUnsigned), std::end(kUnsigned), name) == std::end(kUnsigned);
}

CanonicalHeaders HeadersToSign(const SigningRequest& request) {
  CanonicalHeaders canonical;
  for (const auto& [name, value] : request.headers) {
    std::string lower = LowerCase(name);
    if (!IsSigned(lower)) continue;
    const auto [place, is_new] = canonical.try_emplace(std::move(lower));
    if (!is_new) place->second += ',';
    place->second += CanonicalValue(value);
  }
  return canonical;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> Sign(const SigningRequest& request,
                                                      const Credentials& credentials,
                                                      const SigningScope& scope, WallTime now) {
  const std::string time = SigningTime(now);
  std::vector<std::pair<std::string, std::string>> added = {{"x-amz-date", time}};
  if (!credentials.session_token.empty()) {
    added.emplace_back("x-amz-security-token", credentials.session_token);
  }
  CanonicalHeaders headers = HeadersToSign(request);
  for (const auto& [name, value] : added) headers[name] = CanonicalValue(value);

  std::string authorization(kAlgorithm);
  authorization.append(" Credential=").append(credentials.access_key).append("/");
  authorization.append(ScopeText(scope, time));
  authorization.append(", SignedHeaders=").append(SignedNames(headers));
  authorization.append(", Signature=")
      .append(Signature(request, headers, credentials.secret_key, scope, time));
  added.emplace_back("authorization", std::move(authorization));
  return added;
}

}  // namespace vecload::auth
