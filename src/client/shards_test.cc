// Goal: a key is in the shard that the documentation says, and a set of shards that is incomplete
// or mixed is refused by name. Method: hashes that Python's xxhash 4.1.0 gave; a scripted service.

#include "client/shards.h"

#include <map>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "client/fake_transport.h"

namespace vecload::client {
namespace {

using Tags = std::vector<std::pair<std::string, std::string>>;

// An index as the service describes it.
std::string Index(const std::string& name, uint32_t dimension = 4,
                  const std::string& metric = "cosine", const std::string& non_filterable = "") {
  return fmt::format(
      R"({{"index":{{"vectorBucketName":"b","indexName":"{0}","indexArn":"arn:{0}",)"
      R"("creationTime":5,"dataType":"float32","dimension":{1},"distanceMetric":"{2}",)"
      R"("metadataConfiguration":{{"nonFilterableMetadataKeys":[{3}]}}}}}})",
      name, dimension, metric, non_filterable);
}

constexpr char kTwoShards[] =
    R"({"tags":{"vecload:shard-scheme":"xxh3-64","vecload:shards":"2","vecload:shard":"0",)"
    R"("team":"search"}})";

TEST(ShardOf, IsXxh3OfTheKeysUtf8ModuloTheNumberOfShards) {
  EXPECT_EQ(ShardOf("", 16), 2U);
  EXPECT_EQ(ShardOf("", 1000), 138U);
  EXPECT_EQ(ShardOf("a", 16), 15U);
  EXPECT_EQ(ShardOf("a", 1000), 719U);
  EXPECT_EQ(ShardOf("v-000000042", 16), 15U);
  EXPECT_EQ(ShardOf("v-000000042", 1000), 927U);
  EXPECT_EQ(ShardOf("doc/ü/東京", 16), 1U);
  EXPECT_EQ(ShardOf("doc/ü/東京", 1000), 25U);
  EXPECT_EQ(ShardOf(std::string(1024, 'x'), 16), 10U);
  EXPECT_EQ(ShardOf(std::string(1024, 'x'), 1000), 234U);
}

TEST(ShardOf, OneShardHoldsAllKeys) { EXPECT_EQ(ShardOf("any", 1), 0U); }

TEST(CheckShardNames, LeavesRoomForTheNumber) {
  EXPECT_TRUE(CheckShardNames({"b", std::string(58, 'x')}, 1'000).ok());
  EXPECT_EQ(ShardName({"b", std::string(58, 'x')}, 999).index.size(), 63U);
  for (const auto& [length, shards] : {std::pair{59, 2U}, {5, 0U}, {5, 1'001U}}) {
    const Status status =
        CheckShardNames({"b", std::string(static_cast<size_t>(length), 'x')}, shards);
    EXPECT_EQ(status.code(), Code::kInvalidArgument) << length << " " << shards;
  }
}

TEST(ShardTags, AreReadAsWritten) {
  const ShardTags written{.scheme = "xxh3-64", .shards = 16, .shard = 3};
  const auto read = ShardTags::Read(written.ToTags());
  ASSERT_TRUE(read.ok()) << read.status().ToString();
  EXPECT_EQ(read->shards, 16U);
  EXPECT_EQ(read->shard, 3U);
}

TEST(ShardTags, OthersAreRefused) {
  const Tags good = ShardTags{.scheme = "xxh3-64", .shards = 16, .shard = 3}.ToTags();
  for (size_t left_out = 0; left_out < good.size(); ++left_out) {
    Tags tags = good;
    tags.erase(tags.begin() + static_cast<ptrdiff_t>(left_out));
    EXPECT_EQ(ShardTags::Read(tags).status().code(), Code::kConflict) << left_out;
  }
  for (const auto& [place, value] : {std::pair{0U, "crc32"}, {1U, "3"}, {1U, "1001"}, {2U, "x"}}) {
    Tags tags = good;
    tags[place].second = value;
    EXPECT_EQ(ShardTags::Read(tags).status().code(), Code::kConflict) << value;
  }
}

TEST(FindIndexes, TakesAnIndexOfThatVeryName) {
  FakeService service;
  service.transport->Answer(200, Index("docs"));
  const auto set = FindIndexes(service.client.get(), {"b", "docs"});
  ASSERT_TRUE(set.ok()) << set.status().ToString();
  EXPECT_FALSE(set->is_sharded);
  EXPECT_EQ(set->size(), 1U);
  EXPECT_EQ(set->ShardOf("any"), 0U);
}

TEST(FindIndexes, FindsTheShardsOfABase) {
  FakeService service;
  service.transport->Refuse(404, "NotFoundException");
  service.transport->Answer(200, Index("docs-0000"));
  service.transport->Answer(200, kTwoShards);
  // Which of them is asked for first is the threads' to say.
  service.transport->Answer(200, Index("docs-0000"));
  service.transport->Answer(200, Index("docs-0000"));
  const auto set = FindIndexes(service.client.get(), {"b", "docs"});
  ASSERT_TRUE(set.ok()) << set.status().ToString();
  EXPECT_TRUE(set->is_sharded);
  ASSERT_EQ(set->size(), 2U);
  EXPECT_EQ(set->indexes[1].name.index, "docs-0001");
  const auto& tags = service.transport->seen[2];
  EXPECT_TRUE(tags.url.ends_with("/tags/arn%3Adocs-0000")) << tags.url;
}

TEST(FindIndexes, SaysThatNeitherIsThere) {
  FakeService service;
  for (int i = 0; i < 3; ++i) service.transport->Refuse(404, "NotFoundException");
  const auto set = FindIndexes(service.client.get(), {"b", "docs"});
  EXPECT_EQ(set.status().code(), Code::kNotFound);
  EXPECT_EQ(set.status().message().find("docs-0000"), std::string::npos) << "asked for by nobody";
}

TEST(FindShards, NamesTheOneThatIsMissing) {
  FakeService service;
  service.transport->Answer(200, Index("docs-0000"));
  service.transport->Answer(200, kTwoShards);
  service.transport->Refuse(404, "NotFoundException");
  service.transport->Refuse(404, "NotFoundException");
  const auto set = FindShards(service.client.get(), {"b", "docs"});
  EXPECT_EQ(set.status().code(), Code::kNotFound);
  EXPECT_NE(set.status().message().find("b/docs is divided into 2 shards"), std::string::npos)
      << set.status().message();
}

TEST(FindShards, RefusesOnesThatDiffer) {
  const std::map<std::string, std::string> others = {
      {"dimension", Index("x", 5)},
      {"distance metric", Index("x", 4, "euclidean")},
      {"other non-filterable keys", Index("x", 4, "cosine", R"("text")")}};
  for (const auto& [what, other] : others) {
    FakeService service;
    service.transport->Answer(200, Index("docs-0000"));
    service.transport->Answer(200, kTwoShards);
    service.transport->Answer(200, Index("docs-0000"));
    service.transport->Answer(200, other);
    const auto set = FindShards(service.client.get(), {"b", "docs"});
    EXPECT_EQ(set.status().code(), Code::kConflict) << what;
    EXPECT_NE(set.status().message().find("shard b/docs-0001 has " + what), std::string::npos)
        << set.status().message();
  }
}

TEST(FindShards, RefusesAnIndexThatIsNoShard) {
  FakeService service;
  service.transport->Answer(200, Index("docs-0000"));
  service.transport->Answer(200, R"({"tags":{}})");
  const auto set = FindShards(service.client.get(), {"b", "docs"});
  EXPECT_EQ(set.status().code(), Code::kConflict);
  EXPECT_NE(set.status().message().find("b/docs-0000"), std::string::npos);
}

}  // namespace
}  // namespace vecload::client
