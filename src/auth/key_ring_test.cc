// Goal: a server's keys are read whole, and what cannot be right is said without showing a secret.
// Method: files in a temporary folder.

#include "auth/key_ring.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing_folder.h"

namespace vecload::auth {
namespace {

using testing::HasSubstr;
using testing::Not;

class KeyRingTest : public testing::Test {
 protected:
  Status AddText(const std::string& text) {
    std::ofstream(path_) << text;
    return keys_.AddFile(path_);
  }

  TestingFolder folder_;
  std::string path_ = folder_.path() + "/credentials";
  KeyRing keys_;
};

TEST_F(KeyRingTest, EveryProfileOfAFileIsAKey) {
  ASSERT_TRUE(AddText("# for tests\n[default]\naws_access_key_id = A1\n"
                      "aws_secret_access_key = s1/+=\n[other]\naws_access_key_id=A2\n"
                      "aws_secret_access_key=s2\naws_session_token=t2\n")
                  .ok());
  ASSERT_NE(keys_.Find("A1"), nullptr);
  EXPECT_EQ(*keys_.Find("A1"), (Credentials{"A1", "s1/+=", ""}));
  ASSERT_NE(keys_.Find("A2"), nullptr);
  EXPECT_EQ(*keys_.Find("A2"), (Credentials{"A2", "s2", "t2"}));
  EXPECT_EQ(keys_.Find("A"), nullptr);
  EXPECT_EQ(keys_.Find(""), nullptr);
}

TEST_F(KeyRingTest, WhatCannotBeRightIsNamedWithoutASecret) {
  const std::pair<std::string, std::string> cases[] = {
      {"", "has no profile"},
      {"[a]\naws_access_key_id=A1\n", "profile a"},
      {"[a]\naws_secret_access_key=hush\n", "profile a"},
      {"[a]\nrole_arn=x\n", "profile a"},
      {"[a]\naws_access_key_id=A/1\naws_secret_access_key=hush\n", "profile a"},
      {"[a]\naws_access_key_id=A1\naws_secret_access_key=hush\n[b]\naws_access_key_id=A1\n"
       "aws_secret_access_key=hush2\n",
       "profile b"},
  };
  for (const auto& [text, words] : cases) {
    keys_ = {};
    const Status status = AddText(text);
    EXPECT_EQ(status.code(), Code::kInvalidArgument) << text;
    EXPECT_THAT(status.message(), HasSubstr(path_));
    EXPECT_THAT(status.message(), HasSubstr(words));
    EXPECT_THAT(status.message(), Not(HasSubstr("hush")));
  }
  EXPECT_FALSE(keys_.AddFile(path_ + ".none").ok());
  EXPECT_TRUE(keys_.Add({"A", "s", ""}).ok());
  EXPECT_TRUE(keys_.Add({"A", "s", ""}).ok()) << "the same again";
  EXPECT_FALSE(keys_.Add({"A", "", ""}).ok());
}

}  // namespace
}  // namespace vecload::auth
