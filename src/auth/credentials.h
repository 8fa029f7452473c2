#pragma once

#include <memory>
#include <string>

#include "auth/sigv4.h"
#include "vecload/aws_keys.h"
#include "vecload/status.h"

namespace vecload::auth {

// What AWS's environment variables and config files say, for S3 Vectors and for S3.
struct AwsSettings {
  std::string profile;               // argument, AWS_PROFILE, AWS_DEFAULT_PROFILE, "default"
  bool profile_is_argument = false;  // then its keys win over those in the environment
  std::string region;                // empty: not found
  // Without a trailing slash; empty: AWS's own.
  std::string endpoint_s3vectors;  // flag, AWS_ENDPOINT_URL_S3VECTORS, AWS_ENDPOINT_URL, profile
  std::string endpoint_s3;         // AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, profile
  std::string ca_bundle;           // AWS_CA_BUNDLE, profile's ca_bundle; empty: see CaBundleOf
  // Who gave them, for people: "--region", "AWS_REGION", "region in the AWS profile". Empty where
  // nobody did.
  std::string region_origin;
  std::string endpoint_s3vectors_origin;
};

// Arguments win over the environment, the environment over files. kInvalidArgument: a profile that
// was named does not exist, a file cannot be parsed, or a value makes no sense.
Result<AwsSettings> ReadAwsSettings(const std::string& profile, const std::string& region,
                                    const std::string& endpoint_url);

// The certificate bundle of this machine, or empty where none of the usual places has one. Arrow's
// wheel, and a libcurl that travels with ours, were built on another distribution and do not find
// it by themselves. `root` stands before the places, for tests.
std::string SystemCaBundle(const std::string& root = {});
// What TLS is to be verified against.
std::string CaBundleOf(const AwsSettings& settings);

// Gives the keys to sign with. Thread-safe; Current never blocks on a network once Load was ok.
class CredentialProvider {
 public:
  // The AWS chain of the settings' profile: environment, static profile, credential_process, web
  // identity, ECS and IMDS through Arrow; role_arn with source_profile or credential_source through
  // AssumeRole. kDenied with what was tried and what to do where nothing gives keys.
  static Result<std::shared_ptr<CredentialProvider>> FromChain(const AwsSettings& settings);
  static std::shared_ptr<CredentialProvider> FromKeys(Credentials credentials);
  // Keys that `read` gives, asked again every minute and on Refresh, on a thread of its own; a
  // reading that is late is left behind, so `read` must own what it uses. Its failure where the
  // first reading fails.
  static Result<std::shared_ptr<CredentialProvider>> FromSource(AwsKeysCallback read);

  virtual ~CredentialProvider() = default;
  // The newest complete triple.
  [[nodiscard]] virtual std::shared_ptr<const Credentials> Current() const = 0;
  // Asks for newer keys after the service called these expired; returns once a new triple was
  // accepted or the attempt failed. Never called on the I/O thread.
  virtual Status Refresh() = 0;
};

}  // namespace vecload::auth
