#pragma once

#include "auth/credentials.h"
#include "auth/key_source.h"
#include "auth/renewing_provider.h"
#include "vecload/status.h"

namespace vecload::auth {

// A reader of the keys that the AWS SDK finds for a source of kind kSdk. Opening it fixes where
// the SDK looks; for that it changes the environment for a moment (AWS_PROFILE, AWS_REGION), and
// sets SSL_CERT_FILE for good (README.md): open before other threads run.
Result<ReadKeys> OpenSdkChain(const AwsSettings& settings, const KeySource& source);

}  // namespace vecload::auth
