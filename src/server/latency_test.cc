// Goal: answers are held back as the model says. Method: many draws, no waiting.

#include "server/latency.h"

#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vecload::server {
namespace {

using testing::HasSubstr;

struct Range {
  double least_s = 1e9;
  double most_s = 0;
};

Range Draw(Latency* latency, size_t data_bytes) {
  Range range;
  for (int i = 0; i < 10'000; ++i) {
    const double drawn_s = Seconds(latency->Next(data_bytes));
    range.least_s = std::min(range.least_s, drawn_s);
    range.most_s = std::max(range.most_s, drawn_s);
  }
  return range;
}

TEST(Latency, IsNoneByDefault) {
  Latency latency{ServiceModel()};
  EXPECT_EQ(Draw(&latency, 2'000'000).most_s, 0);
}

TEST(Latency, OfAwsIsWhatWasObservedAndGrowsWithSize) {
  Latency latency(ServiceModel::Aws());
  const Range full = Draw(&latency, size_t{500} * 1024 * 4);
  EXPECT_NEAR(full.least_s, 1.15, 0.005);
  EXPECT_NEAR(full.most_s, 1.54, 0.005);
  const Range small = Draw(&latency, size_t{500} * 8 * 4);
  EXPECT_NEAR(small.least_s, 0.108, 0.001);
  EXPECT_NEAR(small.most_s, 0.145, 0.001);
  const Range nothing = Draw(&latency, 0);
  EXPECT_NEAR(nothing.least_s, 0.1, 0.001);
}

TEST(Latency, MayChangeAndHasAnEnd) {
  Latency latency(ServiceModel::Aws());
  latency.SetModel({.latency_ms = 60'000, .latency_spread = 10});
  EXPECT_EQ(Draw(&latency, 1).most_s, 60);
  latency.SetModel({.latency_ms = 7});
  EXPECT_EQ(Draw(&latency, 2'000'000).most_s, 0.007);
}

TEST(ServiceModel, NamesWhatIsOutOfRange) {
  EXPECT_TRUE(ServiceModel::Aws().Check().ok());
  const std::pair<double ServiceModel::*, std::string> members[] = {
      {&ServiceModel::rate_vectors_per_s, "rate_vectors_per_s"},
      {&ServiceModel::rate_requests_per_s, "rate_requests_per_s"},
      {&ServiceModel::burst_s, "burst_s"},
      {&ServiceModel::latency_ms, "latency_ms must"},
      {&ServiceModel::latency_ms_per_mb, "latency_ms_per_mb"},
      {&ServiceModel::latency_spread, "latency_spread"}};
  for (const auto& [member, name] : members) {
    for (const double wrong : {-1.0, 1e12, std::nan(""), HUGE_VAL}) {
      ServiceModel model;
      model.*member = wrong;
      EXPECT_EQ(model.Check().code(), Code::kInvalidArgument);
      EXPECT_THAT(model.Check().message(), HasSubstr(name));
    }
  }
}

}  // namespace
}  // namespace vecload::server
