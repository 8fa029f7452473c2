#include "auth/verify.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <openssl/crypto.h>

#include "auth/canonical_request.h"

namespace vecload::auth {
namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;

constexpr size_t kSignatureLength = 64;
// Far more than any client signs; each is looked up for each header, before anything is proven.
constexpr size_t kSignedHeadersMax = 100;

Refusal Missing(std::string message) {
  return {"MissingAuthenticationTokenException", std::move(message)};
}
Refusal Incomplete(std::string message) {
  return {"IncompleteSignatureException", std::move(message)};
}
Refusal Invalid(std::string message) { return {"InvalidSignatureException", std::move(message)}; }
Refusal UnknownClient() {
  return {"UnrecognizedClientException", "The security token included in the request is invalid."};
}
Refusal WrongSignature() {
  return Invalid(
      "The request signature we calculated does not match the signature you provided. Check your "
      "secret key, and that nothing changes the request on its way.");
}

// The header's value where it was sent exactly once.
std::optional<std::string_view> OnlyHeader(const Headers& headers, std::string_view lower_name) {
  std::optional<std::string_view> found;
  for (const auto& [name, value] : headers) {
    if (LowerCase(name) != lower_name) continue;
    if (found) return std::nullopt;
    found = value;
  }
  return found;
}

std::string_view Trim(std::string_view text) {
  const size_t begin = std::min(text.find_first_not_of(" \t"), text.size());
  const size_t end = text.find_last_not_of(" \t");
  return end == std::string_view::npos ? std::string_view() : text.substr(begin, end + 1 - begin);
}

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(separator, begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

bool IsHex(std::string_view text) {
  return std::ranges::all_of(
      text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

std::optional<Refusal> ParseCredential(std::string_view text, Authorization* out) {
  const std::vector<std::string_view> parts = Split(text, '/');
  if (parts.size() != 5 || std::ranges::any_of(parts, &std::string_view::empty)) {
    return Incomplete("Credential must be ACCESS-KEY/YYYYMMDD/REGION/SERVICE/aws4_request");
  }
  out->access_key = parts[0];
  out->date = parts[1];
  out->region = parts[2];
  out->service = parts[3];
  out->terminator = parts[4];
  return std::nullopt;
}

// "20260102T030405Z"; nullopt for any other form, and for days that there are not.
std::optional<WallTime> ParseTime(std::string_view text) {
  if (text.size() != 16 || text[8] != 'T' || text[15] != 'Z') return std::nullopt;
  constexpr std::array<std::pair<size_t, size_t>, 6> kFields = {
      {{0, 4}, {4, 2}, {6, 2}, {9, 2}, {11, 2}, {13, 2}}};
  std::array<unsigned, 6> values{};
  for (size_t i = 0; i < kFields.size(); ++i) {
    const char* const begin = text.data() + kFields[i].first;
    const char* const end = begin + kFields[i].second;
    const auto [stop, error] = std::from_chars(begin, end, values[i]);
    if (error != std::errc() || stop != end) return std::nullopt;
  }
  const std::chrono::year_month_day day(std::chrono::year(static_cast<int>(values[0])),
                                        std::chrono::month(values[1]), std::chrono::day(values[2]));
  // Nanoseconds reach from 1678 to 2262.
  if (!day.ok() || values[0] < 1970 || values[0] > 2200) return std::nullopt;
  if (values[3] > 23 || values[4] > 59 || values[5] > 59) return std::nullopt;
  return WallTime(std::chrono::sys_days(day)) + std::chrono::hours(values[3]) +
         std::chrono::minutes(values[4]) + std::chrono::seconds(values[5]);
}

bool IsIn(std::string_view name, const std::vector<std::string_view>& names) {
  return std::ranges::find(names, name) != names.end();
}

// An x-amz-* header that is not signed might have been put there by anyone.
std::optional<Refusal> CheckSignedHeaders(const Headers& headers, const Authorization& claim) {
  for (const std::string_view required : {"host", "x-amz-date"}) {
    if (!IsIn(required, claim.signed_headers)) {
      return Invalid("'" + std::string(required) + "' must be among the SignedHeaders");
    }
  }
  for (const auto& [name, value] : headers) {
    const std::string lower = LowerCase(name);
    if (lower.starts_with("x-amz-") && !IsIn(lower, claim.signed_headers)) {
      return Invalid("'" + lower + "' was sent, so it must be among the SignedHeaders");
    }
  }
  return std::nullopt;
}

// The headers that were signed, as they came; a name that did not come is left out.
CanonicalHeaders SignedHeaders(const Headers& headers, const Authorization& claim) {
  CanonicalHeaders canonical;
  for (const auto& [name, value] : headers) {
    std::string lower = LowerCase(name);
    if (!IsIn(lower, claim.signed_headers)) continue;
    const auto [place, is_new] = canonical.try_emplace(std::move(lower));
    if (!is_new) place->second += ',';
    place->second += CanonicalValue(value);
  }
  return canonical;
}

}  // namespace

bool IsSameSecret(std::string_view left, std::string_view right) {
  return left.size() == right.size() && CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

std::optional<Refusal> ParseAuthorization(std::string_view header, Authorization* out) {
  header = Trim(header);
  const size_t space = std::min(header.find(' '), header.size());
  if (header.substr(0, space) != kAlgorithm) {
    return Incomplete("The Authorization header must begin with AWS4-HMAC-SHA256");
  }
  std::string_view credential;
  std::string_view signed_headers;
  std::string_view signature;
  for (const std::string_view part : Split(header.substr(space), ',')) {
    const std::string_view item = Trim(part);
    const size_t equals = std::min(item.find('='), item.size());
    const std::string_view name = item.substr(0, equals);
    std::string_view* value = name == "Credential"      ? &credential
                              : name == "SignedHeaders" ? &signed_headers
                              : name == "Signature"     ? &signature
                                                        : nullptr;
    if (value == nullptr || !value->empty() || equals == item.size()) {
      return Incomplete(
          "The Authorization header must have Credential, SignedHeaders and Signature, once each, "
          "and nothing else");
    }
    *value = item.substr(equals + 1);
  }
  if (credential.empty()) return Incomplete("The Authorization header has no Credential");
  if (signed_headers.empty()) return Incomplete("The Authorization header has no SignedHeaders");
  if (signature.size() != kSignatureLength || !IsHex(signature)) {
    return Incomplete("The Authorization header's Signature must be 64 hexadecimal digits");
  }
  out->signed_headers = Split(signed_headers, ';');
  if (out->signed_headers.size() > kSignedHeadersMax) {
    return Incomplete("The Authorization header has more than 100 SignedHeaders");
  }
  out->signature = signature;
  return ParseCredential(credential, out);
}

std::optional<Refusal> Verifier::Check(const ReceivedRequest& request) const {
  const size_t question = std::min(request.target.find('?'), request.target.size());
  if (request.target.find("X-Amz-Signature=", question) != std::string_view::npos ||
      request.target.find("X-Amz-Algorithm=", question) != std::string_view::npos) {
    return Incomplete(
        "Presigned URLs are not taken here: sign the request by an Authorization header");
  }
  const auto is_authorization = [](const auto& header) {
    return LowerCase(header.first) == "authorization";
  };
  if (std::ranges::none_of(request.headers, is_authorization)) {
    return Missing("Missing Authentication Token: the request is not signed");
  }
  const auto header = OnlyHeader(request.headers, "authorization");
  if (!header) return Incomplete("There must be one Authorization header");
  Authorization claim;
  if (auto refusal = ParseAuthorization(*header, &claim)) return refusal;
  const auto time = OnlyHeader(request.headers, "x-amz-date");
  if (!time) return Incomplete("There must be one X-Amz-Date header");

  const Credentials* keys = keys_.Find(claim.access_key);
  const auto token = OnlyHeader(request.headers, "x-amz-security-token");
  if (keys == nullptr || !IsSameSecret(token.value_or(""), keys->session_token)) {
    return UnknownClient();
  }
  if (auto refusal = CheckScope(claim)) return refusal;
  if (auto refusal = CheckTime(*time, claim)) return refusal;
  if (auto refusal = CheckSignedHeaders(request.headers, claim)) return refusal;
  return CheckSignature(request, claim, keys->secret_key);
}

std::optional<Refusal> Verifier::CheckScope(const Authorization& claim) const {
  if (claim.region != scope_.region) {
    return Invalid("Credential should be scoped to a valid region: '" + scope_.region + "'");
  }
  if (claim.service != scope_.service) {
    return Invalid("Credential should be scoped to correct service: '" + scope_.service + "'");
  }
  if (claim.terminator != kTerminator) {
    return Invalid("Credential should be scoped with a valid terminator: 'aws4_request'");
  }
  return std::nullopt;
}

std::optional<Refusal> Verifier::CheckTime(std::string_view text,
                                           const Authorization& claim) const {
  const auto time = ParseTime(text);
  if (!time) return Incomplete("X-Amz-Date must have the form YYYYMMDDTHHMMSSZ");
  if (claim.date != text.substr(0, kDateLength)) {
    return Invalid("The date in the Credential's scope is not that of X-Amz-Date");
  }
  const WallTime now = clock_.WallNow();
  const std::string bounds = SigningTime(now);
  if (*time < now - kSkewMax) {
    return Invalid("Signature expired: " + std::string(text) + " is now earlier than " +
                   SigningTime(now - kSkewMax) + " (" + bounds + " - 5 min.)");
  }
  if (*time > now + kSkewMax) {
    return Invalid("Signature not yet current: " + std::string(text) + " is still later than " +
                   SigningTime(now + kSkewMax) + " (" + bounds + " + 5 min.)");
  }
  return std::nullopt;
}

std::optional<Refusal> Verifier::CheckSignature(const ReceivedRequest& request,
                                                const Authorization& claim,
                                                const std::string& secret_key) const {
  const CanonicalHeaders headers = SignedHeaders(request.headers, claim);
  if (headers.size() != claim.signed_headers.size()) {
    return Invalid("The SignedHeaders name a header that did not come");
  }
  // Of the body that came, whatever the sender says of it: unsigned payloads are not taken.
  const PayloadHash hash = Sha256Hex(request.body);
  const std::string_view payload_hash(hash.data(), hash.size());
  const auto claimed = headers.find("x-amz-content-sha256");
  if (claimed != headers.end() && claimed->second != payload_hash) {
    return Invalid("The X-Amz-Content-SHA256 header is not the SHA-256 of the body");
  }
  const size_t question = std::min(request.target.find('?'), request.target.size());
  SigningRequest signed_request;
  signed_request.method = request.method;
  signed_request.path = request.target.substr(0, question);
  signed_request.query = request.target.substr(std::min(question + 1, request.target.size()));
  signed_request.payload_hash = payload_hash;
  const std::string time = headers.at("x-amz-date");
  const std::string expected = Signature(signed_request, headers, secret_key, scope_, time);
  if (!IsSameSecret(expected, claim.signature)) return WrongSignature();
  return std::nullopt;
}

}  // namespace vecload::auth
