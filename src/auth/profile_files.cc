#include "auth/profile_files.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace vecload::auth {
namespace {

constexpr size_t kFileBytesMax = 1 << 20;

// What `variable` names, or ~/.aws/`name`; "~/" stands for the home folder. Empty: no home.
std::string PathOf(const char* variable, const char* name) {
  std::string path = EnvironmentVariable(variable);
  if (path.empty()) path = std::string("~/.aws/") + name;
  if (!path.starts_with("~/")) return path;
  const std::string home = EnvironmentVariable("HOME");
  return home.empty() ? std::string() : home + path.substr(1);
}

// "default" and "profile default", "profile x", "profile \"x y\"" -> the name; empty: another kind.
std::string NameAfter(const std::string& section, std::string_view kind) {
  if (!section.starts_with(kind) || section.size() == kind.size()) return {};
  if (section[kind.size()] != ' ' && section[kind.size()] != '\t') return {};
  const size_t begin = section.find_first_not_of(" \t", kind.size());
  std::string name = section.substr(begin);
  const bool quoted = name.size() >= 2 && (name[0] == '"' || name[0] == '\'');
  if (quoted && name.back() == name[0]) name = name.substr(1, name.size() - 2);
  return name;
}

}  // namespace

std::string EnvironmentVariable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

Result<IniFile> ReadIniFile(const std::string& path) {
  std::error_code ignored;
  if (path.empty() || !std::filesystem::exists(path, ignored)) return IniFile();
  std::ifstream stream(path, std::ios::binary);
  std::string text(kFileBytesMax + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (stream.bad() || !stream.eof()) {
    if (stream.gcount() > static_cast<std::streamsize>(kFileBytesMax)) {
      return Status::InvalidArgument(path + " is over 1 MiB: not an AWS config file");
    }
    return Status::Io(path + " cannot be read: check that it is a file and its permissions");
  }
  text.resize(static_cast<size_t>(stream.gcount()));
  return ParseIni(text, path);
}

Result<ProfileFiles> ProfileFiles::Read() {
  const std::string config_path = PathOf("AWS_CONFIG_FILE", "config");
  const std::string credentials_path = PathOf("AWS_SHARED_CREDENTIALS_FILE", "credentials");
  VECLOAD_ASSIGN_OR_RETURN(const IniFile config, ReadIniFile(config_path));
  VECLOAD_ASSIGN_OR_RETURN(const IniFile credentials, ReadIniFile(credentials_path));

  ProfileFiles files;
  files.where_ = config_path.empty() ? "(no home folder)" : config_path + ", " + credentials_path;
  for (const auto& [section, keys] : config) {
    if (section == "default") {
      // [profile default] is the older spelling's rival and wins.
      if (!config.contains("profile default")) files.profiles_[section] = keys;
    } else if (std::string name = NameAfter(section, "profile"); !name.empty()) {
      files.profiles_[name] = keys;
    } else if (name = NameAfter(section, "services"); !name.empty()) {
      files.services_[name] = keys;
    }
  }
  for (const auto& [name, keys] : credentials) {
    for (const auto& [key, value] : keys) files.profiles_[name][key] = value;
  }
  return files;
}

const IniSection* ProfileFiles::FindProfile(const std::string& name) const {
  const auto found = profiles_.find(name);
  return found == profiles_.end() ? nullptr : &found->second;
}

const IniSection* ProfileFiles::FindServices(const std::string& name) const {
  const auto found = services_.find(name);
  return found == services_.end() ? nullptr : &found->second;
}

const std::string& ValueOf(const IniSection& section, const std::string& key) {
  static const std::string kNone;
  const auto found = section.find(key);
  return found == section.end() ? kNone : found->second;
}

}  // namespace vecload::auth
