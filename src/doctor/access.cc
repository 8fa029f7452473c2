#include "doctor/access.h"

#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "auth/key_source.h"
#include "doctor/bounded.h"

namespace vecload::doctor {
namespace {

// The service refuses signatures of another time than its own by more than five minutes; vecload
// signs by the service's clock, other programs do not.
constexpr double kSkewWarnedS = 60;

std::string KeysFrom(const auth::KeySource& source, const auth::AwsSettings& settings) {
  switch (source.kind) {
    case auth::KeySource::Kind::kEnvironment:
      return "AWS_ACCESS_KEY_ID in the environment";
    case auth::KeySource::Kind::kProfile:
      return fmt::format("keys in the AWS profile \"{}\"", settings.profile);
    case auth::KeySource::Kind::kSdk:
      break;
  }
  if (!source.role_arn.empty()) return "the role " + source.role_arn;
  if (source.uses_sso) return fmt::format("single sign-on of profile \"{}\"", settings.profile);
  return fmt::format("the AWS SDK's chain of profile \"{}\"", settings.profile);
}

// Keys that the program gives itself come from no setting.
Result<std::string> OriginOf(const ClientOptions& options, const auth::AwsSettings& settings) {
  if (options.keys) return std::string("the calling program");
  VECLOAD_ASSIGN_OR_RETURN(const auth::KeySource source, auth::ChooseKeySource(settings));
  return KeysFrom(source, settings);
}

using Provider = Result<std::shared_ptr<auth::CredentialProvider>>;

Provider FindKeys(const ClientOptions& options, const auth::AwsSettings& settings) {
  if (!options.keys) return auth::CredentialProvider::FromChain(settings);
  return auth::CredentialProvider::FromSource(options.keys);
}

std::string StageName(http::Probe::Stage stage) {
  switch (stage) {
    case http::Probe::Stage::kName:
      return "its name has no address";
    case http::Probe::Stage::kConnect:
      return "nothing accepts connections there";
    case http::Probe::Stage::kTls:
      return "TLS failed";
    case http::Probe::Stage::kAnswer:
    case http::Probe::Stage::kDone:
      break;
  }
  return "it accepts connections and does not answer";
}

std::string AdviceFor(const http::Probe& probe) {
  switch (probe.reached) {
    case http::Probe::Stage::kName:
      return "check region and endpoint for typing errors, and this machine's DNS";
    case http::Probe::Stage::kConnect:
      return "check port, firewall, VPC endpoint and proxy (HTTPS_PROXY); a local server has to be "
             "started: vecload serve";
    case http::Probe::Stage::kTls:
      return probe.is_certificate
                 ? "name the certificates to trust with AWS_CA_BUNDLE, or renew the server's; if "
                   "a proxy opens TLS, the bundle needs its certificate"
                 : "check that the endpoint speaks https, not http, and whether a proxy cuts TLS "
                   "off";
    case http::Probe::Stage::kAnswer:
    case http::Probe::Stage::kDone:
      break;
  }
  return "check that the endpoint is S3 Vectors, and whether a firewall or proxy holds answers "
         "back";
}

Check EndpointCheck(const Access& access, const http::Probe& probe) {
  const std::string& origin =
      access.settings.ok() ? access.settings->endpoint_s3vectors_origin : "";
  std::string found =
      access.endpoint_url + " (" + (origin.empty() ? "the region's own" : "by " + origin) + ")";
  if (!probe.address.empty()) found += ", " + probe.address;
  if (probe.reached != http::Probe::Stage::kDone) {
    return {.name = "endpoint",
            .result = CheckResult::kFailed,
            .found = fmt::format("{}: {}: {}", found, StageName(probe.reached), probe.failure),
            .advice = AdviceFor(probe)};
  }
  return {.name = "endpoint",
          .result = CheckResult::kOk,
          .found = fmt::format("{}: answers in {:.0f} ms", found, Seconds(probe.latency) * 1e3)};
}

Check TlsCheck(const Access& access, const http::Probe& probe) {
  if (!access.endpoint_url.starts_with("https://")) {
    const bool is_local = access.endpoint_url.find("://127.") != std::string::npos ||
                          access.endpoint_url.find("://localhost") != std::string::npos ||
                          access.endpoint_url.find("://[::1]") != std::string::npos;
    Check check{.name = "tls",
                .result = is_local ? CheckResult::kOk : CheckResult::kWarning,
                .found = "none: the endpoint is http"};
    if (!is_local) check.advice = "vectors and metadata go over the network unencrypted: use https";
    return check;
  }
  Check check{.name = "tls", .result = CheckResult::kOk, .found = probe.tls};
  if (!probe.certificate_expires.empty()) {
    check.found += fmt::format("; certificate of {} by {}, until {}", probe.certificate_subject,
                               probe.certificate_issuer, probe.certificate_expires);
  }
  return check;
}

Check ClockCheck(const http::Probe& probe, WallTime now) {
  const Result<WallTime> server = client::ParseHttpDate(probe.date);
  if (!server.ok()) {
    return {.name = "clock",
            .result = CheckResult::kWarning,
            .found = "the endpoint does not tell its time",
            .advice = "make sure that this machine's clock is right: signatures hold five minutes"};
  }
  const double ahead_s = Seconds(now - *server);
  // The header has whole seconds, rounded down.
  const double skew_s = std::abs(ahead_s - 0.5);
  if (skew_s < kSkewWarnedS) {
    return {.name = "clock",
            .result = CheckResult::kOk,
            .found = fmt::format("within {:.0f} s of the endpoint's", std::ceil(skew_s))};
  }
  return {.name = "clock",
          .result = CheckResult::kWarning,
          .found = fmt::format("this machine's is {:.0f} s {} the endpoint's", skew_s,
                               ahead_s > 0 ? "ahead of" : "behind"),
          .advice =
              "set the clock (NTP): vecload signs by the service's, but other programs are "
              "refused beyond five minutes"};
}

}  // namespace

std::string ShortKeyId(const std::string& access_key) {
  constexpr size_t kShown = 4;
  // Of a short one nothing may be left to guess.
  if (access_key.size() < 4 * kShown) return "(a key of unusual form)";
  return access_key.substr(0, kShown) + "..." + access_key.substr(access_key.size() - kShown);
}

Check CheckRegion(const ClientOptions& options, Access* access) {
  access->settings = auth::ReadAwsSettings(options.profile, options.region, options.endpoint_url);
  if (!access->settings.ok()) {
    return {.name = "region",
            .result = CheckResult::kFailed,
            .found = access->settings.status().message(),
            .advice = "correct the setting that is named"};
  }
  const auth::AwsSettings& settings = *access->settings;
  if (settings.region.empty()) {
    return {.name = "region",
            .result = CheckResult::kFailed,
            .found = "none is set",
            .advice = "pass --region, or set AWS_REGION or region in the AWS profile"};
  }
  access->endpoint_url = settings.endpoint_s3vectors;
  if (access->endpoint_url.empty()) {
    const Result<std::string> own = client::DefaultEndpoint(settings.region);
    if (own.ok()) access->endpoint_url = *own;
  }
  return {.name = "region",
          .result = CheckResult::kOk,
          .found = fmt::format("{} (by {})", settings.region, settings.region_origin)};
}

Check CheckCredentials(const ClientOptions& options, Duration limit, Access* access,
                       bool* left_behind) {
  const std::string name = "credentials";
  if (!access->settings.ok()) {
    return {.name = name, .result = CheckResult::kSkipped, .found = "the settings cannot be read"};
  }
  const auth::AwsSettings settings = *access->settings;
  const Result<std::string> origin = OriginOf(options, settings);
  // What auth says of keys that it does not find tells what to do.
  const auto failed = [&](const std::string& found, const std::string& advice) -> Check {
    return {.name = name, .result = CheckResult::kFailed, .found = found, .advice = advice};
  };
  if (!origin.ok()) return failed(origin.status().message(), "");
  const auto found =
      Bounded<Provider>(limit, [options, settings] { return FindKeys(options, settings); });
  if (!found.has_value()) {
    *left_behind = true;
    return failed(fmt::format("{} gave none within {:.0f} s", *origin, Seconds(limit)),
                  "run what gives the keys by hand, or set AWS_ACCESS_KEY_ID and "
                  "AWS_SECRET_ACCESS_KEY");
  }
  if (!found->ok()) return failed(found->status().message(), "");
  access->credentials = **found;
  const auto keys = access->credentials->Current();
  return {
      .name = name,
      .result = CheckResult::kOk,
      .found = fmt::format("{}{} (from {})", ShortKeyId(keys->access_key),
                           keys->session_token.empty() ? "" : " with a session token", *origin)};
}

std::vector<Check> ChecksOfEndpoint(const Access& access, const http::Probe& probe, WallTime now) {
  std::vector<Check> checks = {EndpointCheck(access, probe)};
  if (probe.reached == http::Probe::Stage::kDone) {
    checks.push_back(TlsCheck(access, probe));
    checks.push_back(ClockCheck(probe, now));
  }
  return checks;
}

}  // namespace vecload::doctor
