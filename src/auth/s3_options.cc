#include "auth/s3_options.h"

#include <cstdlib>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>

#include <arrow/filesystem/s3fs.h>

#include "auth/key_source.h"
#include "auth/profile_files.h"
#include "auth/sdk_chain.h"

namespace vecload::auth {
namespace {

// Arrow's own strategy tries 30 times: where S3 is silent, which takes the SDK 3 s to see, a
// request would last for minutes. This many take half a minute then, backing off exponentially.
constexpr int64_t kAttemptsMax = 5;

std::mutex sdk_mutex;  // Starting, ending, and the environment while a chain is opened.

// Sets a variable of the environment and puts the old state back at the end.
class ScopedVariable {
 public:
  // An empty value unsets it.
  ScopedVariable(const char* name, const std::string& value) : name_(name) {
    if (const char* old = std::getenv(name); old != nullptr) old_ = old;
    Set(value.empty() ? std::nullopt : std::optional(value));
  }
  ScopedVariable(const ScopedVariable&) = delete;
  ScopedVariable& operator=(const ScopedVariable&) = delete;
  ~ScopedVariable() { Set(old_); }

 private:
  void Set(const std::optional<std::string>& value) {
    const char* now = std::getenv(name_);
    // Left alone where nothing changes: writing races with readers in other threads.
    if (value.has_value() ? (now != nullptr && *value == now) : now == nullptr) return;
    if (value.has_value()) {
      setenv(name_, value->c_str(), 1);
    } else {
      unsetenv(name_);
    }
  }

  const char* name_;
  std::optional<std::string> old_;
};

Status FromArrow(const arrow::Status& status, std::string_view what) {
  if (status.ok()) return Status::Ok();
  return Status::Unavailable(std::string(what) + ": " + status.message());
}

// Called with sdk_mutex held.
Status StartSdk(const AwsSettings& settings) {
  if (arrow::fs::IsS3Finalized()) {
    return Status::Internal("The AWS SDK was ended already and cannot start again");
  }
  if (arrow::fs::IsS3Initialized()) return Status::Ok();
  const std::string ca_bundle = CaBundleOf(settings);
  if (!ca_bundle.empty()) {
    arrow::fs::FileSystemGlobalOptions options;
    options.tls_ca_file_path = ca_bundle;
    VECLOAD_RETURN_IF_ERROR(FromArrow(arrow::fs::Initialize(options), "Arrow's file systems"));
    // The SDK's own clients (STS, SSO) take no path; the OpenSSL below them reads this variable.
    setenv("SSL_CERT_FILE", ca_bundle.c_str(), settings.ca_bundle.empty() ? 0 : 1);
  }
  arrow::fs::S3GlobalOptions options = arrow::fs::S3GlobalOptions::Defaults();
  // Whatever ARROW_S3_LOG_LEVEL says: from `error` on the SDK's log holds what credential_process
  // wrote, from `debug` on signed headers and session tokens.
  options.log_level = arrow::fs::S3LogLevel::Fatal;
  return FromArrow(arrow::fs::InitializeS3(options), "The AWS SDK cannot start");
}

// Called with sdk_mutex held, as the SDK fixes profile and region when the options are made.
arrow::fs::S3Options SdkOptions(const AwsSettings& settings, const KeySource& source) {
  const ScopedVariable profile("AWS_PROFILE", source.sdk_profile);
  const ScopedVariable default_profile("AWS_DEFAULT_PROFILE", "");  // which the SDK prefers
  // Without a region the SDK would ask the EC2 metadata service, for 8 s where nobody answers.
  const ScopedVariable region("AWS_REGION",
                              settings.region.empty() ? "us-east-1" : settings.region);
  arrow::fs::S3Options options = arrow::fs::S3Options::Defaults();
  if (!source.role_arn.empty()) {
    options.ConfigureAssumeRoleCredentials(source.role_arn, source.role_session_name,
                                           source.role_external_id);
  }
  return options;
}

Status NoKeys(const AwsSettings& settings, const KeySource& source) {
  const std::string profile = "\"" + source.sdk_profile + "\"";
  if (!source.role_arn.empty()) {
    return Status::Denied("No AWS credentials: role " + source.role_arn + " of profile \"" +
                          settings.profile + "\" could not be assumed with the keys of profile " +
                          profile + "; try `aws sts get-caller-identity --profile " +
                          settings.profile + "` to see why");
  }
  if (source.uses_sso) {
    return Status::Denied("No AWS credentials: profile " + profile +
                          " uses SSO and gave none; run "
                          "`aws sso login --profile " +
                          source.sdk_profile +
                          "`, or use a profile with `credential_process = aws configure "
                          "export-credentials --profile " +
                          source.sdk_profile + " --format process`");
  }
  return Status::Denied(
      "No AWS credentials. Tried: AWS_ACCESS_KEY_ID, profile " + profile +
      " (keys, credential_process), web identity, the ECS and the EC2 metadata service. Set "
      "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, choose a --profile, or put `credential_process "
      "= aws configure export-credentials --profile NAME --format process` into one");
}

Result<Credentials> ReadOnce(const arrow::fs::S3Options& options, const AwsSettings& settings,
                             const KeySource& source) {
  if (arrow::fs::IsS3Finalized()) return Status::Denied("The AWS SDK was ended");
  Credentials credentials;
  credentials.access_key = options.GetAccessKey();
  // Each call walks the whole chain again where it finds nothing.
  if (credentials.access_key.empty()) return NoKeys(settings, source);
  credentials.secret_key = options.GetSecretKey();
  credentials.session_token = options.GetSessionToken();
  return credentials;
}

// "https://host:9000" -> scheme and endpoint_override. ReadAwsSettings checked the form.
Status SetEndpoint(const std::string& url, arrow::fs::S3Options* options) {
  options->endpoint_override.clear();
  if (url.empty()) return Status::Ok();
  const size_t scheme_end = url.find("://");
  options->scheme = url.substr(0, scheme_end);
  options->endpoint_override = url.substr(scheme_end + 3);
  if (options->endpoint_override.find('/') != std::string::npos) {
    return Status::InvalidArgument("The S3 endpoint " + url +
                                   " must have no path: see "
                                   "AWS_ENDPOINT_URL_S3");
  }
  return Status::Ok();
}

arrow::fs::S3Options OptionsWith(const Credentials& keys) {
  return arrow::fs::S3Options::FromAccessKey(keys.access_key, keys.secret_key, keys.session_token);
}

// Called with sdk_mutex held.
Result<arrow::fs::S3Options> OptionsWithKeys(const AwsSettings& settings) {
  VECLOAD_ASSIGN_OR_RETURN(KeySource source, ChooseKeySource(settings));
  // Temporary keys in a profile are replaced there, which the SDK follows and fixed keys do not.
  const bool renewed = source.kind == KeySource::Kind::kProfile &&
                       !source.credentials.session_token.empty() &&
                       EnvironmentVariable("AWS_ACCESS_KEY_ID").empty();
  if (renewed) {
    source.kind = KeySource::Kind::kSdk;
    source.sdk_profile = settings.profile;
  }
  if (source.kind != KeySource::Kind::kSdk) return OptionsWith(source.credentials);
  arrow::fs::S3Options options = SdkOptions(settings, source);
  VECLOAD_RETURN_IF_ERROR(ReadOnce(options, settings, source).status());
  return options;
}

}  // namespace

Result<ReadKeys> OpenSdkChain(const AwsSettings& settings, const KeySource& source) {
  const std::lock_guard lock(sdk_mutex);
  VECLOAD_RETURN_IF_ERROR(StartSdk(settings));
  return ReadKeys([options = SdkOptions(settings, source), settings, source] {
    return ReadOnce(options, settings, source);
  });
}

Result<std::shared_ptr<arrow::fs::FileSystem>> MakeS3FileSystem(const AwsSettings& settings,
                                                                const std::string& bucket,
                                                                const Credentials* keys) {
  const std::lock_guard lock(sdk_mutex);
  VECLOAD_RETURN_IF_ERROR(StartSdk(settings));
  VECLOAD_ASSIGN_OR_RETURN(arrow::fs::S3Options options,
                           keys != nullptr ? OptionsWith(*keys) : OptionsWithKeys(settings));
  VECLOAD_RETURN_IF_ERROR(SetEndpoint(settings.endpoint_s3, &options));
  options.tls_ca_file_path = CaBundleOf(settings);
  options.retry_strategy = arrow::fs::S3RetryStrategy::GetAwsStandardRetryStrategy(kAttemptsMax);
  options.region = settings.region;
  if (options.region.empty() && !settings.endpoint_s3.empty()) options.region = "us-east-1";
  const ScopedVariable region("AWS_REGION", options.region.empty() ? "us-east-1" : options.region);
  if (options.region.empty()) {
    arrow::Result<std::string> found = arrow::fs::ResolveS3BucketRegion(bucket);
    if (!found.ok()) {
      return Status::Unavailable(
          "The region of S3 bucket \"" + bucket +
          "\" could not be found; set AWS_REGION or --source-region: " + found.status().message());
    }
    options.region = *std::move(found);
  }
  arrow::Result<std::shared_ptr<arrow::fs::S3FileSystem>> made =
      arrow::fs::S3FileSystem::Make(options);
  if (!made.ok()) return FromArrow(made.status(), "S3 for bucket \"" + bucket + "\"");
  return std::shared_ptr<arrow::fs::FileSystem>(*std::move(made));
}

void ShutdownS3() {
  const std::lock_guard lock(sdk_mutex);
  // Nothing is left to be done about a failure.
  static_cast<void>(arrow::fs::EnsureS3Finalized());
}

}  // namespace vecload::auth
