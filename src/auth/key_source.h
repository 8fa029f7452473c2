#pragma once

#include <string>

#include "auth/credentials.h"
#include "vecload/status.h"

namespace vecload::auth {

// Where the keys of some settings come from.
struct KeySource {
  enum class Kind {
    kEnvironment,  // AWS_ACCESS_KEY_ID; fixed for the life of the process
    kProfile,      // keys written in the profile; another program may replace them there
    kSdk,          // the AWS SDK's chain: credential_process, web identity, SSO, ECS, IMDS, roles
  };
  Kind kind = Kind::kSdk;
  Credentials credentials;  // of kEnvironment and kProfile

  // Of kSdk: the profile for the SDK to look in, and the role to assume with what it finds.
  std::string sdk_profile;
  std::string role_arn;  // empty: none
  std::string role_session_name;
  std::string role_external_id;
  bool uses_sso = false;  // the profile has sso_*: for the message where no keys are found
};

// Chooses by the AWS CLI's order: keys in the environment (unless a profile was given as an
// argument), role_arn, keys in the profile, the rest. Touches no network and not the SDK.
// kDenied or kInvalidArgument: a set-up that cannot work, with the way out.
Result<KeySource> ChooseKeySource(const AwsSettings& settings);

}  // namespace vecload::auth
