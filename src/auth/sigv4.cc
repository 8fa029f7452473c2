#include "auth/sigv4.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/check.h"

namespace vecload::auth {
namespace {

constexpr std::string_view kHexUpper = "0123456789ABCDEF";
constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

using Digest = std::array<unsigned char, 32>;

Digest Hmac(std::string_view key, std::string_view text) {
  Digest digest;
  CHECK(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
             reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(),
             nullptr) != nullptr);
  return digest;
}

std::string_view View(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

// "20260102T030405Z".
std::string Timestamp(WallTime now) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now);
  const auto day = std::chrono::floor<std::chrono::days>(seconds);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(seconds - day);
  char text[64];
  std::snprintf(text, sizeof(text), "%04d%02u%02uT%02d%02d%02dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                static_cast<int>(time.seconds().count()));
  return text;
}

// Dot segments resolved, empty segments dropped, then every byte that is not unreserved encoded
// (again, where the path was encoded already: the rule for every service but S3).
std::string CanonicalPath(std::string_view path) {
  std::vector<std::string_view> segments;
  for (size_t begin = 0; begin < path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view segment = path.substr(begin, end - begin);
    if (segment == "..") {
      if (!segments.empty()) segments.pop_back();
    } else if (!segment.empty() && segment != ".") {
      segments.push_back(segment);
    }
    begin = end + 1;
  }
  std::string canonical;
  for (const std::string_view segment : segments) {
    canonical += '/';
    for (const char c : segment) {
      const bool unreserved = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                              (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' ||
                              c == '~';
      if (unreserved) {
        canonical += c;
      } else {
        const auto byte = static_cast<unsigned char>(c);
        canonical += '%';
        canonical += kHexUpper[byte >> 4];
        canonical += kHexUpper[byte & 15];
      }
    }
  }
  if (segments.empty() || path.ends_with('/')) canonical += '/';
  return canonical;
}

std::string CanonicalQuery(std::string_view query) {
  if (query.empty()) return {};
  std::vector<std::pair<std::string_view, std::string_view>> pairs;
  for (size_t begin = 0; begin <= query.size();) {
    const size_t end = std::min(query.find('&', begin), query.size());
    const std::string_view pair = query.substr(begin, end - begin);
    const size_t equals = std::min(pair.find('='), pair.size());
    pairs.emplace_back(pair.substr(0, equals), pair.substr(std::min(equals + 1, pair.size())));
    begin = end + 1;
  }
  std::sort(pairs.begin(), pairs.end());
  std::string canonical;
  for (const auto& [name, value] : pairs) {
    if (!canonical.empty()) canonical += '&';
    canonical.append(name).append("=").append(value);
  }
  return canonical;
}

bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// Without outer white space; inner runs of it become one space.
std::string CanonicalValue(std::string_view value) {
  std::string canonical;
  for (const char c : value) {
    if (!IsSpace(c)) {
      canonical += c;
    } else if (!canonical.empty() && canonical.back() != ' ') {
      canonical += ' ';
    }
  }
  if (canonical.ends_with(' ')) canonical.pop_back();
  return canonical;
}

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

// Headers that proxies and HTTP libraries change or add on the way, and those that signing sets.
bool IsSigned(std::string_view name) {
  constexpr std::string_view kUnsigned[] = {"authorization",  "expect",     "transfer-encoding",
                                            "user-agent",     "x-amz-date", "x-amz-security-token",
                                            "x-amzn-trace-id"};
  return std::find(std::begin(kUnsigned), std::end(kUnsigned), name) == std::end(kUnsigned);
}

// Name to value, sorted; a name given several times has its values joined by commas.
std::map<std::string, std::string> CanonicalHeaders(const SigningRequest& request) {
  std::map<std::string, std::string> canonical;
  for (const auto& [name, value] : request.headers) {
    std::string lower = LowerCase(name);
    if (!IsSigned(lower)) continue;
    const auto [place, is_new] = canonical.try_emplace(std::move(lower));
    if (!is_new) place->second += ',';
    place->second += CanonicalValue(value);
  }
  return canonical;
}

std::string Signature(const Credentials& credentials, const SigningScope& scope,
                      std::string_view date, std::string_view text) {
  const Digest date_key = Hmac("AWS4" + credentials.secret_key, date);
  const Digest region_key = Hmac(View(date_key), scope.region);
  const Digest service_key = Hmac(View(region_key), scope.service);
  const Digest signing_key = Hmac(View(service_key), "aws4_request");
  const PayloadHash signature = ToHex(Hmac(View(signing_key), text));
  return {signature.data(), signature.size()};
}

}  // namespace

std::vector<std::pair<std::string, std::string>> Sign(const SigningRequest& request,
                                                      const Credentials& credentials,
                                                      const SigningScope& scope, WallTime now) {
  const std::string timestamp = Timestamp(now);
  const std::string date = timestamp.substr(0, 8);
  std::vector<std::pair<std::string, std::string>> added = {{"x-amz-date", timestamp}};
  if (!credentials.session_token.empty()) {
    added.emplace_back("x-amz-security-token", credentials.session_token);
  }

  std::map<std::string, std::string> headers = CanonicalHeaders(request);
  for (const auto& [name, value] : added) headers[name] = CanonicalValue(value);
  std::string header_lines;
  std::string signed_names;
  for (const auto& [name, value] : headers) {
    header_lines.append(name).append(":").append(value).append("\n");
    signed_names.append(signed_names.empty() ? "" : ";").append(name);
  }

  std::string canonical_request(request.method);
  canonical_request.append("\n").append(CanonicalPath(request.path));
  canonical_request.append("\n").append(CanonicalQuery(request.query));
  canonical_request.append("\n").append(header_lines);
  canonical_request.append("\n").append(signed_names);
  canonical_request.append("\n").append(request.payload_hash);

  const std::string scope_text = date + "/" + scope.region + "/" + scope.service + "/aws4_request";
  const PayloadHash request_hash = Sha256Hex(canonical_request);
  std::string to_sign(kAlgorithm);
  to_sign.append("\n").append(timestamp).append("\n").append(scope_text).append("\n");
  to_sign.append(request_hash.data(), request_hash.size());

  std::string authorization(kAlgorithm);
  authorization.append(" Credential=").append(credentials.access_key).append("/");
  authorization.append(scope_text).append(", SignedHeaders=").append(signed_names);
  authorization.append(", Signature=").append(Signature(credentials, scope, date, to_sign));
  added.emplace_back("authorization", std::move(authorization));
  return added;
}

}  // namespace vecload::auth
