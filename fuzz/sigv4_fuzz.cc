// Checks a request whose Authorization header is the input's first line and whose X-Amz-Date and
// body are the rest. Whatever comes in: it is refused with one of the service's names, since a
// signature cannot be guessed, and what the parser found lies within the header.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "auth/verify.h"
#include "base/check.h"

namespace {

using vecload::auth::Authorization;
using vecload::auth::KeyRing;
using vecload::auth::Verifier;

const Verifier& KnownVerifier() {
  static vecload::ManualClock clock;
  static const Verifier verifier = [] {
    clock.SetWall(std::chrono::sys_days(std::chrono::year(2026) / 1 / 2));
    KeyRing keys;
    CHECK(keys.Add({"AKID", "a-secret-that-no-input-knows", ""}).ok());
    return Verifier(std::move(keys), {"us-east-1", "s3vectors"}, clock);
  }();
  return verifier;
}

bool LiesWithin(std::string_view part, std::string_view whole) {
  const std::less_equal<> not_after;
  return part.empty() || (not_after(whole.data(), part.data()) &&
                          not_after(part.data() + part.size(), whole.data() + whole.size()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  const auto next_line = [&rest] {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    return std::string(line);
  };
  const std::string header = next_line();
  const std::string date = next_line();

  Authorization claim;
  if (!ParseAuthorization(header, &claim)) {
    for (const std::string_view part :
         {claim.access_key, claim.date, claim.region, claim.service, claim.terminator}) {
      CHECK(!part.empty() && LiesWithin(part, header));
    }
    CHECK(claim.signature.size() == 64 && LiesWithin(claim.signature, header));
    CHECK(!claim.signed_headers.empty());
    for (const std::string_view name : claim.signed_headers) CHECK(LiesWithin(name, header));
  }
  const std::vector<std::pair<std::string, std::string>> headers = {
      {"Host", "h"}, {"X-Amz-Date", date}, {"Authorization", header}};
  const auto refusal = KnownVerifier().Check({"POST", "/PutVectors", headers, rest});
  CHECK(refusal.has_value());
  CHECK(refusal->aws_code.ends_with("Exception"));
  return 0;
}
