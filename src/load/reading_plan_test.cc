// Goal: the parts of a job are disjoint, cover everything, are the same on any machine and stay
// when files come; and what a plan has read is what it says, no more than row groups force. Method:
// manifests drawn from a seed; all parts of each are laid side by side. Where a part is pinned by
// value, machines of different versions would otherwise load different shares of one job.
#include "load/reading_plan.h"

#include <algorithm>
#include <cmath>
#include <map>

#include <gtest/gtest.h>

#include "base/random.h"

namespace vecload::load {
namespace {

using journal::RowRange;
using Ranges = std::vector<RowRange>;

SourceFile MakeFile(const std::string& uri, uint64_t rows) {
  SourceFile file;
  file.uri = uri;
  file.rows = rows;
  file.size = 1'000 + rows * 4'096;
  return file;
}

Manifest RandomManifest(Random* random) {
  Manifest manifest;
  const uint64_t files = 1 + random->Below(30);
  for (uint64_t i = 0; i < files; ++i) {
    const uint64_t magnitude = uint64_t{1} << random->Below(24);
    manifest.files.push_back(
        MakeFile("/data/part-" + std::to_string(i) + ".parquet", random->Below(magnitude)));
  }
  return manifest;
}

// Share of each file, by its base name and size.
std::map<std::pair<std::string, uint64_t>, Ranges> SharesByName(const Manifest& manifest,
                                                                uint32_t part, uint32_t parts) {
  const ReadingPlan plan = ReadingPlan::OfPart(manifest, part, parts);
  std::map<std::pair<std::string, uint64_t>, Ranges> shares;
  for (uint32_t file = 0; file < manifest.files.size(); ++file) {
    const SourceFile& source = manifest.files[file];
    shares[{source.uri.substr(source.uri.rfind('/')), source.size}] = plan.OfFile(file);
  }
  return shares;
}

TEST(ReadingPlanParts, PropertyEachRowIsInExactlyOnePart) {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const Manifest manifest = RandomManifest(&random);
    const auto parts = static_cast<uint32_t>(1 + random.Below(random.Below(2) == 0 ? 8 : 500));
    std::vector<Ranges> all(manifest.files.size());
    for (uint32_t part = 1; part <= parts; ++part) {
      const ReadingPlan plan = ReadingPlan::OfPart(manifest, part, parts);
      for (uint32_t file = 0; file < manifest.files.size(); ++file) {
        ASSERT_LE(plan.OfFile(file).size(), 1U) << "a journal takes one range a file";
        std::ranges::copy(plan.OfFile(file), std::back_inserter(all[file]));
      }
    }
    for (uint32_t file = 0; file < manifest.files.size(); ++file) {
      std::ranges::sort(all[file], {}, &RowRange::begin);
      uint64_t row = 0;
      for (const RowRange& range : all[file]) {
        ASSERT_EQ(range.begin, row) << "a gap, or a row twice";
        ASSERT_LT(range.begin, range.end);
        row = range.end;
      }
      ASSERT_EQ(row, manifest.files[file].rows);
    }
  }
}

TEST(ReadingPlanParts, PropertyNewFilesOtherFoldersAndOrderMoveNothing) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const Manifest before = RandomManifest(&random);
    const auto parts = static_cast<uint32_t>(1 + random.Below(12));
    Manifest after = before;
    for (SourceFile& file : after.files) {
      file.uri = "s3://bucket/copy/of" + file.uri;
      file.mtime_ns = 7;
      file.etag = "other";
    }
    for (int i = 0; i < 10; ++i) {
      after.files.push_back(
          MakeFile("s3://bucket/new-" + std::to_string(i), random.Below(100'000)));
    }
    for (size_t i = after.files.size() - 1; i > 0; --i) {
      std::swap(after.files[i], after.files[random.Below(i + 1)]);
    }
    for (uint32_t part = 1; part <= parts; ++part) {
      const auto later = SharesByName(after, part, parts);
      for (const auto& [name, share] : SharesByName(before, part, parts)) {
        ASSERT_EQ(later.at(name), share) << name.first;
      }
    }
  }
}

TEST(ReadingPlanParts, ALargeFileIsDividedEvenly) {
  Manifest manifest;
  manifest.files = {MakeFile("/d/a.parquet", 1'000'003)};
  for (uint32_t part = 1; part <= 4; ++part) {
    const uint64_t rows = ReadingPlan::OfPart(manifest, part, 4).rows();
    EXPECT_EQ(rows, part < 4 ? 250'001U : 250'000U);
  }
  manifest.files = {MakeFile("/d/a.parquet", 39'999)};
  for (uint32_t part = 1; part <= 4; ++part) {
    const uint64_t rows = ReadingPlan::OfPart(manifest, part, 4).rows();
    EXPECT_TRUE(rows == 0 || rows == 39'999) << "too small to be worth four readers";
  }
}

TEST(ReadingPlanParts, ManySmallFilesAreSharedOutNearlyEvenly) {
  Manifest manifest;
  for (int i = 0; i < 2'000; ++i) {
    manifest.files.push_back(MakeFile("/d/part-" + std::to_string(i) + ".parquet", 5'000));
  }
  for (const uint32_t parts : {2U, 3U, 10U}) {
    uint64_t most = 0;
    for (uint32_t part = 1; part <= parts; ++part) {
      most = std::max(most, ReadingPlan::OfPart(manifest, part, parts).rows());
    }
    // Three standard deviations of a random choice.
    EXPECT_LE(static_cast<double>(most),
              (1 + 3 * std::sqrt((parts - 1) / 2'000.0)) * 10'000'000 / parts)
        << parts;
  }
}

TEST(ReadingPlanParts, PartitionsTellFilesOfOneNameApart) {
  Manifest manifest;
  for (int year = 1900; year < 2000; ++year) {
    SourceFile file = MakeFile("/d/year=" + std::to_string(year) + "/data.parquet", 5'000);
    file.partitions = {{"year", std::to_string(year)}};
    manifest.files.push_back(file);
  }
  EXPECT_NEAR(static_cast<double>(ReadingPlan::OfPart(manifest, 1, 2).rows()), 250'000, 75'000);
}

TEST(ReadingPlanParts, AreTheSameInEveryVersion) {
  Manifest manifest;
  manifest.files = {MakeFile("/data/part-0.parquet", 100), MakeFile("s3://b/embeddings.parquet", 9),
                    MakeFile("x.arrow", 19'999), MakeFile("/data/large.parquet", 50'000)};
  manifest.files[1].partitions = {{"year", "2024"}};
  EXPECT_EQ(ReadingPlan::OfPart(manifest, 1, 3).Shares(),
            (Ranges{{0, 0}, {0, 9}, {0, 0}, {0, 16'667}}));
  EXPECT_EQ(ReadingPlan::OfPart(manifest, 2, 3).Shares(),
            (Ranges{{0, 0}, {0, 0}, {0, 19'999}, {16'667, 33'334}}));
  EXPECT_EQ(ReadingPlan::OfPart(manifest, 3, 3).Shares(),
            (Ranges{{0, 100}, {0, 0}, {0, 0}, {33'334, 50'000}}));
}

std::vector<Ranges> Requested(const ReadingPlan& plan, const Manifest& manifest) {
  std::vector<Ranges> ranges(manifest.files.size());
  for (const ReadRequest& request : plan.Requests(manifest, nullptr, {.block_rows_max = 7})) {
    EXPECT_EQ(request.block_rows_max, 7U);
    ranges[request.file].push_back({request.row_begin, request.row_end});
  }
  return ranges;
}

TEST(ReadingPlan, AsksForEachFileOnceAndForEmptyOnesNever) {
  Manifest manifest;
  manifest.files = {MakeFile("a", 10), MakeFile("b", 0), MakeFile("c", 20'000)};
  const ReadingPlan plan = ReadingPlan::Whole(manifest);
  EXPECT_EQ(plan.rows(), 20'010U);
  EXPECT_EQ(Requested(plan, manifest), (std::vector<Ranges>{{{0, 10}}, {}, {{0, 20'000}}}));
}

TEST(ReadingPlan, ListedRowsAreMergedAndReadByRowGroup) {
  Manifest manifest;
  manifest.files = {MakeFile("a", 40), MakeFile("b", 40), MakeFile("c", 40)};
  for (SourceFile& file : manifest.files) file.row_group_rows = {10, 10, 10, 10};
  const ReadingPlan plan = ReadingPlan::OfRows(
      {{{12, 13}, {3, 4}, {17, 18}, {3, 4}, {4, 5}, {35, 36}}, {}, {{8, 12}, {5, 6}, {39, 40}}});
  EXPECT_EQ(plan.OfFile(0), (Ranges{{3, 5}, {12, 13}, {17, 18}, {35, 36}}));
  EXPECT_EQ(plan.OfFile(2), (Ranges{{5, 6}, {8, 12}, {39, 40}}));
  EXPECT_EQ(plan.rows(), 11U) << "each once";
  EXPECT_EQ(Requested(plan, manifest),
            (std::vector<Ranges>{{{3, 5}, {12, 18}, {35, 36}}, {}, {{5, 12}, {39, 40}}}));
}

TEST(ReadingPlan, PropertyListedRowsLieInRequestsAndNoRowGroupIsReadForNothing) {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    Manifest manifest;
    manifest.files = {MakeFile("a", 0)};
    SourceFile& file = manifest.files[0];
    for (uint64_t i = random.Below(6); i > 0; --i) {
      file.row_group_rows.push_back(random.Below(50));
      file.rows += file.row_group_rows.back();
    }
    if (file.rows == 0) continue;
    std::vector<bool> listed(file.rows);
    Ranges rows;
    for (uint64_t i = 1 + random.Below(20); i > 0; --i) {
      const uint64_t begin = random.Below(file.rows);
      const uint64_t end = std::min(file.rows, begin + 1 + random.Below(6));
      rows.push_back({begin, end});
      for (uint64_t row = begin; row < end; ++row) listed[row] = true;
    }
    const ReadingPlan plan = ReadingPlan::OfRows({rows});
    EXPECT_EQ(plan.rows(), std::ranges::count(listed, true));
    std::vector<bool> read(file.rows);
    uint64_t row_end = 0;
    const Ranges requested = Requested(plan, manifest)[0];
    for (const RowRange& range : requested) {
      ASSERT_GE(range.begin, row_end) << "in order";
      row_end = range.end;
      EXPECT_TRUE(listed[range.begin] && listed[range.end - 1]);
      std::fill(read.begin() + static_cast<int64_t>(range.begin),
                read.begin() + static_cast<int64_t>(range.end), true);
    }
    uint64_t begin = 0;
    for (const uint64_t group_rows : file.row_group_rows) {
      const auto first = static_cast<int64_t>(begin);
      const auto last = static_cast<int64_t>(begin + group_rows);
      const bool wanted = std::count(listed.begin() + first, listed.begin() + last, true) > 0;
      EXPECT_EQ(std::count(read.begin() + first, read.begin() + last, true) > 0, wanted);
      begin += group_rows;
    }
    for (uint64_t row = 0; row < file.rows; ++row) ASSERT_TRUE(read[row] || !listed[row]) << row;
  }
}

}  // namespace
}  // namespace vecload::load
