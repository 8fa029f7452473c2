// Goal: partitions are found in a path's folders as pyarrow and DuckDB find them.
// Method: paths with known answers.
#include "source/hive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vecload::source {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST(Hive, ReadsFoldersInOrderAndNotTheFileName) {
  EXPECT_THAT(HivePartitions("data/year=2024/month=01/x=y.parquet"),
              ElementsAre(Pair("year", "2024"), Pair("month", "01")));
  EXPECT_THAT(HivePartitions("s3://bucket/lang=de/a.parquet"), ElementsAre(Pair("lang", "de")));
  EXPECT_THAT(HivePartitions("a/b/c.parquet"), IsEmpty());
  EXPECT_THAT(HivePartitions("=x/c.parquet"), IsEmpty());
}

TEST(Hive, DecodesPercentAndKeepsWhatIsNoEscape) {
  EXPECT_THAT(HivePartitions("na%20me=a%2Fb/x"), ElementsAre(Pair("na me", "a/b")));
  EXPECT_THAT(HivePartitions("p=100%/x"), ElementsAre(Pair("p", "100%")));
  EXPECT_THAT(HivePartitions("p=a=b/x"), ElementsAre(Pair("p", "a=b")));
}

TEST(Hive, DeepestWinsWhereTwoHaveOneName) {
  EXPECT_THAT(HivePartitions("a=1/b=2/a=3/x"), ElementsAre(Pair("b", "2"), Pair("a", "3")));
}

TEST(Hive, IntegersAreThoseADoubleHolds) {
  EXPECT_TRUE(IsPartitionInteger("2024"));
  EXPECT_TRUE(IsPartitionInteger("-01"));
  EXPECT_FALSE(IsPartitionInteger(""));
  EXPECT_FALSE(IsPartitionInteger("-"));
  EXPECT_FALSE(IsPartitionInteger("1.5"));
  EXPECT_FALSE(IsPartitionInteger("1234567890123456"));
}

}  // namespace
}  // namespace vecload::source
