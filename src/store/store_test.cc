// Goal: the catalog keeps buckets and indexes over restarts and refuses what it must: a second
// server, a foreign folder, full buckets, names taken. Method: temporary folders.
#include "store/store.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.h"
#include "base/testing_folder.h"
#include "store/format.h"

namespace vecload::store {
namespace {

using testing::HasSubstr;

class StoreTest : public testing::Test {
 protected:
  StoreTest() { clock_.SetWall(WallTime(std::chrono::milliseconds(1'700'000'000'500))); }

  std::unique_ptr<Store> Open() {
    auto store = Store::Open(folder_, clock_);
    EXPECT_TRUE(store.ok()) << store.status().ToString();
    return store.ok() ? *std::move(store) : nullptr;
  }

  ManualClock clock_;
  TestingFolder temporary_;
  std::string folder_ = temporary_.path();
};

IndexInfo MakeInfo(const std::string& bucket, const std::string& index) {
  IndexInfo info;
  info.name = {bucket, index};
  info.dimension = 3;
  info.metric = DistanceMetric::kEuclidean;
  info.non_filterable_keys = {"zeta", "alpha", "with\nline"};
  return info;
}

Status PutKey(Store* store, const IndexName& name, std::string_view key) {
  VECLOAD_ASSIGN_OR_RETURN(const auto index, store->FindIndex(name));
  const std::vector<float> data{1, 2, 3};
  const VectorView view{key, data, {}};
  return index->Put({&view, 1});
}

size_t CountFiles(const std::string& folder) {
  size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) count += entry.exists();
  return count;
}

TEST_F(StoreTest, KeepsEverythingOverARestart) {
  auto store = Open();
  ASSERT_TRUE(store->CreateBucket({"first", 0, "aws:kms", "arn:aws:kms:x"}).ok());
  ASSERT_TRUE(store->CreateIndex(MakeInfo("first", "docs")).ok());
  ASSERT_TRUE(PutKey(store.get(), {"first", "docs"}, "k").ok());
  store.reset();

  store = Open();
  const auto bucket = store->GetBucket("first");
  ASSERT_TRUE(bucket.ok());
  EXPECT_EQ(bucket->creation_time_s, 1'700'000'000.5);
  EXPECT_EQ(bucket->sse_type, "aws:kms");
  EXPECT_EQ(bucket->kms_key_arn, "arn:aws:kms:x");
  const auto index = store->GetIndex({"first", "docs"});
  ASSERT_TRUE(index.ok());
  EXPECT_EQ(index->dimension, 3U);
  EXPECT_EQ(index->metric, DistanceMetric::kEuclidean);
  EXPECT_EQ(index->creation_time_s, 1'700'000'000.5);
  EXPECT_EQ(index->non_filterable_keys, MakeInfo("", "").non_filterable_keys);
  const auto records =
      (*store->FindIndex({"first", "docs"}))->Get(std::vector<std::string>{"k"}, {.data = true});
  ASSERT_TRUE(records.ok());
  EXPECT_EQ(records->size(), 1U);
}

TEST_F(StoreTest, RefusesNamesThatAreTakenOrMissing) {
  auto store = Open();
  EXPECT_EQ(store->CreateIndex(MakeInfo("none", "docs")).code(), Code::kNotFound);
  ASSERT_TRUE(store->CreateBucket({.name = "b1"}).ok());
  EXPECT_EQ(store->CreateBucket({.name = "b1"}).code(), Code::kConflict);
  ASSERT_TRUE(store->CreateIndex(MakeInfo("b1", "docs")).ok());
  EXPECT_EQ(store->CreateIndex(MakeInfo("b1", "docs")).code(), Code::kConflict);
  EXPECT_EQ(CountFiles(folder_ + "/indexes"), 1U);
  EXPECT_EQ(store->DeleteBucket("b1").code(), Code::kConflict);
  EXPECT_EQ(store->DeleteIndex({"b1", "none"}).code(), Code::kNotFound);
  EXPECT_EQ(store->GetIndex({"b1", "none"}).status().code(), Code::kNotFound);
  EXPECT_EQ(store->FindIndex({"b1", "none"}).status().code(), Code::kNotFound);
  EXPECT_EQ(store->ListIndexes("none", {.count_max = 5}).status().code(), Code::kNotFound);
  ASSERT_TRUE(store->DeleteIndex({"b1", "docs"}).ok());
  ASSERT_TRUE(store->DeleteBucket("b1").ok());
  EXPECT_EQ(store->DeleteBucket("b1").code(), Code::kNotFound);
  EXPECT_EQ(store->GetBucket("b1").status().code(), Code::kNotFound);
}

TEST_F(StoreTest, AnIndexMadeAgainIsEmptyAndItsOldHandleIsDead) {
  auto store = Open();
  ASSERT_TRUE(store->CreateBucket({.name = "b1"}).ok());
  ASSERT_TRUE(store->CreateIndex(MakeInfo("b1", "docs")).ok());
  ASSERT_TRUE(PutKey(store.get(), {"b1", "docs"}, "k").ok());
  const auto old = *store->FindIndex({"b1", "docs"});
  ASSERT_TRUE(store->DeleteIndex({"b1", "docs"}).ok());
  EXPECT_EQ(CountFiles(folder_ + "/indexes"), 0U);
  ASSERT_TRUE(store->CreateIndex(MakeInfo("b1", "docs")).ok());
  EXPECT_EQ(old->Get(std::vector<std::string>{"k"}, {}).status().code(), Code::kNotFound);
  const auto fresh = *store->FindIndex({"b1", "docs"});
  EXPECT_TRUE(fresh->Get(std::vector<std::string>{"k"}, {})->empty());
}

TEST_F(StoreTest, ListsByNameInPages) {
  auto store = Open();
  for (const char* name : {"b-3", "a-1", "b-1", "b-2", "c%1"}) {
    ASSERT_TRUE(store->CreateBucket({.name = name}).ok());
    ASSERT_TRUE(store->CreateIndex(MakeInfo("a-1", name)).ok() || std::string(name) == "b-3");
  }
  std::vector<std::string> names;
  for (const size_t page_size : {2, 1, 0}) {
    const std::string after = names.empty() ? "" : names.back();
    const auto page = store->ListBuckets({.after = after, .prefix = "b-", .count_max = 2});
    ASSERT_EQ(page->size(), page_size);
    for (const Bucket& bucket : *page) names.push_back(bucket.name);
  }
  EXPECT_EQ(names, (std::vector<std::string>{"b-1", "b-2", "b-3"}));
  EXPECT_EQ(store->ListBuckets({.count_max = 100})->size(), 5U);
  EXPECT_EQ(store->ListBuckets({.prefix = "%", .count_max = 100})->size(), 0U);
  const auto indexes = store->ListIndexes("a-1", {.after = "a-1", .count_max = 2});
  ASSERT_EQ(indexes->size(), 2U);
  EXPECT_EQ((*indexes)[0].name.index, "b-1");
}

TEST_F(StoreTest, IsOpenOnlyOnce) {
  auto store = Open();
  const auto second = Store::Open(folder_, clock_);
  EXPECT_EQ(second.status().code(), Code::kConflict);
  EXPECT_THAT(second.status().message(), HasSubstr("in use"));
  store.reset();
  Open();
}

TEST_F(StoreTest, LeavesAForeignFolderAlone) {
  std::ofstream(folder_ + "/thesis.txt") << "dear";
  const auto store = Store::Open(folder_, clock_);
  EXPECT_EQ(store.status().code(), Code::kCorrupt);
  EXPECT_THAT(store.status().message(), HasSubstr("thesis.txt"));
  EXPECT_EQ(CountFiles(folder_), 1U);
}

TEST_F(StoreTest, RefusesAForeignOrANewerCatalog) {
  const std::string path = folder_ + "/catalog.sqlite";
  {
    auto database = OpenDatabase(path, {}, SQLITE_OPEN_CREATE);
    ASSERT_TRUE(database->Execute("CREATE TABLE theirs(x)").ok());
  }
  EXPECT_EQ(Store::Open(folder_, clock_).status().code(), Code::kCorrupt);
  std::filesystem::remove(path);
  Open().reset();
  {
    auto database = OpenDatabase(path, {});
    ASSERT_TRUE(database->Execute("PRAGMA user_version=99").ok());
  }
  const auto newer = Store::Open(folder_, clock_);
  EXPECT_EQ(newer.status().code(), Code::kCorrupt);
  EXPECT_THAT(newer.status().message(), HasSubstr("99"));
}

TEST_F(StoreTest, SaysWhyAFolderCannotBeUsed) {
  std::ofstream(folder_ + "/file") << "x";
  const auto store = Store::Open(folder_ + "/file/data", clock_);
  EXPECT_EQ(store.status().code(), Code::kIo);
  EXPECT_THAT(store.status().message(), HasSubstr("/file/data"));
}

TEST_F(StoreTest, RemovesWhatACutShortCreationLeft) {
  Open().reset();
  const std::string orphan = folder_ + "/indexes/000000000077.sqlite";
  for (const char* suffix : {"", "-wal", "-shm"}) std::ofstream(orphan + suffix) << "x";
  auto store = Open();
  EXPECT_EQ(CountFiles(folder_ + "/indexes"), 0U);
}

TEST_F(StoreTest, KeepsPoliciesModesTextSearchAndTagsOverARestart) {
  {
    const auto store = Open();
    ASSERT_TRUE(store->CreateBucket({.name = "b1"}, {{"z", "1"}, {"a", ""}}).ok());
    IndexInfo info = MakeInfo("b1", "docs");
    info.text_search = {{"title", "en"}};
    ASSERT_TRUE(store->CreateIndex(info, {{"team", "search"}}).ok());
    ASSERT_TRUE(store
                    ->ChangeBucket("b1",
                                   [](Bucket* bucket) {
                                     bucket->policy = "{}";
                                     bucket->default_index_mode = IndexMode::kClassic;
                                     return Status::Ok();
                                   })
                    .ok());
    ASSERT_TRUE(store
                    ->ChangeIndex({"b1", "docs"},
                                  [](IndexInfo* index) {
                                    index->mode = IndexMode::kClassic;
                                    index->text_search.insert(index->text_search.begin(),
                                                              {"b", ""});
                                    return Status::Ok();
                                  })
                    .ok());
    ASSERT_TRUE(store
                    ->ChangeTags({"b1", ""},
                                 [](Tags* tags) {
                                   tags->emplace_back("m", "2");
                                   return Status::Ok();
                                 })
                    .ok());
  }
  const auto store = Open();
  const auto bucket = store->GetBucket("b1");
  ASSERT_TRUE(bucket.ok());
  EXPECT_EQ(bucket->policy, "{}");
  EXPECT_EQ(bucket->default_index_mode, IndexMode::kClassic);
  const auto index = store->GetIndex({"b1", "docs"});
  ASSERT_TRUE(index.ok());
  EXPECT_EQ(index->mode, IndexMode::kClassic);
  EXPECT_EQ(index->text_search, (std::vector<TextSearchConfiguration>{{"b", ""}, {"title", "en"}}));
  EXPECT_EQ(*store->GetTags({"b1", ""}), (Tags{{"a", ""}, {"m", "2"}, {"z", "1"}}));
  EXPECT_EQ(*store->GetTags({"b1", "docs"}), (Tags{{"team", "search"}}));
}

TEST_F(StoreTest, ARefusedChangeLeavesEverythingAsItWas) {
  const auto store = Open();
  ASSERT_TRUE(store->CreateBucket({.name = "b1"}, {{"a", "1"}}).ok());
  ASSERT_TRUE(store->CreateIndex(MakeInfo("b1", "docs")).ok());
  const auto refused = [] { return Status::InvalidArgument("no"); };
  EXPECT_EQ(store
                ->ChangeBucket("b1",
                               [&](Bucket* bucket) {
                                 bucket->policy = "{}";
                                 return refused();
                               })
                .message(),
            "no");
  EXPECT_EQ(store
                ->ChangeIndex({"b1", "docs"},
                              [&](IndexInfo* index) {
                                index->text_search = {{"a", ""}};
                                return refused();
                              })
                .message(),
            "no");
  EXPECT_EQ(store
                ->ChangeTags({"b1", ""},
                             [&](Tags* tags) {
                               tags->clear();
                               return refused();
                             })
                .message(),
            "no");
  EXPECT_EQ(store->GetBucket("b1")->policy, "");
  EXPECT_TRUE(store->GetIndex({"b1", "docs"})->text_search.empty());
  EXPECT_EQ(*store->GetTags({"b1", ""}), (Tags{{"a", "1"}}));
  const auto nothing = [](auto*) { return Status::Ok(); };
  EXPECT_EQ(store->ChangeBucket("none", nothing).code(), Code::kNotFound);
  EXPECT_EQ(store->ChangeIndex({"b1", "none"}, nothing).code(), Code::kNotFound);
  EXPECT_EQ(store->ChangeTags({"b1", "none"}, nothing).code(), Code::kNotFound);
  EXPECT_EQ(store->GetTags({"none", ""}).status().code(), Code::kNotFound);
}

TEST_F(StoreTest, TagsGoWithWhatTheyAreOn) {
  const auto store = Open();
  ASSERT_TRUE(store->CreateBucket({.name = "b1"}, {{"a", "1"}}).ok());
  ASSERT_TRUE(store->CreateIndex(MakeInfo("b1", "docs"), {{"a", "2"}}).ok());
  EXPECT_EQ(*store->GetTags({"b1", ""}), (Tags{{"a", "1"}})) << "an index's tags are its own";
  ASSERT_TRUE(store->DeleteIndex({"b1", "docs"}).ok());
  ASSERT_TRUE(store->CreateIndex(MakeInfo("b1", "docs")).ok());
  EXPECT_TRUE(store->GetTags({"b1", "docs"})->empty());
  ASSERT_TRUE(store->DeleteIndex({"b1", "docs"}).ok());
  ASSERT_TRUE(store->DeleteBucket("b1").ok());
  ASSERT_TRUE(store->CreateBucket({.name = "b1"}).ok());
  EXPECT_TRUE(store->GetTags({"b1", ""})->empty());
}

TEST_F(StoreTest, QuotasHoldAndLeaveNothingBehind) {
  auto opened = Store::Open(folder_, clock_, {.buckets = 2, .indexes_per_bucket = 1});
  ASSERT_TRUE(opened.ok());
  Store& store = **opened;
  ASSERT_TRUE(store.CreateBucket({.name = "b1"}).ok());
  ASSERT_TRUE(store.CreateBucket({.name = "b2"}).ok());
  EXPECT_EQ(store.CreateBucket({.name = "b3"}).code(), Code::kQuota);
  EXPECT_EQ(store.CreateBucket({.name = "b2"}).code(), Code::kConflict);
  EXPECT_EQ(store.GetBucket("b3").status().code(), Code::kNotFound);
  ASSERT_TRUE(store.CreateIndex(MakeInfo("b1", "docs")).ok());
  EXPECT_EQ(store.CreateIndex(MakeInfo("b1", "more")).code(), Code::kQuota);
  EXPECT_TRUE(store.CreateIndex(MakeInfo("b2", "docs")).ok()) << "each bucket has its own count";
  ASSERT_TRUE(store.DeleteIndex({"b1", "docs"}).ok());
  EXPECT_TRUE(store.CreateIndex(MakeInfo("b1", "more")).ok());
}

}  // namespace
}  // namespace vecload::store
