#pragma once

#include <map>
#include <string>
#include <string_view>

#include "auth/sigv4.h"
#include "vecload/status.h"

namespace vecload::auth {

// The keys that a server takes, each with its secret. No printing, as with Credentials.
class KeyRing {
 public:
  // kInvalidArgument: one of the two is missing or has a form that no request can carry, or the
  // access key is there already with another secret.
  Status Add(Credentials credentials);
  // Every profile of a file like ~/.aws/credentials. kInvalidArgument: there is none, or one
  // without keys, or the file cannot be parsed; kIo: it cannot be read.
  Status AddFile(const std::string& path);

  [[nodiscard]] bool empty() const { return keys_.empty(); }
  // nullptr: unknown.
  [[nodiscard]] const Credentials* Find(std::string_view access_key) const;

 private:
  std::map<std::string, Credentials, std::less<>> keys_;
};

}  // namespace vecload::auth
