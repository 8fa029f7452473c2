// Goal: the server starts only where it may, and leaves nothing behind. Method: LocalServer itself,
// on loopback with any free port; what it answers is router_test's matter.
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing_folder.h"
#include "vecload/server.h"

namespace vecload {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class LocalServerTest : public testing::Test {
 protected:
  TestingFolder temporary_;
  std::string folder_ = temporary_.path();
};

TEST_F(LocalServerTest, RefusesWhatItCannotStandFor) {
  const auto refused = [&](const LocalServerOptions& options) {
    const auto server = LocalServer::Start(options);
    EXPECT_EQ(server.status().code(), Code::kInvalidArgument);
    return server.status().message();
  };
  LocalServerOptions good;
  good.data_dir = folder_;
  for (const char* host : {"0.0.0.0", "::", "192.168.1.5", "example.com", ""}) {
    LocalServerOptions options = good;
    options.host = host;
    EXPECT_THAT(refused(options), HasSubstr("without keys")) << host;
  }
  LocalServerOptions half = good;
  half.access_key = "AKID";
  EXPECT_THAT(refused(half), HasSubstr("belong together"));
  half.access_key.clear();
  half.secret_key = "hush";
  EXPECT_THAT(refused(half), testing::Not(HasSubstr("hush")));
  LocalServerOptions options = good;
  options.ephemeral = true;
  EXPECT_THAT(refused(options), HasSubstr("--ephemeral"));
  options = good;
  options.data_dir.clear();
  EXPECT_THAT(refused(options), HasSubstr("--data-dir"));
  options = good;
  options.model.rate_vectors_per_s = -1;
  EXPECT_THAT(refused(options), HasSubstr("rate"));
  options = good;
  options.model.latency_ms = std::nan("");
  EXPECT_THAT(refused(options), HasSubstr("latency"));
  options = good;
  options.region = "us east";
  EXPECT_THAT(refused(options), HasSubstr("region"));
}

TEST_F(LocalServerTest, HoldsItsFolderUntilItStops) {
  LocalServerOptions options;
  options.data_dir = folder_ + "/data";
  auto server = LocalServer::Start(options);
  ASSERT_TRUE(server.ok()) << server.status().ToString();
  EXPECT_GT((*server)->port(), 0);
  EXPECT_EQ((*server)->url(), "http://127.0.0.1:" + std::to_string((*server)->port()));
  EXPECT_EQ(LocalServer::Start(options).status().code(), Code::kConflict);
  (*server)->Stop();
  (*server)->Stop();
  EXPECT_TRUE(LocalServer::Start(options).ok());
}

TEST_F(LocalServerTest, AnEphemeralServerLeavesNothing) {
  setenv("TMPDIR", folder_.c_str(), 1);
  LocalServerOptions options;
  options.ephemeral = true;
  auto server = LocalServer::Start(options);
  ASSERT_TRUE(server.ok()) << server.status().ToString();
  EXPECT_FALSE(std::filesystem::is_empty(folder_));
  (*server)->Stop();
  EXPECT_TRUE(std::filesystem::is_empty(folder_));

  setenv("TMPDIR", (folder_ + "/none").c_str(), 1);
  const auto nowhere = LocalServer::Start(options);
  unsetenv("TMPDIR");
  EXPECT_EQ(nowhere.status().code(), Code::kIo);
  EXPECT_THAT(nowhere.status().message(), HasSubstr("TMPDIR"));
}

TEST_F(LocalServerTest, SaysWhichPortIsTaken) {
  LocalServerOptions options;
  options.ephemeral = true;
  const auto first = LocalServer::Start(options);
  ASSERT_TRUE(first.ok());
  options.port = (*first)->port();
  const auto second = LocalServer::Start(options);
  EXPECT_EQ(second.status().code(), Code::kIo);
  EXPECT_THAT(second.status().message(), HasSubstr(std::to_string(options.port)));
  EXPECT_THAT((*first)->url(), StartsWith("http://"));
}

}  // namespace
}  // namespace vecload
