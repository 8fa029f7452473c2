// Goal: rows become batches that keep the service's limits, and every row is covered by exactly
// one batch. Method: blocks made up in memory; bodies are compared by their keys.
#include <cmath>
#include <cstdio>
#include <fstream>
#include <limits>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.h"
#include "load/divider.h"
#include "load/encoder.h"
#include "load/rejects_file.h"
#include "source/row_check.h"

namespace vecload::load {
namespace {

using source::CheckRow;

constexpr source::RowRules kRules{.dimension = 2, .metric = DistanceMetric::kCosine};

struct Data {
  std::vector<std::string> keys;
  std::vector<std::vector<float>> vectors;
};

// A block whose rows have the given keys; a key that starts with '!' gets a bad vector.
std::shared_ptr<const RowBlock> Block(uint32_t file, uint64_t row_begin,
                                      std::vector<std::string> keys) {
  auto data = std::make_shared<Data>();
  data->keys = std::move(keys);
  auto block = std::make_shared<RowBlock>();
  block->file = file;
  block->row_begin = row_begin;
  for (const std::string& key : data->keys) {
    data->vectors.push_back({key.starts_with('!') ? NAN : 1.0F, 2.0F});
  }
  for (size_t i = 0; i < data->keys.size(); ++i) {
    SourceRow row;
    row.key = data->keys[i];
    row.vector = data->vectors[i];
    block->rows.push_back(row);
  }
  block->owner = data;
  return block;
}

std::vector<std::string> Keys(const CutBatch& batch) {
  std::vector<std::string> keys;
  for (const CutBatch::Row& row : batch.rows) keys.emplace_back(row.row->key);
  return keys;
}

struct Cut {
  std::vector<CutBatch> batches;
  Status status;
};

Cut CutAll(const std::vector<std::shared_ptr<const RowBlock>>& blocks, uint32_t vectors_max) {
  Cut cut;
  const std::atomic<uint32_t> limit = vectors_max;
  Divider cutter({.rules = kRules, .batch_vectors_max = &limit}, [&](CutBatch batch) {
    cut.batches.push_back(std::move(batch));
    return Status::Ok();
  });
  for (const auto& block : blocks) {
    cut.status = cutter.Add(block);
    if (!cut.status.ok()) return cut;
  }
  cut.status = cutter.Finish();
  return cut;
}

TEST(BatchCutter, CutsByCountAndSpansFiles) {
  const Cut cut = CutAll({Block(0, 0, {"a", "b"}), Block(1, 0, {"c", "d", "e"})}, 3);
  ASSERT_EQ(cut.batches.size(), 2U);
  EXPECT_EQ(Keys(cut.batches[0]), (std::vector<std::string>{"a", "b", "c"}));
  const std::vector<Segment> expected = {{0, 0, 0, 2}, {1, 0, 0, 1}};
  EXPECT_EQ(cut.batches[0].coverage.segments, expected);
  EXPECT_EQ(Keys(cut.batches[1]), (std::vector<std::string>{"d", "e"}));
}

TEST(BatchCutter, TheLaterOfTwoRowsWithOneKeyWins) {
  const Cut cut = CutAll({Block(0, 0, {"a", "b", "a", "a"})}, 500);
  ASSERT_EQ(cut.batches.size(), 1U);
  const CutBatch& batch = cut.batches[0];
  EXPECT_EQ(Keys(batch), (std::vector<std::string>{"b", "a"}));
  EXPECT_EQ(batch.rows[1].id, (RowId{0, 3}));
  EXPECT_EQ(batch.coverage.superseded, (std::vector<RowId>{{0, 0}, {0, 2}}));
  EXPECT_EQ(batch.coverage.Settled().at(0).counts.rows, 4U);
}

TEST(BatchCutter, ABadLaterRowDoesNotSupersede) {
  auto block = std::make_shared<RowBlock>(*Block(0, 0, {"a", "a"}));
  block->rows[1].vector = block->rows[1].vector.first(1);
  const Cut cut = CutAll({block}, 500);
  EXPECT_EQ(Keys(cut.batches.at(0)), std::vector<std::string>{"a"});
  EXPECT_EQ(cut.batches[0].rows[0].id, (RowId{0, 0}));
  ASSERT_EQ(cut.batches[0].coverage.rejects.size(), 1U);
  EXPECT_EQ(cut.batches[0].coverage.rejects[0].rule, RejectRule::kVectorDimension);
}

TEST(BatchCutter, ABatchHasAtMostSixteenSegments) {
  std::vector<std::shared_ptr<const RowBlock>> blocks;
  for (uint32_t file = 0; file < 40; ++file)
    blocks.push_back(Block(file, 0, {"k" + std::to_string(file)}));
  const Cut cut = CutAll(blocks, 500);
  ASSERT_EQ(cut.batches.size(), 3U);
  EXPECT_EQ(cut.batches[0].coverage.segments.size(), 16U);
  EXPECT_EQ(cut.batches[2].rows.size(), 8U);
}

TEST(BatchCutter, StopsWhenTheFirstTenThousandRowsAreAllBad) {
  const std::vector<std::string> bad(10'000, "!");
  const Cut all_bad = CutAll({Block(0, 0, bad)}, 500);
  EXPECT_EQ(all_bad.status.code(), Code::kInvalidArgument);
  uint64_t rejects = 0;
  for (const CutBatch& batch : all_bad.batches) rejects += batch.coverage.rejects.size();
  EXPECT_EQ(rejects, 10'000U) << "the user sees them all";
  std::vector<std::string> one_good = bad;
  one_good[9'999] = "good";
  EXPECT_TRUE(CutAll({Block(0, 0, one_good), Block(1, 0, bad)}, 500).status.ok());
}

TEST(BatchCutter, EveryRowIsCoveredOnceWhateverTheMixture) {
  Random random(11);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::shared_ptr<const RowBlock>> blocks;
    std::map<RowId, int> seen;
    for (uint32_t file = 0; file < 5; ++file) {
      std::vector<std::string> keys;
      for (uint64_t i = random.Below(30); i > 0; --i) {
        keys.push_back((random.Below(5) == 0 ? "!" : "") + std::to_string(random.Below(20)));
        seen[{file, keys.size() - 1}] = 0;
      }
      blocks.push_back(Block(file, 0, keys));
    }
    BufferPool pool;
    Encoder encoder(JobKind::kLoad, &pool, 200 + random.Below(400));
    for (CutBatch& cut : CutAll(blocks, 1 + static_cast<uint32_t>(random.Below(20))).batches) {
      for (EncodedBatch& batch : encoder.Encode({"b", "i"}, std::move(cut))) {
        // Divide some of what was encoded, as a refusal would.
        std::vector<EncodedBatch> parts;
        if (batch.ids.size() > 1 && random.Below(2) == 0) {
          const size_t divide_at = 1 + random.Below(batch.ids.size() - 1);
          auto [head, tail] = encoder.Divide(std::move(batch), divide_at);
          parts.push_back(std::move(head));
          parts.push_back(std::move(tail));
        } else {
          parts.push_back(std::move(batch));
        }
        for (const EncodedBatch& part : parts) {
          ASSERT_EQ(part.body.records.size(), part.ids.size());
          ASSERT_EQ(part.coverage.Settled(part.ids), part.coverage.Settled());
          for (const RowId& id : part.ids) ++seen.at(id);
          for (const Reject& reject : part.coverage.rejects) ++seen.at(reject.id);
          for (const RowId& id : part.coverage.superseded) ++seen.at(id);
          ASSERT_LE(part.coverage.segments.size(), Coverage::kSegmentsMax);
        }
      }
    }
    for (const auto& [id, count] : seen) ASSERT_EQ(count, 1) << id.file << ":" << id.row;
  }
}

TEST(Encoder, ABatchThatDoesNotFitBecomesSeveral) {
  Cut cut = CutAll({Block(0, 0, {"a", "b", "c", "d", "e"})}, 500);
  BufferPool pool;
  Encoder encoder(JobKind::kLoad, &pool, 170);
  const std::vector<EncodedBatch> batches =
      encoder.Encode({"b", "i"}, std::move(cut.batches.at(0)));
  ASSERT_GT(batches.size(), 1U);
  std::string keys;
  for (const EncodedBatch& batch : batches) {
    EXPECT_LE(batch.body.text().size(), 170U);
    EXPECT_EQ(std::string(batch.payload_hash.data(), 64),
              std::string(auth::Sha256Hex(batch.body.text()).data(), 64));
    for (size_t i = 0; i < batch.ids.size(); ++i) keys += batch.body.key_json(i);
  }
  EXPECT_EQ(keys, R"("a""b""c""d""e")");
}

TEST(Encoder, SelectingRecordsHashesTheNewBody) {
  Cut cut = CutAll({Block(0, 0, {"a", "b", "c"})}, 500);
  BufferPool pool;
  Encoder encoder(JobKind::kLoad, &pool, 1 << 20);
  const EncodedBatch batch =
      std::move(encoder.Encode({"b", "i"}, std::move(cut.batches.at(0))).at(0));
  const std::vector<size_t> kept = {0, 2};
  const EncodedBatch selected = encoder.Select(batch, kept);
  EXPECT_EQ(selected.ids, (std::vector<RowId>{{0, 0}, {0, 2}}));
  EXPECT_EQ(selected.payload_hash, auth::Sha256Hex(selected.body.text()));
}

SourceRow Row(std::string_view key, std::span<const float> vector) {
  SourceRow row;
  row.key = key;
  row.vector = vector;
  return row;
}

TEST(RowCheck, JudgesAsTheServiceDoes) {
  const float max = std::numeric_limits<float>::max();
  const std::vector<float> good = {1, -0.0F};
  const std::vector<float> extreme = {max, std::numeric_limits<float>::denorm_min()};
  const std::vector<float> nan = {1, NAN};
  const std::vector<float> infinite = {-INFINITY, 1};
  const std::vector<float> zero = {0.0F, -0.0F};
  const std::vector<float> longer = {1, 2, 3};
  EXPECT_EQ(CheckRow(Row("k", good), kRules), RejectRule::kNone);
  EXPECT_EQ(CheckRow(Row("k", extreme), kRules), RejectRule::kNone);
  EXPECT_EQ(CheckRow(Row("k", nan), kRules), RejectRule::kVectorNotFinite);
  EXPECT_EQ(CheckRow(Row("k", infinite), kRules), RejectRule::kVectorNotFinite);
  EXPECT_EQ(CheckRow(Row("k", zero), kRules), RejectRule::kVectorZeroNorm);
  EXPECT_EQ(CheckRow(Row("k", zero), {2, DistanceMetric::kEuclidean}), RejectRule::kNone);
  EXPECT_EQ(CheckRow(Row("k", longer), kRules), RejectRule::kVectorDimension);
  EXPECT_EQ(CheckRow(Row("", good), kRules), RejectRule::kKeyLength);
  EXPECT_EQ(CheckRow(Row(std::string(1024, 'k'), good), kRules), RejectRule::kNone);
  EXPECT_EQ(CheckRow(Row(std::string(1025, 'k'), good), kRules), RejectRule::kKeyLength);
  EXPECT_EQ(CheckRow(Row("\xff", good), kRules), RejectRule::kKeyNotUtf8);
  SourceRow row = Row("k", good);
  row.metadata_filterable_bytes = row.metadata_bytes = 2'048;
  EXPECT_EQ(CheckRow(row, kRules), RejectRule::kNone);
  row.metadata_filterable_bytes = row.metadata_bytes = 2'049;
  EXPECT_EQ(CheckRow(row, kRules), RejectRule::kMetadataFilterableBytes);
  row.metadata_filterable_bytes = 4;
  row.metadata_bytes = 40'961;
  EXPECT_EQ(CheckRow(row, kRules), RejectRule::kMetadataBytes);
  row.metadata_bytes = 500;
  row.metadata_keys = 51;
  EXPECT_EQ(CheckRow(row, kRules), RejectRule::kMetadataKeys);
}

std::string ReadAll(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(RejectsFile, WritesOneJsonObjectALine) {
  Manifest manifest;
  manifest.files.emplace_back().uri = "a \"b\".parquet";
  Reject plain{.id = {0, 7}, .rule = RejectRule::kVectorDimension, .message = "too long"};
  SetRejectKey("k\n", &plain);
  Reject binary{.id = {0, 8}, .rule = RejectRule::kKeyNotUtf8, .message = "not UTF-8"};
  SetRejectKey("\xff\xfe", &binary);
  const Reject missing{.id = {0, 9}, .rule = RejectRule::kKeyMissing, .message = "null"};
  const std::string path = ::testing::TempDir() + "/rejects.jsonl";
  auto file = RejectsFile::Open(path, 0);
  ASSERT_TRUE(file.ok());
  const std::vector<Reject> rejects = {plain, binary, missing};
  ASSERT_TRUE((*file)->Append(rejects, manifest).ok());
  ASSERT_TRUE((*file)->Sync().ok());
  const std::string file_field = R"({"file":"a \"b\".parquet",)";
  EXPECT_EQ(ReadAll(path),
            file_field +
                R"("row":7,"key":"k\n","rule":"vector_dimension","message":"too long"})"
                "\n" +
                file_field +
                R"("row":8,"key_base64":"//4=","rule":"key_not_utf8","message":"not UTF-8"})"
                "\n" +
                file_field +
                R"("row":9,"rule":"key_missing","message":"null"})"
                "\n");
  std::remove(path.c_str());
}

TEST(RejectsFile, GoesOnBehindWhatTheJournalVouchesFor) {
  Manifest manifest;
  manifest.files.emplace_back().uri = "a";
  const std::vector<Reject> first = {{.id = {0, 1}, .rule = RejectRule::kKeyMissing}};
  const std::vector<Reject> second = {{.id = {0, 2}, .rule = RejectRule::kKeyMissing}};
  const std::string path = ::testing::TempDir() + "/resumed-rejects.jsonl";
  uint64_t vouched = 0;
  {
    auto file = RejectsFile::Open(path, 0);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE((*file)->Append(first, manifest).ok());
    vouched = (*file)->size();
    // Written, but the run dies before its transaction.
    ASSERT_TRUE((*file)->Append(second, manifest).ok());
  }
  {
    auto file = RejectsFile::Open(path, vouched);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE((*file)->Append(second, manifest).ok());
  }
  EXPECT_EQ(ReadAll(path),
            RejectLine(first[0], manifest.files[0]) + RejectLine(second[0], manifest.files[0]));
  EXPECT_EQ(RejectsFile::Open(path, 1'000'000).status().code(), Code::kIo) << "lines were lost";
  std::remove(path.c_str());
  EXPECT_EQ(RejectsFile::Open(path, vouched).status().code(), Code::kIo);
  EXPECT_TRUE(IsResumable(path));
  EXPECT_FALSE(IsResumable("/dev/null"));
}

TEST(RejectsFile, SaysWhatCannotBeWritten) {
  EXPECT_EQ(RejectsFile::Open("/nowhere/rejects.jsonl", 0).status().code(), Code::kIo);
  auto full = RejectsFile::Open("/dev/full", 0);
  ASSERT_TRUE(full.ok());
  Manifest manifest;
  manifest.files.emplace_back().uri = "a";
  const std::vector<Reject> rejects = {{.id = {0, 1}, .rule = RejectRule::kKeyMissing}};
  const Status status = (*full)->Append(rejects, manifest);
  EXPECT_EQ(status.code(), Code::kIo);
  EXPECT_NE(status.message().find("/dev/full"), std::string::npos);
}

}  // namespace
}  // namespace vecload::load
