// Goal: whatever instant the power goes at, the store opens again, what was acknowledged is there
// bit for bit, and the one change that was under way is there whole or not at all; a full disk
// takes nothing away and leaves no half. Method: a script of every kind of change runs on a disk in
// memory whose power is cut at each of its changes in turn; a map says what must be there.
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.h"
#include "base/random.h"
#include "base/testing_folder.h"
#include "sqlite/testing_vfs.h"
#include "store/store.h"

namespace vecload::store {
namespace {

constexpr uint32_t kDimension = 40;  // with the key a tenth of a page

// A vector that belongs to its key and version, so that a mixture of two shows.
std::vector<float> VectorOf(const std::string& key, int version) {
  Random random(std::hash<std::string>()(key) * 1'000 + static_cast<uint64_t>(version));
  std::vector<float> vector(kDimension);
  for (float& value : vector) value = static_cast<float>(random.Normal());
  return vector;
}

// What a store holds: bucket -> index -> key -> version.
using Vectors = std::map<std::string, int>;
struct Contents {
  std::map<std::string, std::string> policies;  // by bucket
  std::map<std::string, Vectors> indexes;       // by "bucket/index"
  bool operator==(const Contents&) const = default;
};

// One call of the store, and what it does to the contents.
struct Step {
  std::function<Status(Store*)> act;
  std::function<void(Contents*)> apply;
};

IndexName NameOf(const std::string& index) { return {"bucket", index}; }

Step CreateBucketStep() {
  return {[](Store* store) { return store->CreateBucket({"bucket"}, {{"team", "search"}}); },
          [](Contents* contents) { contents->policies["bucket"] = ""; }};
}

Step PolicyStep(const std::string& policy) {
  return {[=](Store* store) {
            return store->ChangeBucket("bucket", [&](Bucket* bucket) {
              bucket->policy = policy;
              return Status::Ok();
            });
          },
          [=](Contents* contents) { contents->policies["bucket"] = policy; }};
}

Step CreateIndexStep(const std::string& index) {
  return {[=](Store* store) {
            IndexInfo info;
            info.name = NameOf(index);
            info.dimension = kDimension;
            info.metric = DistanceMetric::kEuclidean;
            return store->CreateIndex(info);
          },
          [=](Contents* contents) { contents->indexes["bucket/" + index] = {}; }};
}

Step DeleteIndexStep(const std::string& index) {
  return {[=](Store* store) { return store->DeleteIndex(NameOf(index)); },
          [=](Contents* contents) { contents->indexes.erase("bucket/" + index); }};
}

std::vector<std::string> Keys(int begin, int end) {
  std::vector<std::string> keys;
  for (int i = begin; i < end; ++i) keys.push_back("key-" + std::to_string(i));
  return keys;
}

Step PutStep(const std::string& index, int begin, int end, int version) {
  return {[=](Store* store) -> Status {
            VECLOAD_ASSIGN_OR_RETURN(const auto found, store->FindIndex(NameOf(index)));
            const std::vector<std::string> keys = Keys(begin, end);
            const std::string metadata = "{\"version\":" + std::to_string(version) + "}";
            std::vector<std::vector<float>> data;
            for (const std::string& key : keys) data.push_back(VectorOf(key, version));
            std::vector<VectorView> views;
            for (size_t i = 0; i < keys.size(); ++i) views.push_back({keys[i], data[i], metadata});
            return found->Put(views);
          },
          [=](Contents* contents) {
            for (const auto& key : Keys(begin, end)) {
              contents->indexes["bucket/" + index][key] = version;
            }
          }};
}

Step DeleteStep(const std::string& index, int begin, int end) {
  return {[=](Store* store) -> Status {
            VECLOAD_ASSIGN_OR_RETURN(const auto found, store->FindIndex(NameOf(index)));
            return found->Delete(Keys(begin, end));
          },
          [=](Contents* contents) {
            for (const auto& key : Keys(begin, end)) {
              contents->indexes["bucket/" + index].erase(key);
            }
          }};
}

Step DeleteBucketStep() {
  return {[](Store* store) { return store->DeleteBucket("bucket"); },
          [](Contents* contents) { contents->policies.erase("bucket"); }};
}

std::vector<Step> Script() {
  return {CreateBucketStep(),       CreateIndexStep("one"),    PutStep("one", 0, 25, 1),
          PolicyStep("{\"a\":1}"),  PutStep("one", 10, 40, 2), CreateIndexStep("two"),
          PutStep("two", 0, 10, 3), DeleteStep("one", 5, 20),  PutStep("one", 0, 8, 4),
          DeleteIndexStep("one"),   CreateIndexStep("one"),    PutStep("one", 3, 6, 5),
          DeleteStep("two", 0, 10), DeleteIndexStep("one"),    DeleteIndexStep("two"),
          DeleteBucketStep()};
}

class PowerCutTest : public testing::Test {
 protected:
  Result<std::unique_ptr<Store>> Open() {
    // All that counts is on the disk in memory; an empty folder is what the machine may have left.
    std::filesystem::remove_all(folder_);
    return Store::Open(folder_, clock_, {}, {.vfs = vfs_->name()});
  }

  // Runs the script until a step fails; opens the store anew after every `steps_a_session`.
  size_t Run(const std::vector<Step>& script, size_t steps_a_session) {
    std::unique_ptr<Store> store;
    for (size_t done = 0; done < script.size(); ++done) {
      if (done % steps_a_session == 0) {
        store.reset();
        auto opened = Open();
        if (!opened.ok()) return done;
        store = *std::move(opened);
      }
      if (!script[done].act(store.get()).ok()) return done;
    }
    return script.size();
  }

  Result<Contents> Read(Store* store) {
    Contents contents;
    VECLOAD_ASSIGN_OR_RETURN(const auto buckets, store->ListBuckets({.count_max = 10}));
    for (const Bucket& bucket : buckets) {
      VECLOAD_ASSIGN_OR_RETURN(const Bucket whole, store->GetBucket(bucket.name));
      contents.policies[bucket.name] = whole.policy;
      VECLOAD_ASSIGN_OR_RETURN(const Tags tags, store->GetTags({bucket.name, ""}));
      EXPECT_EQ(tags, (Tags{{"team", "search"}}));
      VECLOAD_ASSIGN_OR_RETURN(const auto indexes,
                               store->ListIndexes(bucket.name, {.count_max = 10}));
      for (const IndexInfo& info : indexes) {
        VECLOAD_ASSIGN_OR_RETURN(contents.indexes[info.name.ToString()],
                                 ReadVectors(store, info.name));
      }
    }
    return contents;
  }

  static Result<Vectors> ReadVectors(Store* store, const IndexName& name) {
    VECLOAD_ASSIGN_OR_RETURN(const auto index, store->FindIndex(name));
    VECLOAD_ASSIGN_OR_RETURN(
        const ListPage page,
        index->List({.count_max = 1'000, .bytes_max = 1 << 20, .want = {true, true}}));
    Vectors vectors;
    for (const Record& record : page.vectors) {
      const int version = record.metadata.at(record.metadata.size() - 2) - '0';
      EXPECT_EQ(record.vector, VectorOf(record.key, version)) << record.key;
      EXPECT_TRUE(vectors.emplace(record.key, version).second) << record.key << " twice";
    }
    const std::vector<float> zero(kDimension);
    VECLOAD_ASSIGN_OR_RETURN(const QueryAnswer answer,
                             index->Query({.query = zero, .count_max = 1'000}));
    EXPECT_EQ(answer.matches.size(), vectors.size());
    return vectors;
  }

  // The power goes at that change of the disk and comes back. Returns whether it went before the
  // script was done.
  bool CutAndLook(size_t steps_a_session, uint64_t change) {
    vfs_ = std::make_unique<sqlite::TestingVfs>("store-power-cut");
    const std::vector<Step> script = Script();
    vfs_->CutPowerAfter(change);
    const size_t done = Run(script, steps_a_session);
    const bool cut = !vfs_->HasPower();
    EXPECT_TRUE(cut || done == script.size()) << "step " << done << " failed with the power on";
    vfs_->PowerOn(/*seed=*/change);

    Contents without;
    for (size_t i = 0; i < done; ++i) script[i].apply(&without);
    Contents with = without;
    if (done < script.size()) script[done].apply(&with);
    auto opened = Open();
    EXPECT_TRUE(opened.ok()) << opened.status().ToString();
    if (!opened.ok()) return cut;
    const Result<Contents> found = Read(opened->get());
    EXPECT_TRUE(found.ok()) << found.status().ToString();
    if (!found.ok()) return cut;
    EXPECT_TRUE(*found == without || *found == with) << "after step " << done;
    return cut;
  }

  void CutEverywhere(size_t steps_a_session) {
    uint64_t change = 1;
    while (CutAndLook(steps_a_session, change)) {
      ASSERT_FALSE(HasFailure()) << "cut at change " << change;
      ++change;
      ASSERT_LT(change, 5'000U);
    }
    EXPECT_GT(change, 100U) << "the script must change the disk";
    RecordProperty("changes", static_cast<int>(change));
  }

  ManualClock clock_;
  // In memory where that is to be had: the folder itself is synced at each of hundreds of starts.
  TestingFolder temporary_{
      std::filesystem::exists("/dev/shm") ? "/dev/shm" : std::filesystem::temp_directory_path()};
  std::string folder_ = temporary_.path();
  std::unique_ptr<sqlite::TestingVfs> vfs_;
};

TEST_F(PowerCutTest, NothingAcknowledgedIsLostInOneSession) { CutEverywhere(1'000); }

// Closing moves what the logs hold into the files, so this cuts into checkpoints too.
TEST_F(PowerCutTest, NothingAcknowledgedIsLostWhileTheStoreIsClosedAndOpened) { CutEverywhere(2); }

// Also what queries find in memory stays as it was.
TEST_F(PowerCutTest, AFullDiskFailsAWriteWholeAndTheNextOneGoesThrough) {
  int refused = 0;
  for (uint64_t free_bytes = 0; free_bytes < 120'000; free_bytes += 1'500) {
    vfs_ = std::make_unique<sqlite::TestingVfs>("store-full-disk");
    auto opened = Open();
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    Store* store = opened->get();
    Contents expected;
    for (const Step& step :
         {CreateBucketStep(), PolicyStep("{}"), CreateIndexStep("one"), PutStep("one", 0, 20, 1)}) {
      ASSERT_TRUE(step.act(store).ok());
      step.apply(&expected);
    }
    ASSERT_TRUE(ReadVectors(store, NameOf("one")).ok());  // into memory
    const Step large = PutStep("one", 10, 300, 2);
    vfs_->SetFreeBytes(free_bytes);
    const Status status = large.act(store);
    vfs_->SetFreeBytes(~uint64_t{0});
    if (status.ok()) {
      large.apply(&expected);
    } else {
      ++refused;
      EXPECT_EQ(status.code(), Code::kIo) << status.ToString();
    }
    for (const Step& step : {PutStep("one", 15, 25, 3), DeleteStep("one", 0, 2)}) {
      ASSERT_TRUE(step.act(store).ok());
      step.apply(&expected);
    }
    const auto found = Read(store);
    ASSERT_TRUE(found.ok()) << found.status().ToString();
    EXPECT_TRUE(*found == expected) << free_bytes << " bytes were free";
  }
  EXPECT_GT(refused, 5);
  EXPECT_LT(refused, 80) << "some must have fitted";
}

}  // namespace
}  // namespace vecload::store
