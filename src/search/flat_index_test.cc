// Goal: FlatIndex answers what a plain float64 brute force answers, whatever was put, replaced and
// erased before. Method: seeded random vectors against a std::map.
#include "search/flat_index.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.h"

namespace vecload::search {
namespace {

using Vectors = std::map<std::string, std::vector<float>>;

std::vector<float> RandomVector(Random* random, size_t dimension) {
  std::vector<float> vector(dimension);
  for (float& value : vector) value = static_cast<float>(random->Normal());
  return vector;
}

double ExactDistance(DistanceMetric metric, const std::vector<float>& a,
                     const std::vector<float>& b) {
  double dot = 0, a2 = 0, b2 = 0, squares = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double x = a[i], y = b[i];
    dot += x * y;
    a2 += x * x;
    b2 += y * y;
    squares += (x - y) * (x - y);
  }
  return metric == DistanceMetric::kCosine ? 1 - dot / std::sqrt(a2 * b2) : std::sqrt(squares);
}

void ExpectSameAsBruteForce(const FlatIndex& index, DistanceMetric metric, const Vectors& vectors,
                            const std::vector<float>& query, size_t count) {
  std::vector<double> distances;
  for (const auto& [key, vector] : vectors) {
    distances.push_back(ExactDistance(metric, query, vector));
  }
  std::sort(distances.begin(), distances.end());
  const auto matches = index.Nearest({.query = query, .count_max = count});
  ASSERT_EQ(matches.size(), std::min(count, vectors.size()));
  for (size_t i = 0; i < matches.size(); ++i) {
    const double tolerance = 2e-6 * std::max(1.0, distances[i]);
    ASSERT_TRUE(vectors.contains(matches[i].key));
    EXPECT_NEAR(matches[i].distance, distances[i], tolerance) << "place " << i;
    EXPECT_NEAR(ExactDistance(metric, query, vectors.at(matches[i].key)), matches[i].distance,
                tolerance);
  }
}

class FlatIndexTest : public testing::TestWithParam<DistanceMetric> {};
INSTANTIATE_TEST_SUITE_P(BothMetrics, FlatIndexTest,
                         testing::Values(DistanceMetric::kCosine, DistanceMetric::kEuclidean),
                         [](const auto& test) {
                           return std::string(DistanceMetricName(test.param));
                         });

TEST_P(FlatIndexTest, AgreesWithFloat64InEveryDimension) {
  Random random(1);
  for (const uint32_t dimension : {1, 2, 5, 15, 16, 17, 63, 64, 65, 384, 1000, 4096}) {
    SCOPED_TRACE(dimension);
    FlatIndex index(dimension, GetParam());
    Vectors vectors;
    for (int i = 0; i < 300; ++i) {
      const auto key = "k" + std::to_string(i);
      vectors[key] = RandomVector(&random, dimension);
      index.Put(key, vectors[key]);
    }
    ExpectSameAsBruteForce(index, GetParam(), vectors, RandomVector(&random, dimension), 25);
    ExpectSameAsBruteForce(index, GetParam(), vectors, vectors["k7"], 1000);
  }
}

TEST_P(FlatIndexTest, StaysRightWhileVectorsAreReplacedAndErased) {
  constexpr uint32_t kDimension = 2000;  // 524 rows a chunk: chunks come and go
  Random random(2);
  FlatIndex index(kDimension, GetParam());
  Vectors vectors;
  for (int step = 0; step < 6000; ++step) {
    const bool shrinking = step / 1500 % 2 == 1;
    const auto key = std::to_string(random.Below(2000));
    if (random.Below(10) < (shrinking ? 8U : 1U)) {
      EXPECT_EQ(index.Erase(key), vectors.erase(key) == 1);
    } else {
      vectors[key] = std::vector<float>(kDimension, static_cast<float>(random.Normal()));
      vectors[key][random.Below(kDimension)] += 3;
      index.Put(key, vectors[key]);
    }
    ASSERT_EQ(index.size(), vectors.size());
    if (step % 1000 == 999) {
      ExpectSameAsBruteForce(index, GetParam(), vectors, RandomVector(&random, kDimension), 50);
    }
  }
}

TEST_P(FlatIndexTest, BreaksTiesByKeyAndResumesAfterAMatch) {
  Random random(3);
  FlatIndex index(8, GetParam());
  const auto twin = RandomVector(&random, 8);
  for (const char* key : {"d", "a", "e", "c", "b"}) index.Put(key, twin);
  for (int i = 0; i < 50; ++i) index.Put("other" + std::to_string(i), RandomVector(&random, 8));

  const auto query = RandomVector(&random, 8);
  const auto all = index.Nearest({.query = query, .count_max = 100});
  ASSERT_EQ(all.size(), 55U);
  for (size_t i = 1; i < all.size(); ++i) {
    EXPECT_LT(std::tie(all[i - 1].distance, all[i - 1].key), std::tie(all[i].distance, all[i].key));
  }
  for (const size_t page : {1U, 2U, 7U}) {
    std::vector<Match> paged;
    while (true) {
      const Match* after = paged.empty() ? nullptr : &paged.back();
      const auto more = index.Nearest({.query = query, .count_max = page, .after = after});
      if (more.empty()) break;
      paged.insert(paged.end(), more.begin(), more.end());
    }
    ASSERT_EQ(paged.size(), all.size());
    for (size_t i = 0; i < all.size(); ++i) EXPECT_EQ(paged[i].key, all[i].key);
  }
}

// Ten chunks, which go to two threads where the machine has them, and many equal distances on both
// sides of every border.
TEST(FlatIndex, ALargeIndexIsSearchedInPartsAsAWhole) {
  constexpr uint32_t kDimension = 1024;
  constexpr size_t kVectors = 10'000;
  FlatIndex index(kDimension, DistanceMetric::kEuclidean);
  std::vector<float> vector(kDimension);
  std::vector<std::pair<float, std::string>> expected;
  for (size_t i = 0; i < kVectors; ++i) {
    const std::string key = std::to_string(i * 7919 % kVectors);
    vector[3] = static_cast<float>(i % 50);
    index.Put(key, vector);
    expected.emplace_back(vector[3], key);
  }
  std::sort(expected.begin(), expected.end());
  const std::vector<float> query(kDimension);
  Match after;
  for (size_t begin = 0; begin < kVectors; begin += 1'500) {
    const auto page =
        index.Nearest({.query = query, .count_max = 1'500, .after = begin == 0 ? nullptr : &after});
    ASSERT_EQ(page.size(), std::min<size_t>(1'500, kVectors - begin));
    for (size_t i = 0; i < page.size(); ++i) {
      ASSERT_EQ(page[i].distance, expected[begin + i].first);
      ASSERT_EQ(page[i].key, expected[begin + i].second) << "place " << begin + i;
    }
    after = page.back();
  }
}

TEST(FlatIndex, CosineSurvivesTheEndsOfTheFloatRange) {
  FlatIndex index(2, DistanceMetric::kCosine);
  const float huge = std::numeric_limits<float>::max();
  const float tiny = std::numeric_limits<float>::denorm_min();
  index.Put("huge", std::vector<float>{huge, huge});
  index.Put("tiny", std::vector<float>{tiny, 0});
  index.Put("opposite", std::vector<float>{-huge, -huge});
  const auto matches = index.Nearest({.query = std::vector<float>{1e-40F, 1e-40F}});
  ASSERT_EQ(matches.size(), 3U);
  EXPECT_EQ(matches[0].key, "huge");
  EXPECT_NEAR(matches[0].distance, 0, 1e-6);
  EXPECT_NEAR(matches[1].distance, 1 - std::sqrt(0.5), 1e-6);
  EXPECT_NEAR(matches[2].distance, 2, 1e-6);
}

TEST(FlatIndex, EuclideanSurvivesTheEndsOfTheFloatRange) {
  FlatIndex index(2, DistanceMetric::kEuclidean);
  const float huge = std::numeric_limits<float>::max();
  index.Put("near", std::vector<float>{3e-30F, 4e-30F});
  index.Put("far", std::vector<float>{3e30F, 4e30F});
  index.Put("farthest", std::vector<float>{huge, huge});
  const auto matches = index.Nearest({.query = std::vector<float>{0, 0}});
  ASSERT_EQ(matches.size(), 3U);
  EXPECT_FLOAT_EQ(matches[0].distance, 5e-30F);
  EXPECT_FLOAT_EQ(matches[1].distance, 5e30F);
  EXPECT_EQ(matches[2].distance, huge);
}

TEST(FlatIndex, EmptyAndZeroCountsAnswerNothing) {
  FlatIndex index(3, DistanceMetric::kCosine);
  const std::vector<float> query{1, 2, 3};
  EXPECT_TRUE(index.Nearest({.query = query}).empty());
  EXPECT_FALSE(index.Erase("absent"));
  index.Put("a", query);
  EXPECT_TRUE(index.Nearest({.query = query, .count_max = 0}).empty());
}

}  // namespace
}  // namespace vecload::search
