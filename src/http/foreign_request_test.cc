// Goal: no web page reaches a dashboard through the user's browser. Method: the headers that
// browsers send, and those that a rebound name or a lying page would cause.

#include "http/foreign_request.h"

#include <gtest/gtest.h>

namespace vecload::http {
namespace {

bool Passes(const Headers& headers, std::string_view bound_host = "127.0.0.1") {
  return !WhyForeign(headers, bound_host).has_value();
}

TEST(ForeignRequest, OnlyThisMachinesNamesPass) {
  for (const char* host : {"127.0.0.1:8080", "127.0.0.1", "127.1.2.3:1", "localhost:80",
                           "LOCALHOST", "[::1]:80", "[::1]"}) {
    EXPECT_TRUE(Passes({{"Host", host}})) << host;
  }
  for (const char* host : {"", "evil.example", "127.evil.example:8080", "127.0.0.1.evil.example",
                           "127.0.0.1:80.evil.example", "[::1].evil.example",
                           "localhost.evil.example", "10.0.0.1", "[::2]:80", "[::1", ":80"}) {
    EXPECT_FALSE(Passes({{"Host", host}})) << host;
  }
  EXPECT_FALSE(Passes({}));
  EXPECT_FALSE(Passes({{"Host", "127.0.0.1"}, {"host", "evil.example"}}));
}

TEST(ForeignRequest, ABoundNameOrAnyAddressOfAllPasses) {
  EXPECT_TRUE(Passes({{"Host", "box.example:80"}}, "box.example"));
  EXPECT_TRUE(Passes({{"Host", "10.0.0.1:80"}}, "0.0.0.0"));
  EXPECT_TRUE(Passes({{"Host", "[fe80::1]:80"}}, "::"));
  EXPECT_FALSE(Passes({{"Host", "evil.example"}}, "0.0.0.0"));
}

TEST(ForeignRequest, OnlyItsOwnOriginPasses) {
  EXPECT_TRUE(Passes({{"Host", "localhost:80"}, {"Origin", "http://localhost:80"}}));
  for (const char* origin : {"http://evil.example", "null", "http://localhost", "localhost:80",
                             "http://localhost:81", "http://localhost:80.evil.example"}) {
    EXPECT_FALSE(Passes({{"Host", "localhost:80"}, {"Origin", origin}})) << origin;
  }
}

TEST(ForeignRequest, WhatAnotherSiteEmbedsIsRefusedAndItsLinksPass) {
  const auto passes = [](const char* site, const char* mode) {
    return Passes({{"Host", "localhost"}, {"Sec-Fetch-Site", site}, {"Sec-Fetch-Mode", mode}});
  };
  EXPECT_TRUE(passes("same-origin", "cors"));
  EXPECT_TRUE(passes("none", "navigate"));
  EXPECT_TRUE(passes("cross-site", "navigate"));
  EXPECT_FALSE(passes("cross-site", "no-cors"));
  EXPECT_FALSE(passes("same-site", "no-cors"));
}

}  // namespace
}  // namespace vecload::http
