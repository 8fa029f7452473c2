#include "auth/key_source.h"

#include <utility>

#include "auth/profile_files.h"

namespace vecload::auth {
namespace {

std::string ExportAdvice(const std::string& profile) {
  return "let the AWS CLI do it: a profile with `credential_process = aws configure "
         "export-credentials --profile " +
         profile + " --format process`";
}

// The keys under these three names; kDenied where only one of the first two is there.
Result<Credentials> WholeKeys(std::string access_key, std::string secret_key, std::string token,
                              const std::string& where) {
  if (access_key.empty() != secret_key.empty()) {
    return Status::Denied(where + (access_key.empty() ? " has a secret key without an access key"
                                                      : " has an access key without a secret key"));
  }
  return Credentials{std::move(access_key), std::move(secret_key), std::move(token)};
}

Result<Credentials> EnvironmentKeys() {
  return WholeKeys(EnvironmentVariable("AWS_ACCESS_KEY_ID"),
                   EnvironmentVariable("AWS_SECRET_ACCESS_KEY"),
                   EnvironmentVariable("AWS_SESSION_TOKEN"),
                   "The environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY)");
}

bool UsesSso(const IniSection& profile) {
  return profile.contains("sso_session") || profile.contains("sso_start_url");
}

// For a profile with role_arn: which profile's keys assume the role.
Result<std::string> BaseProfile(const AwsSettings& settings, const IniSection& profile,
                                const ProfileFiles& files) {
  const std::string subject = "AWS profile \"" + settings.profile + "\"";
  if (profile.contains("mfa_serial")) {
    return Status::Denied(subject +
                          " needs an MFA code (mfa_serial), which vecload cannot ask "
                          "for; " +
                          ExportAdvice(settings.profile));
  }
  const std::string& source = ValueOf(profile, "source_profile");
  const std::string& kind = ValueOf(profile, "credential_source");
  if (source.empty() == kind.empty()) {
    return Status::InvalidArgument(subject +
                                   " has role_arn and must have either source_profile or "
                                   "credential_source");
  }
  if (!kind.empty()) {
    if (kind != "Environment" && kind != "Ec2InstanceMetadata" && kind != "EcsContainer") {
      return Status::InvalidArgument(subject +
                                     ": credential_source must be Environment, "
                                     "Ec2InstanceMetadata or EcsContainer");
    }
    return settings.profile;
  }
  const IniSection* base = files.FindProfile(source);
  if (base == nullptr) {
    return Status::InvalidArgument(subject + ": its source_profile \"" + source +
                                   "\" does not exist in " + files.where());
  }
  const bool chained = base->contains("role_arn") && !base->contains("web_identity_token_file");
  if (chained && source != settings.profile) {
    return Status::Denied(subject + ": its source_profile \"" + source +
                          "\" assumes a role itself, which vecload cannot do twice; " +
                          ExportAdvice(settings.profile));
  }
  return source;
}

Result<KeySource> RoleSource(const AwsSettings& settings, const IniSection& profile,
                             const ProfileFiles& files) {
  KeySource source;
  VECLOAD_ASSIGN_OR_RETURN(source.sdk_profile, BaseProfile(settings, profile, files));
  source.role_arn = ValueOf(profile, "role_arn");
  source.role_session_name = ValueOf(profile, "role_session_name");
  source.role_external_id = ValueOf(profile, "external_id");
  const IniSection* base = files.FindProfile(source.sdk_profile);
  source.uses_sso = base != nullptr && UsesSso(*base);
  return source;
}

}  // namespace

Result<KeySource> ChooseKeySource(const AwsSettings& settings) {
  KeySource source;
  VECLOAD_ASSIGN_OR_RETURN(Credentials environment, EnvironmentKeys());
  const bool in_environment = !environment.access_key.empty();
  if (in_environment && !settings.profile_is_argument) {
    source.kind = KeySource::Kind::kEnvironment;
    source.credentials = std::move(environment);
    return source;
  }

  VECLOAD_ASSIGN_OR_RETURN(const ProfileFiles files, ProfileFiles::Read());
  const IniSection none;
  const IniSection* profile = files.FindProfile(settings.profile);
  if (profile == nullptr) profile = &none;
  const bool assumes =
      profile->contains("role_arn") && !profile->contains("web_identity_token_file");
  if (assumes) {
    VECLOAD_ASSIGN_OR_RETURN(source, RoleSource(settings, *profile, files));
  } else {
    VECLOAD_ASSIGN_OR_RETURN(source.credentials,
                             WholeKeys(ValueOf(*profile, "aws_access_key_id"),
                                       ValueOf(*profile, "aws_secret_access_key"),
                                       ValueOf(*profile, "aws_session_token"),
                                       "AWS profile \"" + settings.profile + "\""));
    if (!source.credentials.access_key.empty()) {
      source.kind = KeySource::Kind::kProfile;
      return source;
    }
    source.sdk_profile = settings.profile;
    source.uses_sso = UsesSso(*profile);
  }

  // The SDK prefers the environment whatever profile it is told to look in.
  const bool wants_environment = ValueOf(*profile, "credential_source") == "Environment" && assumes;
  if (in_environment && !wants_environment) {
    return Status::InvalidArgument(
        "AWS profile \"" + settings.profile +
        "\" was asked for, but AWS_ACCESS_KEY_ID is set too and the AWS SDK would use that: unset "
        "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN");
  }
  if (!in_environment && wants_environment) {
    return Status::Denied("AWS profile \"" + settings.profile +
                          "\" takes its keys from the environment (credential_source), but "
                          "AWS_ACCESS_KEY_ID is not set");
  }
  return source;
}

}  // namespace vecload::auth
