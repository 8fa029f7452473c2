#pragma once

#include <functional>
#include <string>

#include "vecload/status.h"

namespace vecload {

/// One set of keys to sign with. session_token is empty for long-term keys.
struct AwsKeys {
  std::string access_key;
  std::string secret_key;
  std::string session_token;
};

/// Where keys come from in place of the chain: asked at first, every minute, and when a service
/// refuses them; on a thread of the asker's, which may outlive it by a call that is under way. A
/// failure after the first success leaves the keys as they are.
using AwsKeysCallback = std::function<Result<AwsKeys>()>;

}  // namespace vecload
