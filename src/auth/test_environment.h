#pragma once

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "base/testing_folder.h"

namespace vecload::auth {

// A test with an environment free of AWS's variables, and with a folder of its own that holds the
// config and the credentials file. Puts everything back.
class AwsEnvironmentTest : public testing::Test {
 protected:
  AwsEnvironmentTest() {
    for (char** entry = environ; *entry != nullptr; ++entry) {
      const std::string text = *entry;
      if (text.starts_with("AWS_")) saved_[text.substr(0, text.find('='))];
    }
    for (auto& [variable, value] : saved_) Remember(variable);
    for (auto& [variable, value] : saved_) unsetenv(variable.c_str());
    Set("AWS_CONFIG_FILE", folder_ + "/config");
    Set("AWS_SHARED_CREDENTIALS_FILE", folder_ + "/credentials");
  }
  ~AwsEnvironmentTest() override {
    for (const auto& [variable, value] : saved_) {
      if (value.has_value()) {
        setenv(variable.c_str(), value->c_str(), 1);
      } else {
        unsetenv(variable.c_str());
      }
    }
  }

  void Set(const std::string& variable, const std::string& value) {
    if (!saved_.contains(variable)) Remember(variable);
    setenv(variable.c_str(), value.c_str(), 1);
  }
  void Unset(const std::string& variable) {
    if (!saved_.contains(variable)) Remember(variable);
    unsetenv(variable.c_str());
  }
  void WriteFile(const std::string& name, const std::string& text) {
    const std::filesystem::path path = folder_ + "/" + name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
  }
  void WriteConfig(const std::string& text) { WriteFile("config", text); }
  void WriteCredentials(const std::string& text) { WriteFile("credentials", text); }
  [[nodiscard]] const std::string& folder() const { return folder_; }

 private:
  void Remember(const std::string& variable) {
    const char* value = getenv(variable.c_str());
    saved_[variable] = value == nullptr ? std::nullopt : std::optional<std::string>(value);
  }

  TestingFolder temporary_;
  std::string folder_ = temporary_.path();
  std::map<std::string, std::optional<std::string>> saved_;
};

}  // namespace vecload::auth
