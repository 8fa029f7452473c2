#pragma once

#include <map>
#include <string>
#include <string_view>

#include "auth/sigv4.h"

// Internal to auth: what the two ends of a signature must agree on, byte by byte.
namespace vecload::auth {

inline constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
inline constexpr std::string_view kTerminator = "aws4_request";
inline constexpr size_t kDateLength = 8;  // of "20260102" in "20260102T030405Z"

// Lower-case name to canonical value; a name given several times has its values joined by commas.
using CanonicalHeaders = std::map<std::string, std::string, std::less<>>;

// "20260102T030405Z".
std::string SigningTime(WallTime now);
std::string LowerCase(std::string_view text);
// Without outer white space; inner runs of it become one space.
std::string CanonicalValue(std::string_view value);
// "host;x-amz-date".
std::string SignedNames(const CanonicalHeaders& headers);
// "20260102/us-east-1/s3vectors/aws4_request".
std::string ScopeText(const SigningScope& scope, std::string_view time);

// The signature, in hex, of the request with these headers; request.headers is not looked at.
std::string Signature(const SigningRequest& request, const CanonicalHeaders& headers,
                      const std::string& secret_key, const SigningScope& scope,
                      std::string_view time);

}  // namespace vecload::auth
