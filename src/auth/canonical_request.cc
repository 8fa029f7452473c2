#include "auth/canonical_request.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <vector>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/check.h"

namespace vecload::auth {
namespace {

constexpr std::string_view kHexUpper = "0123456789ABCDEF";

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

Digest SigningKey(const std::string& secret_key, const SigningScope& scope, std::string_view date) {
  const Digest date_key = Hmac("AWS4" + secret_key, date);
  const Digest region_key = Hmac(View(date_key), scope.region);
  const Digest service_key = Hmac(View(region_key), scope.service);
  return Hmac(View(service_key), kTerminator);
}

}  // namespace

std::string SigningTime(WallTime now) {
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

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

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

std::string SignedNames(const CanonicalHeaders& headers) {
  std::string names;
  for (const auto& [name, value] : headers) {
    names.append(names.empty() ? "" : ";").append(name);
  }
  return names;
}

std::string ScopeText(const SigningScope& scope, std::string_view time) {
  std::string text(time.substr(0, kDateLength));
  text.append("/").append(scope.region).append("/").append(scope.service);
  return text.append("/").append(kTerminator);
}

std::string Signature(const SigningRequest& request, const CanonicalHeaders& headers,
                      const std::string& secret_key, const SigningScope& scope,
                      std::string_view time) {
  std::string canonical(request.method);
  canonical.append("\n").append(CanonicalPath(request.path));
  canonical.append("\n").append(CanonicalQuery(request.query)).append("\n");
  for (const auto& [name, value] : headers) {
    canonical.append(name).append(":").append(value).append("\n");
  }
  canonical.append("\n").append(SignedNames(headers));
  canonical.append("\n").append(request.payload_hash);

  const PayloadHash canonical_hash = Sha256Hex(canonical);
  std::string to_sign(kAlgorithm);
  to_sign.append("\n").append(time).append("\n").append(ScopeText(scope, time)).append("\n");
  to_sign.append(canonical_hash.data(), canonical_hash.size());
  const Digest key = SigningKey(secret_key, scope, time.substr(0, kDateLength));
  const PayloadHash signature = ToHex(Hmac(View(key), to_sign));
  return {signature.data(), signature.size()};
}

}  // namespace vecload::auth
