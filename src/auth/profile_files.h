#pragma once

#include <string>

#include "auth/ini.h"
#include "vecload/status.h"

namespace vecload::auth {

// The variable's value; empty where it is not set, as AWS's tools take it.
std::string EnvironmentVariable(const char* name);

// A file in the form of ~/.aws/config. One that is not there counts as empty. kInvalidArgument: it
// cannot be parsed or is over 1 MiB; kIo: it cannot be read.
Result<IniFile> ReadIniFile(const std::string& path);

// ~/.aws/config and ~/.aws/credentials, or what AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE
// name instead, as they stood when they were read.
class ProfileFiles {
 public:
  // A file that is not there counts as empty. kInvalidArgument: cannot be parsed or is over 1 MiB;
  // kIo: cannot be read.
  static Result<ProfileFiles> Read();

  // The profile's keys from both files, those of the credentials file over the others, as the AWS
  // CLI has it; nullptr where neither names the profile.
  [[nodiscard]] const IniSection* FindProfile(const std::string& name) const;
  // The keys of [services NAME]: "s3vectors.endpoint_url"; nullptr where there is no such section.
  [[nodiscard]] const IniSection* FindServices(const std::string& name) const;
  // Both paths, for messages.
  [[nodiscard]] const std::string& where() const { return where_; }

 private:
  std::map<std::string, IniSection> profiles_;
  std::map<std::string, IniSection> services_;
  std::string where_;
};

// The key's value; empty where the section does not have it.
const std::string& ValueOf(const IniSection& section, const std::string& key);

}  // namespace vecload::auth
