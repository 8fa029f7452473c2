#include "auth/key_ring.h"

#include <algorithm>
#include <utility>

#include "auth/profile_files.h"

namespace vecload::auth {

Status KeyRing::Add(Credentials credentials) {
  if (credentials.access_key.empty() || credentials.secret_key.empty()) {
    return Status::InvalidArgument("an access key and its secret key belong together");
  }
  // What ends the access key in an Authorization header.
  const auto ends_it = [](char c) { return c <= ' ' || c > '~' || c == '/' || c == ','; };
  if (std::ranges::any_of(credentials.access_key, ends_it)) {
    return Status::InvalidArgument(
        "an access key is made of visible ASCII characters but \"/\" and \",\"");
  }
  const auto [place, is_new] = keys_.try_emplace(credentials.access_key, credentials);
  if (!is_new && place->second != credentials) {
    return Status::InvalidArgument("the same access key stands twice, with different secrets");
  }
  return Status::Ok();
}

Status KeyRing::AddFile(const std::string& path) {
  VECLOAD_ASSIGN_OR_RETURN(const IniFile file, ReadIniFile(path));
  if (file.empty()) {
    return Status::InvalidArgument(path +
                                   " has no profile: write it like ~/.aws/credentials, with "
                                   "aws_access_key_id and aws_secret_access_key");
  }
  for (const auto& [name, section] : file) {
    Status added =
        Add({ValueOf(section, "aws_access_key_id"), ValueOf(section, "aws_secret_access_key"),
             ValueOf(section, "aws_session_token")});
    if (!added.ok()) return added.WithContext("profile " + name).WithContext(path);
  }
  return Status::Ok();
}

const Credentials* KeyRing::Find(std::string_view access_key) const {
  const auto found = keys_.find(access_key);
  return found == keys_.end() ? nullptr : &found->second;
}

}  // namespace vecload::auth
