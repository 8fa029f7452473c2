// Goal: a set of shards answers as one index with all its vectors would, in few calls, and says
// which of its shards fails. Method: a service in memory whose vectors are numbers on a line, so
// that ties abound; what is expected is computed from all vectors together.

#include "vecload/sharded_index.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <set>
#include <utility>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "client/merged_query.h"
#include "client/shards.h"

namespace vecload::client {
namespace {

constexpr size_t kPage = 100;

// As many indexes as are made, of dimension 1 and euclidean.
class MemoryService final : public Client {
 public:
  struct Index {
    IndexSettings settings;
    std::map<std::string, Record> vectors;
    Status failure;             // what queries and gets meet
    uint32_t pages_before = 0;  // as many pages of a query are given before
    uint32_t pages_given = 0;
  };
  using Tags = std::vector<std::pair<std::string, std::string>>;

  Status CreateVectorBucket(const std::string& /*bucket*/) override { return Status::Ok(); }
  Status DeleteVectorBucket(const std::string& /*bucket*/) override { return Status::Ok(); }
  Result<std::vector<VectorBucket>> ListVectorBuckets(const std::string& /*prefix*/) override {
    return std::vector<VectorBucket>();
  }
  Status CreateIndex(const IndexName& index, const IndexSettings& settings) override {
    indexes[index.index].settings = settings;
    return Status::Ok();
  }
  Result<IndexInfo> GetIndex(const IndexName& index) override {
    const std::lock_guard lock(mutex);
    if (!indexes.contains(index.index)) return Status::NotFound("no index " + index.index);
    return Info(index);
  }
  Status DeleteIndex(const IndexName& index) override {
    const std::lock_guard lock(mutex);
    const auto at = indexes.find(index.index);
    if (at == indexes.end()) return Status::NotFound("no index " + index.index);
    VECLOAD_RETURN_IF_ERROR(at->second.failure);
    indexes.erase(at);
    deleted.push_back(index.index);
    return Status::Ok();
  }
  Result<std::vector<IndexInfo>> ListIndexes(const std::string& bucket,
                                             const std::string& prefix) override {
    std::vector<IndexInfo> found;
    for (const auto& [name, index] : indexes) {
      if (name.starts_with(prefix)) found.push_back(Info({bucket, name}));
    }
    return found;
  }
  Status PutVectors(const IndexName& index, const std::vector<Record>& vectors) override {
    const std::lock_guard lock(mutex);
    puts.push_back(vectors.size());
    for (const Record& record : vectors) indexes.at(index.index).vectors[record.key] = record;
    return Status::Ok();
  }
  Result<std::vector<Record>> GetVectors(const IndexName& index,
                                         const std::vector<std::string>& keys, bool /*data*/,
                                         bool /*metadata*/) override {
    const std::lock_guard lock(mutex);
    ++calls;
    largest_get = std::max(largest_get, keys.size());
    Index& from = indexes.at(index.index);
    VECLOAD_RETURN_IF_ERROR(from.failure);
    std::vector<Record> found;
    for (const std::string& key : std::set<std::string, std::greater<>>(keys.begin(), keys.end())) {
      if (from.vectors.contains(key)) found.push_back(from.vectors.at(key));
    }
    return found;
  }
  Result<VectorPage> ListVectors(const IndexName& /*index*/, const std::string& /*next_token*/,
                                 bool /*data*/, bool /*metadata*/,
                                 ListSegment /*segment*/) override {
    return Status::Internal("not asked for");
  }
  Status DeleteVectors(const IndexName& index, const std::vector<std::string>& keys) override {
    const std::lock_guard lock(mutex);
    if (std::set<std::string>(keys.begin(), keys.end()).size() != keys.size()) {
      return Status::InvalidArgument("a key twice");
    }
    for (const std::string& key : keys) indexes.at(index.index).vectors.erase(key);
    return Status::Ok();
  }
  Result<Tags> ListTags(const std::string& arn) override {
    const std::lock_guard lock(mutex);
    return indexes.at(arn).settings.tags;
  }
  Result<std::vector<Neighbor>> QueryVectors(const IndexName& /*index*/,
                                             const Query& /*query*/) override {
    return Status::Internal("not asked for");
  }
  Result<NeighborPage> QueryVectorsPage(const IndexName& index, const Query& query,
                                        const std::string& next_token) override {
    const std::lock_guard lock(mutex);
    ++calls;
    Index& from = indexes.at(index.index);
    if (from.pages_given++ >= from.pages_before) VECLOAD_RETURN_IF_ERROR(from.failure);
    const std::vector<Neighbor> all = Nearest(from.vectors, query);
    const size_t begin = next_token.empty() ? 0 : std::stoul(next_token);
    const size_t end = std::min(all.size(), begin + kPage);
    NeighborPage page{.neighbors = {all.begin() + static_cast<ptrdiff_t>(begin),
                                    all.begin() + static_cast<ptrdiff_t>(end)},
                      .next_token = {}};
    if (end < all.size()) page.next_token = std::to_string(end);
    return page;
  }

  static std::vector<Neighbor> Nearest(const std::map<std::string, Record>& vectors,
                                       const Query& query) {
    std::vector<Neighbor> all;
    for (const auto& [key, record] : vectors) {
      all.push_back({key, std::abs(record.vector[0] - query.vector[0]), record.metadata});
    }
    std::ranges::sort(all, {}, [](const Neighbor& neighbor) {
      return std::pair(neighbor.distance, neighbor.key);
    });
    if (all.size() > query.top_k) all.resize(query.top_k);
    return all;
  }

  std::mutex mutex;
  std::map<std::string, Index> indexes;
  std::vector<std::string> deleted;
  std::vector<size_t> puts;
  size_t largest_get = 0;
  size_t calls = 0;

 private:
  static IndexInfo Info(const IndexName& name) {
    IndexInfo info{.name = name, .arn = name.index};
    info.dimension = 1;
    info.metric = DistanceMetric::kEuclidean;
    return info;
  }
};

const IndexName kBase{"b", "docs"};

struct Shards {
  explicit Shards(uint32_t count) {
    for (uint32_t shard = 0; shard < count; ++shard) {
      IndexSettings settings{.dimension = 1};
      settings.tags = ShardTags{std::string(kShardScheme), count, shard}.ToTags();
      EXPECT_TRUE(service->CreateIndex(ShardName(kBase, shard), settings).ok());
    }
    auto opened = ShardedIndex::Open(service, kBase);
    EXPECT_TRUE(opened.ok()) << opened.status().ToString();
    if (opened.ok()) index = *std::move(opened);
  }
  // Vectors "0", "1", ... at the numbers.
  void Put(const std::vector<int>& numbers) {
    std::vector<Record> records;
    for (const int number : numbers) {
      records.push_back({std::to_string(records.size()), {static_cast<float>(number)}, "{}"});
      all[records.back().key] = records.back();
    }
    EXPECT_TRUE(index->PutVectors(records).ok());
  }
  MemoryService::Index& shard(uint32_t number) {
    return service->indexes.at(ShardName(kBase, number).index);
  }

  std::shared_ptr<MemoryService> service = std::make_shared<MemoryService>();
  std::unique_ptr<ShardedIndex> index;
  std::map<std::string, Record> all;
};

std::vector<std::pair<float, std::string>> Told(const std::vector<Neighbor>& neighbors) {
  std::vector<std::pair<float, std::string>> told;
  for (const Neighbor& neighbor : neighbors) told.emplace_back(neighbor.distance, neighbor.key);
  return told;
}

// So many numbers of which each comes several times.
std::vector<int> Numbers(size_t count) {
  std::vector<int> numbers;
  for (size_t i = 0; i < count; ++i) numbers.push_back(static_cast<int>(i * 7919 % (count / 3)));
  return numbers;
}

RC_GTEST_PROP(ShardedIndex, GivesWhatOneIndexWithAllVectorsWould, ()) {
  Shards shards(*rc::gen::inRange(1U, 20U));
  shards.Put(*rc::gen::container<std::vector<int>>(rc::gen::inRange(-20, 20)));
  const Query query{.vector = {static_cast<float>(*rc::gen::inRange(-25, 25))},
                    .top_k = *rc::gen::inRange(1U, 200U)};
  const auto found = shards.index->QueryVectors(query);
  RC_ASSERT(found.ok());
  RC_ASSERT(Told(*found) == Told(MemoryService::Nearest(shards.all, query)));
}

TEST(ShardedIndex, FollowsPagesOnlyWhereTheyMayCount) {
  Shards shards(16);
  shards.Put(Numbers(30'000));
  const Query query{.vector = {3}, .top_k = 10'000};
  const auto found = shards.index->QueryVectors(query);
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(Told(*found), Told(MemoryService::Nearest(shards.all, query)));
  // 625 of each shard are 7 pages, and some more while others are under way; 100 would be all.
  EXPECT_LE(shards.service->calls, 16U * 15);
}

TEST(ShardedIndex, IsAPlainIndexToo) {
  auto service = std::make_shared<MemoryService>();
  ASSERT_TRUE(service->CreateIndex(kBase, {.dimension = 1}).ok());
  const auto index = ShardedIndex::Open(service, kBase);
  ASSERT_TRUE(index.ok());
  EXPECT_FALSE((*index)->is_sharded());
  ASSERT_TRUE((*index)->PutVectors({{"a", {1}, ""}, {"b", {2}, ""}}).ok());
  const auto found = (*index)->QueryVectors({.vector = {2}, .top_k = 1});
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->front().key, "b");
  service->indexes.at("docs").failure = Status::Unavailable("gone");
  EXPECT_EQ((*index)->QueryVectors({.vector = {2}}).status().message(), "gone");
}

TEST(ShardedIndex, IsAskedForANeighbourAtLeast) {
  Shards shards(2);
  shards.Put(Numbers(10));
  const auto found = shards.index->QueryVectors({.vector = {1}, .top_k = 0});
  EXPECT_EQ(found.status().code(), Code::kInvalidArgument);
}

TEST(ShardedIndex, NamesItsFailingShard) {
  Shards shards(4);
  shards.Put(Numbers(100));
  shards.shard(2).failure = Status::Unavailable("QueryVectors \"b/docs-0002\": 503");
  const auto found = shards.index->QueryVectors({.vector = {1}});
  EXPECT_EQ(found.status().code(), Code::kUnavailable);
  EXPECT_EQ(found.status().message(),
            "b/docs is divided into 4 shards, and one failed: QueryVectors \"b/docs-0002\": 503");
}

TEST(ShardedIndex, BeginsNoCallAfterAFailure) {
  Shards shards(200);
  for (uint32_t shard = 0; shard < 200; ++shard) {
    shards.shard(shard).failure = Status::Unavailable("down");
  }
  shards.service->calls = 0;
  EXPECT_FALSE(shards.index->QueryVectors({.vector = {1}}).ok());
  EXPECT_LE(shards.service->calls, 64U) << "those under way when the first one failed";
}

TEST(ShardedIndex, AnswersWithoutTheShardsThatFailWhereThatIsAskedFor) {
  Shards shards(4);
  shards.Put(Numbers(1'000));
  shards.shard(1).failure = Status::Unavailable("down");
  shards.shard(3).failure = Status::Denied("no");
  const Query query{.vector = {1}, .top_k = 300};
  const auto found = shards.index->QueryAvailable(query);
  ASSERT_TRUE(found.ok());
  std::erase_if(shards.all, [](const auto& one) { return ShardOf(one.first, 4) % 2 == 1; });
  EXPECT_EQ(Told(found->neighbors), Told(MemoryService::Nearest(shards.all, query)));
  ASSERT_EQ(found->failures.size(), 2U);
  EXPECT_EQ(found->failures[0].index.index, "docs-0001");
  EXPECT_EQ(found->failures[1].status.code(), Code::kDenied);
}

TEST(ShardedIndex, NoAnswerAtAllIsAFailure) {
  Shards shards(2);
  for (const uint32_t shard : {0U, 1U}) shards.shard(shard).failure = Status::Unavailable("down");
  EXPECT_EQ(shards.index->QueryAvailable({.vector = {1}}).status().code(), Code::kUnavailable);
  shards.shard(0).failure = Status::InvalidArgument("bad filter");
  shards.shard(1).failure = Status::Ok();
  EXPECT_EQ(shards.index->QueryAvailable({.vector = {1}}).status().code(), Code::kInvalidArgument);
}

TEST(ShardedIndex, GetsKeysFromTheirShardsInTheOrderThatWasAsked) {
  Shards shards(3);
  shards.Put(Numbers(1'000));
  std::vector<std::string> keys;
  for (int key = 1'004; key >= 0; --key) keys.push_back(std::to_string(key));
  keys.emplace_back("7");  // again
  const auto found = shards.index->GetVectors(keys, true, true);
  ASSERT_TRUE(found.ok());
  ASSERT_EQ(found->size(), 1'001U) << "1000 to 1004 are not there";
  EXPECT_EQ(found->front().key, "999");
  EXPECT_EQ((*found)[992].key, "7");
  EXPECT_EQ(found->back().key, "7");
  EXPECT_EQ(found->back().vector, shards.all.at("7").vector);
  EXPECT_EQ(shards.service->largest_get, 100U);
  shards.shard(1).failure = Status::Denied("no");
  EXPECT_EQ(shards.index->GetVectors(keys, true, true).status().code(), Code::kDenied);
}

TEST(ShardedIndex, PutsEachVectorWhereItsKeyBelongsInCallsThatTheServiceTakes) {
  Shards shards(2);
  std::vector<Record> records;
  for (int i = 0; i < 1'500; ++i) {
    records.push_back({std::to_string(i), {static_cast<float>(i)}, {}});
  }
  records.push_back({"3", {-3}, {}});
  ASSERT_TRUE(shards.index->PutVectors(records).ok());
  for (const uint32_t shard : {0U, 1U}) {
    for (const auto& [key, record] : shards.shard(shard).vectors) {
      EXPECT_EQ(ShardOf(key, 2), shard);
    }
  }
  EXPECT_EQ(shards.shard(0).vectors.size() + shards.shard(1).vectors.size(), 1'500U);
  EXPECT_EQ(shards.shard(ShardOf("3", 2)).vectors.at("3").vector[0], -3) << "the last one counts";
  EXPECT_LE(*std::ranges::max_element(shards.service->puts), 500U);
  EXPECT_LE(shards.service->puts.size(), 4U);

  shards.service->puts.clear();
  const std::string large(60'000, ' ');  // 500 of them are too much for a call
  for (Record& record : records) record.metadata = "{" + large + "}";
  ASSERT_TRUE(shards.index->PutVectors(records).ok());
  for (const size_t count : shards.service->puts) EXPECT_LE(count * large.size(), 20'971'520U);
}

TEST(ShardedIndex, DeletesKeysOnce) {
  Shards shards(2);
  shards.Put(Numbers(100));
  ASSERT_TRUE(shards.index->DeleteVectors({"1", "2", "1", "absent"}).ok());
  EXPECT_EQ(shards.shard(0).vectors.size() + shards.shard(1).vectors.size(), 98U);
}

TEST(ShardedIndex, IsDeletedWithItsFirstShardLast) {
  Shards shards(5);
  ASSERT_TRUE(shards.service->CreateIndex({"b", "docs-0009"}, {.dimension = 1}).ok());
  ASSERT_TRUE(shards.service->CreateIndex({"b", "docs-0001x"}, {.dimension = 1}).ok());
  const auto deleted = ShardedIndex::Delete(shards.service.get(), kBase);
  ASSERT_TRUE(deleted.ok()) << deleted.status().ToString();
  EXPECT_EQ(*deleted, 5U);
  EXPECT_EQ(shards.service->deleted.back(), "docs-0000");
  EXPECT_EQ(shards.service->indexes.size(), 2U) << "what only has such a name is not touched";
  EXPECT_EQ(ShardedIndex::Delete(shards.service.get(), kBase).status().code(), Code::kNotFound);
}

TEST(ShardedIndex, IsDeletedBySeveralTriesToo) {
  Shards shards(5);
  shards.shard(3).failure = Status::Denied("no");
  const auto failed = ShardedIndex::Delete(shards.service.get(), kBase);
  EXPECT_EQ(failed.status().code(), Code::kDenied);
  EXPECT_NE(failed.status().message().find("deletes the rest"), std::string::npos);
  EXPECT_TRUE(shards.service->indexes.contains("docs-0000"));
  shards.service->indexes.erase("docs-0000");  // as of a set that was never made whole
  shards.shard(3).failure = Status::Ok();
  EXPECT_TRUE(ShardedIndex::Delete(shards.service.get(), kBase).ok());
  EXPECT_TRUE(shards.service->indexes.empty());
}

TEST(ShardedIndex, DeletesAnIndexOfThatVeryNameAndNoShards) {
  Shards shards(2);
  ASSERT_TRUE(shards.service->CreateIndex(kBase, {.dimension = 1}).ok());
  const auto deleted = ShardedIndex::Delete(shards.service.get(), kBase);
  ASSERT_TRUE(deleted.ok());
  EXPECT_EQ(shards.service->deleted, std::vector<std::string>{"docs"});
}

}  // namespace
}  // namespace vecload::client
