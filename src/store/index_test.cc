// Goal: one index keeps its promises: what was put is there, whole, after a reopen and after a
// kill; listings and queries see it; a failed or foreign file says so. Method: temporary folders,
// seeded vectors, a child process that is killed in the middle of its writes.
#include "store/index.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "base/testing_folder.h"

namespace vecload::store {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

IndexInfo Info(uint32_t dimension) {
  IndexInfo info;
  info.name = {"bucket", "index"};
  info.dimension = dimension;
  info.metric = DistanceMetric::kEuclidean;
  return info;
}

class IndexTest : public testing::Test {
 protected:
  std::unique_ptr<Index> Create(uint32_t dimension) {
    const Status status = Index::Create(path_);
    EXPECT_TRUE(status.ok()) << status.ToString();
    return Reopen(dimension);
  }
  std::unique_ptr<Index> Reopen(uint32_t dimension) {
    auto index = Index::Open(path_, Info(dimension));
    EXPECT_TRUE(index.ok()) << index.status().ToString();
    return index.ok() ? *std::move(index) : nullptr;
  }

  TestingFolder temporary_;
  std::string folder_ = temporary_.path();
  std::string path_ = folder_ + "/one.sqlite";
};

// A vector whose elements all tell its key and version, so that a torn one shows.
std::vector<float> Data(int key, int version, uint32_t dimension) {
  return std::vector<float>(dimension, static_cast<float>(key * 1000 + version));
}

std::string Metadata(int key, int version) {
  return "{\"is\":" + std::to_string(key * 1000 + version) + "}";
}

Status PutOne(Index* index, int key, int version) {
  const auto data = Data(key, version, index->info().dimension);
  const auto metadata = Metadata(key, version);
  const auto name = std::to_string(key);
  const VectorView view{name, data, metadata};
  return index->Put({&view, 1});
}

std::vector<Record> ListAll(Index* index, ListRequest request) {
  std::vector<Record> all;
  if (request.count_max == 0) request.count_max = 1000;
  request.bytes_max = 1 << 20;
  request.want = {.data = true, .metadata = true};
  while (true) {
    auto page = index->List(request);
    EXPECT_TRUE(page.ok()) << page.status().ToString();
    if (!page.ok()) return all;
    for (Record& record : page->vectors) all.push_back(std::move(record));
    if (!page->more) return all;
    request.after = page->last;
  }
}

void ExpectWhole(const Record& record, uint32_t dimension) {
  ASSERT_EQ(record.vector.size(), dimension);
  const int is = static_cast<int>(record.vector[0]);
  EXPECT_EQ(std::to_string(is / 1000), record.key);
  EXPECT_EQ(record.vector, Data(is / 1000, is % 1000, dimension));
  EXPECT_EQ(record.metadata, Metadata(is / 1000, is % 1000));
}

TEST_F(IndexTest, GivesBackWhatWasPutAfterReopening) {
  auto index = Create(3);
  const std::vector<float> data{0.1F, -0.0F, 1e-45F};
  // A key may hold a zero byte, and be any other text.
  const std::string odd("a\0b\xc3\xa9", 5);
  const VectorView views[] = {{odd, data, {}}, {"plain", data, R"({"a":1})"}};
  ASSERT_TRUE(index->Put(views).ok());
  index.reset();

  index = Reopen(3);
  const std::vector<std::string> keys{"plain", "absent", odd};
  const auto records = index->Get(keys, {.data = true, .metadata = true});
  ASSERT_TRUE(records.ok());
  ASSERT_EQ(records->size(), 2U);
  EXPECT_EQ((*records)[0].key, "plain");
  EXPECT_EQ((*records)[0].metadata, R"({"a":1})");
  EXPECT_EQ((*records)[1].key, odd);
  EXPECT_EQ((*records)[1].metadata, "{}");
  const auto bits = [](float value) { return std::bit_cast<uint32_t>(value); };
  EXPECT_TRUE(std::ranges::equal((*records)[1].vector, data, {}, bits, bits));

  const auto bare = index->Get(keys, {});
  EXPECT_TRUE((*bare)[0].vector.empty());
  EXPECT_TRUE((*bare)[0].metadata.empty());
}

TEST_F(IndexTest, PutReplacesWholeAndTheLastOfOneKeyWins) {
  auto index = Create(1);
  const std::vector<float> one{1}, two{2}, three{3};
  const VectorView first[] = {{"k", one, R"({"a":1})"}};
  const VectorView second[] = {{"k", two, R"({"b":1})"}, {"k", three, {}}};
  ASSERT_TRUE(index->Put(first).ok());
  ASSERT_TRUE(index->Put(second).ok());
  const auto all = ListAll(index.get(), {});
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].vector, three);
  EXPECT_EQ(all[0].metadata, "{}");
}

TEST_F(IndexTest, DeletesAndPassesOverAbsentKeys) {
  auto index = Create(4);
  for (int key = 0; key < 5; ++key) ASSERT_TRUE(PutOne(index.get(), key, 0).ok());
  ASSERT_TRUE(index->Delete(std::vector<std::string>{"1", "absent", "3"}).ok());
  std::vector<std::string> keys;
  for (const Record& record : ListAll(index.get(), {})) keys.push_back(record.key);
  EXPECT_THAT(keys, ElementsAre("0", "2", "4"));
}

TEST_F(IndexTest, ListsInPagesByCountAndByBytes) {
  auto index = Create(100);  // 400 bytes and some
  for (int key = 0; key < 10; ++key) ASSERT_TRUE(PutOne(index.get(), key, 0).ok());
  auto page = index->List({.count_max = 4, .bytes_max = 1 << 20});
  ASSERT_EQ(page->vectors.size(), 4U);
  EXPECT_TRUE(page->more);
  page = index->List({.after = page->last, .count_max = 6, .bytes_max = 1 << 20});
  EXPECT_EQ(page->vectors.size(), 6U);
  EXPECT_FALSE(page->more);
  page = index->List({.count_max = 100, .bytes_max = 1000});
  EXPECT_EQ(page->vectors.size(), 2U);
  EXPECT_TRUE(page->more);
  page = index->List({.count_max = 100, .bytes_max = 1});
  EXPECT_EQ(page->vectors.size(), 1U) << "one vector always fits";
}

TEST_F(IndexTest, AListingGivesEachKeyOnceWhileVectorsAreWritten) {
  auto index = Create(2);
  for (int key = 0; key < 100; ++key) ASSERT_TRUE(PutOne(index.get(), key, 0).ok());
  ListRequest request{.count_max = 10, .bytes_max = 1 << 20};
  std::multiset<std::string> seen;
  for (int round = 0;; ++round) {
    const auto page = index->List(request);
    for (const Record& record : page->vectors) seen.insert(record.key);
    if (!page->more) break;
    request.after = page->last;
    ASSERT_TRUE(PutOne(index.get(), round, 1).ok());  // replaces
    const std::vector<std::string> moved{std::to_string(99 - round)};
    ASSERT_TRUE(index->Delete(moved).ok());
    ASSERT_TRUE(PutOne(index.get(), 99 - round, 2).ok());  // leaves and comes back
  }
  for (int key = 0; key < 100; ++key) EXPECT_EQ(seen.count(std::to_string(key)), 1U) << key;
}

TEST_F(IndexTest, AKeyThatComesBackLandsAfterEveryPageGiven) {
  auto index = Create(1);
  for (int key = 0; key < 10; ++key) ASSERT_TRUE(PutOne(index.get(), key, 0).ok());
  const auto first = index->List({.count_max = 5, .bytes_max = 1 << 20});
  // All from the page's last one on go, and one that was not given yet comes back.
  ASSERT_TRUE(index->Delete(std::vector<std::string>{"4", "5", "6", "7", "8", "9"}).ok());
  ASSERT_TRUE(PutOne(index.get(), 7, 1).ok());
  const auto second = index->List({.after = first->last, .count_max = 5, .bytes_max = 1 << 20});
  ASSERT_EQ(second->vectors.size(), 1U);
  EXPECT_EQ(second->vectors[0].key, "7");
}

TEST_F(IndexTest, SegmentsTogetherAreTheWhole) {
  auto index = Create(1);
  std::vector<std::string> names;
  std::vector<VectorView> views;
  const std::vector<float> data{1};
  for (int key = 0; key < 3000; ++key) names.push_back(std::to_string(key));
  for (const std::string& name : names) views.push_back({name, data, {}});
  ASSERT_TRUE(index->Put(views).ok());
  // A gap of several blocks must not stop a segment.
  ASSERT_TRUE(index->Delete(std::span(names).subspan(500, 1500)).ok());
  for (const uint32_t segments : {1U, 2U, 7U, 16U}) {
    std::multiset<std::string> seen;
    for (uint32_t segment = 0; segment < segments; ++segment) {
      for (const Record& record :
           ListAll(index.get(), {.count_max = 100, .segments = segments, .segment = segment})) {
        seen.insert(record.key);
      }
    }
    EXPECT_EQ(seen.size(), 1500U);
    EXPECT_EQ(std::set(seen.begin(), seen.end()).size(), 1500U);
  }
}

TEST_F(IndexTest, QueriesFollowEveryWrite) {
  auto index = Create(2);
  for (int key = 0; key < 20; ++key) ASSERT_TRUE(PutOne(index.get(), key, 0).ok());
  const std::vector<float> origin{0, 0};
  const auto nearest = [&] {
    const auto answer = index->Query({.query = origin, .count_max = 1, .want_metadata = true});
    EXPECT_TRUE(answer.ok()) << answer.status().ToString();
    return answer->matches[0].key + answer->metadata[0];
  };
  EXPECT_EQ(nearest(), R"(0{"is":0})");
  ASSERT_TRUE(PutOne(index.get(), 0, 999).ok());  // still nearer than key 1
  EXPECT_EQ(nearest(), R"(0{"is":999})");
  ASSERT_TRUE(index->Delete(std::vector<std::string>{"0", "1"}).ok());
  EXPECT_EQ(nearest(), R"(2{"is":2000})");
  index.reset();
  index = Reopen(2);
  EXPECT_EQ(nearest(), R"(2{"is":2000})");
}

TEST_F(IndexTest, AWriteThatFailsLeavesNothing) {
  auto index = Create(2);
  ASSERT_TRUE(PutOne(index.get(), 1, 0).ok());
  ASSERT_TRUE(index->Query({.query = std::vector<float>{0, 0}, .count_max = 1}).ok());
  auto other = sqlite::Database::Open(path_, SQLITE_OPEN_READWRITE, {});
  ASSERT_TRUE(other.ok());
  ASSERT_TRUE(other
                  ->Execute("CREATE TRIGGER refuse BEFORE INSERT ON vectors WHEN new.key='bad' "
                            "BEGIN SELECT raise(ABORT, 'refused'); END")
                  .ok());
  const std::vector<float> data{7, 7};
  const VectorView views[] = {{"fine", data, {}}, {"bad", data, {}}};
  const Status status = index->Put(views);
  EXPECT_THAT(status.message(), AllOf(HasSubstr("refused"), HasSubstr(path_)));
  EXPECT_EQ(ListAll(index.get(), {}).size(), 1U);
  const auto answer = index->Query({.query = data, .count_max = 10});
  EXPECT_EQ(answer->matches.size(), 1U);
  EXPECT_TRUE(PutOne(index.get(), 2, 0).ok()) << "the index goes on working";
}

TEST_F(IndexTest, ReadersSeeWholeVectorsWhileTwoThreadsWrite) {
  constexpr uint32_t kDimension = 64;
  constexpr int kKeys = 20;
  auto index = Create(kDimension);
  for (int key = 0; key < kKeys; ++key) ASSERT_TRUE(PutOne(index.get(), key, 0).ok());
  std::atomic<int> writers = 2;
  std::vector<std::thread> threads;
  for (int w = 0; w < 2; ++w) {
    threads.emplace_back([&, w] {
      Random random(static_cast<uint64_t>(w));
      for (int i = 0; i < 150; ++i) {
        const int key = static_cast<int>(random.Below(kKeys));
        EXPECT_TRUE(PutOne(index.get(), key, 1 + static_cast<int>(random.Below(900))).ok());
      }
      --writers;
    });
  }
  const std::vector<float> origin(kDimension, 0);
  while (writers > 0) {
    const auto listed = ListAll(index.get(), {});
    EXPECT_EQ(listed.size(), static_cast<size_t>(kKeys));
    for (const Record& record : listed) ExpectWhole(record, kDimension);
    const auto answer = index->Query({.query = origin, .count_max = 5, .want_metadata = true});
    ASSERT_TRUE(answer.ok());
    for (size_t i = 0; i < answer->matches.size(); ++i) {
      // The distance comes from memory and the metadata from disk: they must be of one version.
      const int is = static_cast<int>(std::lround(answer->matches[i].distance / 8));
      EXPECT_EQ(answer->metadata[i], Metadata(is / 1000, is % 1000));
    }
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(IndexTest, AcknowledgedVectorsSurviveAKill) {
  constexpr uint32_t kDimension = 300;
  Create(kDimension).reset();
  for (int round = 0; round < 3; ++round) {
    int pipe_ends[2];
    ASSERT_EQ(pipe(pipe_ends), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      auto index = Index::Open(path_, Info(kDimension));
      for (int key = 0;; ++key) {
        if (!index.ok() || !PutOne(index->get(), key % 1000, round).ok()) _exit(1);
        if (write(pipe_ends[1], &key, sizeof key) != sizeof key) _exit(1);
      }
    }
    close(pipe_ends[1]);
    int acknowledged = -1;
    while (acknowledged < 100 + 50 * round &&
           read(pipe_ends[0], &acknowledged, sizeof acknowledged) == sizeof acknowledged) {
    }
    kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status));
    int more = 0;
    while (read(pipe_ends[0], &more, sizeof more) == sizeof more) acknowledged = more;
    close(pipe_ends[0]);
    ASSERT_GE(acknowledged, 100);

    const auto index = Reopen(kDimension);
    std::map<std::string, Record> found;
    for (Record& record : ListAll(index.get(), {})) {
      ExpectWhole(record, kDimension);
      found[record.key] = std::move(record);
    }
    for (int key = 0; key <= std::min(acknowledged, 999); ++key) {
      const auto at = found.find(std::to_string(key));
      ASSERT_NE(at, found.end()) << "key " << key << " was acknowledged";
      EXPECT_EQ(at->second.metadata, Metadata(key, round));
    }
  }
}

TEST_F(IndexTest, ADroppedIndexAnswersNotFound) {
  auto index = Create(1);
  ASSERT_TRUE(PutOne(index.get(), 1, 0).ok());
  index->Drop();
  EXPECT_EQ(PutOne(index.get(), 1, 0).code(), Code::kNotFound);
  EXPECT_EQ(index->Get(std::vector<std::string>{"1"}, {}).status().code(), Code::kNotFound);
  EXPECT_EQ(index->List({.count_max = 1}).status().code(), Code::kNotFound);
  EXPECT_EQ(index->Query({.query = std::vector<float>{1}}).status().code(), Code::kNotFound);
  index.reset();
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

TEST_F(IndexTest, DamageIsNamed) {
  Create(2).reset();
  auto wrong = Reopen(2);
  const std::vector<float> three{1, 2, 3};
  const VectorView view{"k", three, {}};
  ASSERT_TRUE(wrong->Put({&view, 1}).ok());
  const auto got = wrong->Get(std::vector<std::string>{"k"}, {.data = true});
  EXPECT_EQ(got.status().code(), Code::kCorrupt);
  EXPECT_THAT(got.status().message(), HasSubstr("\"k\""));
  const auto query = wrong->Query({.query = std::vector<float>{1, 2}, .count_max = 1});
  EXPECT_EQ(query.status().code(), Code::kCorrupt);
  wrong.reset();

  std::ofstream(path_, std::ios::trunc) << std::string(5000, 'x');
  const auto opened = Index::Open(path_, Info(2));
  EXPECT_EQ(opened.status().code(), Code::kCorrupt);
  EXPECT_THAT(opened.status().message(), HasSubstr(path_));
}

TEST_F(IndexTest, FiltersFollowEveryWrite) {
  const auto index = Create(1);
  const auto put = [&](std::string_view key, float at, std::string_view metadata) {
    const VectorView view{key, std::span(&at, 1), metadata};
    return index->Put(std::span(&view, 1));
  };
  const Filter red{.op = Filter::Op::kEqual, .name = "c", .operands = {"red"}, .children = {}};
  const float origin = 0;
  const auto red_keys = [&] {
    std::vector<std::string> keys;
    const auto answer = index->Query(
        {.query = std::span(&origin, 1), .count_max = 10, .after = nullptr, .filter = &red});
    EXPECT_TRUE(answer.ok()) << answer.status().ToString();
    if (!answer.ok()) return keys;
    for (const search::Match& match : answer->matches) keys.push_back(match.key);
    return keys;
  };
  ASSERT_TRUE(put("a", 1, R"({"c":"red"})").ok());
  ASSERT_TRUE(put("b", 2, R"({"c":["blue","red"]})").ok());
  ASSERT_TRUE(put("none", 0, "").ok());
  EXPECT_THAT(red_keys(), ElementsAre("a", "b")) << "loaded from the file";
  ASSERT_TRUE(put("c", 1.5, R"({"c":"red"})").ok());
  ASSERT_TRUE(put("a", 1, R"({"c":"blue"})").ok());
  EXPECT_THAT(red_keys(), ElementsAre("c", "b")) << "written while in memory";
  ASSERT_TRUE(put("a", 1, "").ok());
  const std::vector<std::string> gone = {"c"};
  ASSERT_TRUE(index->Delete(gone).ok());
  EXPECT_THAT(red_keys(), ElementsAre("b"));
}

}  // namespace
}  // namespace vecload::store
