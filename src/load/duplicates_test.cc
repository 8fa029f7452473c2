// Goal: of each key exactly one row is left, the right one, however the keys are spread and however
// little memory there is, and what goes wrong is told. Method: a naive std::map beside it, on
// made-up keys with many and few repetitions; the sorter is told to spill every few entries.
#include "load/duplicates.h"

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "load/divider.h"
#include "load/key_sorter.h"
#include "load/testing_source.h"

namespace vecload::load {
namespace {

using ::testing::HasSubstr;
using testing::KeySource;

constexpr source::RowRules kRules{.dimension = 2, .metric = DistanceMetric::kEuclidean};

// Which rows lose, by a map: the n-th entry of `keys` is row n.
std::set<uint64_t> NaiveLosers(const std::vector<uint64_t>& keys, Keep keep) {
  std::map<uint64_t, uint64_t> winners;
  std::set<uint64_t> losers;
  for (uint64_t row = 0; row < keys.size(); ++row) {
    const auto [place, is_new] = winners.try_emplace(keys[row], row);
    if (is_new) continue;
    losers.insert(keep == Keep::kFirst ? row : place->second);
    if (keep == Keep::kLast) place->second = row;
  }
  return losers;
}

struct Sorted {
  std::multiset<uint64_t> losers;
  size_t runs = 0;
};

// Keys that share the high or the low half of their digest are different keys.
KeyEntry EntryOf(uint64_t key, uint64_t row) {
  return {.digest_high = key / 3, .digest_low = key % 3, .row = row};
}

Sorted Sort(const std::vector<uint64_t>& keys, Keep keep, size_t entries_max) {
  Sorted sorted;
  KeySorter sorter(keep, entries_max, [&](uint64_t loser, uint64_t preferred) {
    EXPECT_EQ(keys[loser], keys[preferred]);
    EXPECT_EQ(keep == Keep::kFirst, preferred < loser);
    sorted.losers.insert(loser);
  });
  for (uint64_t row = 0; row < keys.size(); ++row) {
    EXPECT_TRUE(sorter.Add(EntryOf(keys[row], row)).ok());
  }
  EXPECT_TRUE(sorter.Finish(nullptr).ok());
  sorted.runs = sorter.runs();
  return sorted;
}

TEST(KeyEntry, StandsForTheKeyWithSixteenBytesOfItsDigest) {
  const KeyEntry entry = KeyEntry::Of("abc", 7);
  unsigned char bytes[16];
  std::memcpy(bytes, &entry.digest_high, 8);
  std::memcpy(bytes + 8, &entry.digest_low, 8);
  EXPECT_THAT(bytes, ::testing::ElementsAre(0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41,
                                            0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23))
      << "FIPS 180-2, appendix B.1";
  EXPECT_EQ(entry.row, 7U);
}

RC_GTEST_PROP(KeySorter, AgreesWithAMapWhateverSpills, ()) {
  const auto distinct = *rc::gen::inRange<uint64_t>(1, 40);
  const auto rows = *rc::gen::inRange<size_t>(0, 120);
  const auto keys =
      *rc::gen::container<std::vector<uint64_t>>(rows, rc::gen::inRange<uint64_t>(0, distinct));
  const auto entries_max = *rc::gen::inRange<size_t>(1, 130);
  const auto keep = *rc::gen::element(Keep::kFirst, Keep::kLast);
  const Sorted sorted = Sort(keys, keep, entries_max);
  const std::set<uint64_t> losers = NaiveLosers(keys, keep);
  RC_ASSERT(sorted.losers == std::multiset<uint64_t>(losers.begin(), losers.end()));
  RC_ASSERT((sorted.runs > 0) == (keys.size() > entries_max));
}

TEST(KeySorter, MergesRunsThatAreReadInSeveralPieces) {
  // Three runs of 400 entries, read 170 at a time: the ends of pieces and runs are met.
  std::vector<uint64_t> keys;
  for (uint64_t row = 0; row < 1'200; ++row) keys.push_back(row * 7 % 400 + row / 800 * 200);
  for (const Keep keep : {Keep::kFirst, Keep::kLast}) {
    const Sorted sorted = Sort(keys, keep, 400);
    EXPECT_EQ(sorted.runs, 3U);
    const std::set<uint64_t> losers = NaiveLosers(keys, keep);
    EXPECT_EQ(sorted.losers, std::multiset<uint64_t>(losers.begin(), losers.end()));
  }
}

TEST(KeySorter, OneKeyOverAndOverTakesNoSpace) {
  KeySorter sorter(Keep::kLast, 100, [](uint64_t, uint64_t) {});
  for (uint64_t row = 0; row < 10'000; ++row) ASSERT_TRUE(sorter.Add(EntryOf(1, row)).ok());
  ASSERT_TRUE(sorter.Finish(nullptr).ok());
  EXPECT_EQ(sorter.runs(), 100U);
  EXPECT_EQ(sorter.spilled_bytes(), 100 * sizeof(KeyEntry));
}

TEST(KeySorter, StopsWhileItSortsAndMerges) {
  for (const size_t entries_max : {10, 1'000}) {
    KeySorter sorter(Keep::kLast, entries_max, [](uint64_t, uint64_t) {});
    for (uint64_t row = 0; row < 100; ++row) ASSERT_TRUE(sorter.Add(EntryOf(row, row)).ok());
    const std::atomic<bool> stop = true;
    EXPECT_EQ(sorter.Finish(&stop).code(), Code::kCancelled);
  }
}

// What a source of many small files holds, some of them empty, and which of its rows are left.
struct Job {
  std::vector<KeySource::File> files;
  std::map<std::string, RowId> first;
  std::map<std::string, RowId> last;
  uint64_t rows = 0;
};

Job MakeJob(const std::vector<std::vector<int>>& numbers) {
  Job job;
  for (const std::vector<int>& file : numbers) {
    auto& keys = job.files.emplace_back();
    for (const int number : file) {
      const RowId id{static_cast<uint32_t>(job.files.size() - 1), keys.size()};
      ++job.rows;
      if (number < 0) {
        keys.emplace_back(number == -1 ? std::nullopt : std::optional(std::string(2'000, 'x')));
        continue;
      }
      keys.emplace_back("key-" + std::to_string(number));
      job.first.try_emplace(*keys.back(), id);
      job.last[*keys.back()] = id;
    }
  }
  return job;
}

RC_GTEST_PROP(DuplicateRows, LeavesTheChosenRowOfEachKeyAlone, ()) {
  const Job job = MakeJob(*rc::gen::container<std::vector<std::vector<int>>>(
      rc::gen::container<std::vector<int>>(rc::gen::inRange(-2, 30))));
  KeySource source(job.files);
  for (const OnDuplicate policy : {OnDuplicate::kFirst, OnDuplicate::kLast}) {
    const auto found = DuplicateRows::Find(&source, {.policy = policy});
    RC_ASSERT(found.ok());
    const auto& chosen = policy == OnDuplicate::kFirst ? job.first : job.last;
    uint64_t superseded = 0;
    for (uint32_t file = 0; file < job.files.size(); ++file) {
      for (uint64_t row = 0; row < job.files[file].size(); ++row) {
        const auto& key = job.files[file][row];
        const auto place = chosen.find(key.value_or(""));
        const bool loses = place != chosen.end() && place->second != RowId{file, row};
        RC_ASSERT((*found)->IsSuperseded({file, row}) == loses);
        superseded += loses ? 1 : 0;
      }
    }
    RC_ASSERT((*found)->count() == superseded);
  }
}

RC_GTEST_PROP(DuplicateRows, TheErrorNamesTheFirstRowThatRepeatsAKey, ()) {
  const Job job = MakeJob(*rc::gen::container<std::vector<std::vector<int>>>(
      rc::gen::container<std::vector<int>>(rc::gen::inRange(-2, 200))));
  KeySource source(job.files);
  const auto found = DuplicateRows::Find(&source, {.policy = OnDuplicate::kError});
  std::set<std::string> seen;
  std::string wanted;
  uint64_t repetitions = 0;
  for (uint32_t file = 0; file < job.files.size(); ++file) {
    for (uint64_t row = 0; row < job.files[file].size(); ++row) {
      const std::string key = job.files[file][row].value_or("");
      if (!key.starts_with("key") || seen.insert(key).second) continue;
      if (repetitions++ > 0) continue;
      const RowId original = job.first.at(key);
      wanted = "key \"" + key + "\" stands in row " + std::to_string(original.row) + " of file-" +
               std::to_string(original.file) + " and again in row " + std::to_string(row) +
               " of file-" + std::to_string(file) + " ";
    }
  }
  RC_ASSERT(found.ok() == (repetitions == 0));
  if (found.ok()) return;
  RC_ASSERT(found.status().message().starts_with(wanted));
  RC_ASSERT(found.status().message().find("; " + std::to_string(repetitions) + " of " +
                                          std::to_string(job.rows)) != std::string::npos);
}

TEST(DuplicateRows, TheErrorShowsAKeySafelyAndInPart) {
  const std::string key = "\x1b[31m\n\"" + std::string(92, 'a') + "\u00e4\u00e4" + "tail";
  KeySource source(std::vector<KeySource::File>{{key}, {key}});
  const auto found = DuplicateRows::Find(&source, {.policy = OnDuplicate::kError});
  ASSERT_EQ(found.status().code(), Code::kInvalidArgument);
  EXPECT_THAT(found.status().message(),
              HasSubstr(R"(key "\u001b[31m\n\")" + std::string(92, 'a') + "\"... stands in row 0"));
}

TEST(DuplicateRows, StopsWhileItReads) {
  KeySource source({KeySource::File{"a", "b"}});
  const std::atomic<bool> stop = true;
  EXPECT_EQ(DuplicateRows::Find(&source, {.stop = &stop}).status().code(), Code::kCancelled);
}

TEST(DuplicateRows, NamesTheFolderThatTakesNoFile) {
  setenv("TMPDIR", "/nonexistent/folder", 1);
  KeySource source({KeySource::File{"a"}});
  const auto found = DuplicateRows::Find(&source, {});
  unsetenv("TMPDIR");
  EXPECT_EQ(found.status().code(), Code::kIo);
  EXPECT_THAT(found.status().message(), HasSubstr("\"/nonexistent/folder\""));
  EXPECT_THAT(found.status().message(), HasSubstr("TMPDIR"));
}

TEST(DuplicateRows, LeavesNoFileBehind) {
  const std::filesystem::path folder = ::testing::TempDir() + "vecload-duplicates-test";
  std::filesystem::create_directories(folder);
  setenv("TMPDIR", folder.c_str(), 1);
  KeySource source({KeySource::File{"a", "a"}});
  const auto found = DuplicateRows::Find(&source, {});
  unsetenv("TMPDIR");
  ASSERT_TRUE(found.ok());
  EXPECT_EQ((*found)->count(), 1U);
  EXPECT_TRUE(std::filesystem::is_empty(folder)) << "not even while it is in use";
  std::filesystem::remove_all(folder);
}

struct Cut {
  std::vector<CutBatch> batches;
  size_t blocks_held_max = 0;
};

// As the loader reads: blocks of `block_rows`.
Cut CutAll(Source* source, const DuplicateRows* duplicates, uint32_t block_rows) {
  Cut cut;
  const std::atomic<uint32_t> limit = 500;
  Divider cutter({.rules = kRules, .batch_vectors_max = &limit, .duplicates = duplicates},
                 [&](CutBatch batch) {
                   cut.batches.push_back(std::move(batch));
                   return Status::Ok();
                 });
  for (uint32_t file = 0; file < source->manifest().files.size(); ++file) {
    const Status read = source->Read({.file = file,
                                      .row_begin = 0,
                                      .row_end = source->manifest().files[file].rows,
                                      .block_rows_max = block_rows,
                                      .non_filterable_keys = {}},
                                     [&](RowBlock block) {
                                       auto held = std::make_shared<RowBlock>(std::move(block));
                                       const Status added = cutter.Add(held);
                                       cut.blocks_held_max = std::max<size_t>(cut.blocks_held_max,
                                                                              cutter.blocks_held());
                                       return added;
                                     });
    EXPECT_TRUE(read.ok()) << read.ToString();
  }
  EXPECT_TRUE(cutter.Finish().ok());
  return cut;
}

struct Settled {
  uint64_t rows = 0;
  uint64_t superseded = 0;
  uint64_t rejected = 0;
};

Settled Account(const Cut& cut) {
  Settled sum;
  for (const CutBatch& batch : cut.batches) {
    for (const journal::SettledSegment& settled : batch.coverage.Settled()) {
      EXPECT_TRUE(settled.IsConsistent());
      sum.rows += settled.counts.rows;
      sum.superseded += settled.counts.superseded;
      sum.rejected += settled.counts.rejected;
    }
  }
  return sum;
}

TEST(BatchCutter, SendsTheChosenRowsAloneAndCoversAll) {
  KeySource source({{"a", "b", "a", std::nullopt}, {"c", "b"}, {"a"}});
  const auto duplicates = DuplicateRows::Find(&source, {.policy = OnDuplicate::kFirst});
  ASSERT_TRUE(duplicates.ok());
  const Cut cut = CutAll(&source, duplicates->get(), 3);
  ASSERT_EQ(cut.batches.size(), 1U);
  std::vector<RowId> sent;
  for (const CutBatch::Row& row : cut.batches[0].rows) sent.push_back(row.id);
  EXPECT_THAT(sent, ::testing::ElementsAre(RowId{0, 0}, RowId{0, 1}, RowId{1, 0}));
  const Settled settled = Account(cut);
  EXPECT_EQ(settled.rows, 7U);
  EXPECT_EQ(settled.superseded, 3U);
  EXPECT_EQ(settled.rejected, 1U);
}

TEST(BatchCutter, ALongRunOfSupersededRowsHoldsLittle) {
  KeySource::File first;
  for (int i = 0; i < 50'000; ++i) first.emplace_back("k" + std::to_string(i));
  KeySource source({first, first});
  const auto duplicates = DuplicateRows::Find(&source, {.policy = OnDuplicate::kLast});
  ASSERT_TRUE(duplicates.ok());
  const Cut cut = CutAll(&source, duplicates->get(), 100);
  for (const CutBatch& batch : cut.batches) EXPECT_LE(batch.coverage.superseded.size(), 10'000U);
  const Settled settled = Account(cut);
  EXPECT_EQ(settled.rows, 100'000U);
  EXPECT_EQ(settled.superseded, 50'000U);
  EXPECT_EQ(cut.batches.size(), 5U + 100U);
  EXPECT_TRUE(cut.batches.front().rows.empty());
}

TEST(BatchCutter, FewRowsOfManyBlocksDoNotKeepThemAllAlive) {
  // One row of each block is left.
  KeySource::File keys;
  for (int i = 0; i < 20'000; ++i) {
    keys.emplace_back(i % 100 == 50 ? "k" + std::to_string(i) : "again");
  }
  KeySource source({keys});
  const auto duplicates = DuplicateRows::Find(&source, {.policy = OnDuplicate::kLast});
  ASSERT_TRUE(duplicates.ok());
  for (const DuplicateRows* chosen :
       {duplicates->get(), static_cast<const DuplicateRows*>(nullptr)}) {
    const Cut cut = CutAll(&source, chosen, 100);
    EXPECT_LE(cut.blocks_held_max, 16U);
    EXPECT_EQ(Account(cut).rows, 20'000U);
  }
}

}  // namespace
}  // namespace vecload::load
