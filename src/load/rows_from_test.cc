// Goal: --rows-from takes the rows that its file lists and no other, and says which line is wrong.
// Method: files in a folder of the test's own, and a source in memory whose rows say who they are.
#include "load/rows_from.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "base/random.h"
#include "load/rejects_file.h"

namespace vecload::load {
namespace {

using journal::RowRange;
using Ranges = std::vector<RowRange>;

Manifest TwoFiles() {
  Manifest manifest;
  manifest.files.resize(2);
  manifest.files[0].uri = "data/a.parquet";
  manifest.files[0].rows = 100;
  manifest.files[1].uri = "s3://bucket/b.parquet";
  manifest.files[1].rows = 10'000'000'000;
  return manifest;
}

class RowsFromTest : public ::testing::Test {
 protected:
  RowsFromTest() : path_(::testing::TempDir() + "rows-from-" + std::to_string(getpid())) {}
  ~RowsFromTest() override { std::filesystem::remove(path_); }

  Result<ReadingPlan> Read(const std::string& text) {
    std::ofstream(path_, std::ios::binary) << text;
    return ReadRowsFrom(path_, manifest_);
  }

  // The message for `text`, without the path.
  std::string Refusal(const std::string& text) {
    const auto plan = Read(text);
    if (plan.ok()) return "taken";
    const std::string& message = plan.status().message();
    EXPECT_TRUE(message.starts_with("--rows-from " + path_)) << message;
    return message.substr(std::min(message.size(), path_.size() + 12));
  }

  std::string path_;
  Manifest manifest_ = TwoFiles();
};

TEST_F(RowsFromTest, ReadsWhatARejectsFileHolds) {
  std::string text;
  for (const RowId id : {RowId{0, 17}, RowId{1, 5'000'000'000}, RowId{0, 18}, RowId{0, 0}}) {
    Reject reject{.id = id, .rule = RejectRule::kVectorNotFinite, .message = "say \"no\"\n"};
    SetRejectKey("k\xff", &reject);
    text += RejectLine(reject, manifest_.files[id.file]);
  }
  const auto plan = Read(text);
  ASSERT_TRUE(plan.ok()) << plan.status().ToString();
  EXPECT_EQ(plan->OfFile(0), (Ranges{{0, 1}, {17, 19}}));
  EXPECT_EQ(plan->OfFile(1), (Ranges{{5'000'000'000, 5'000'000'001}}));
}

TEST_F(RowsFromTest, FilesAreMatchedByAbsolutePathAndRowsCountOnce) {
  const std::string absolute = (std::filesystem::current_path() / "data/a.parquet").string();
  const auto plan = Read(R"({"row":3,"file":"./x/../data/a.parquet"})"
                         "\r\n\n"
                         R"({"file":")" +
                         absolute +
                         R"(","row":3}
{"file":"data/a.parquet","row":4,"later":{"members":["are","passed","over"]}})");
  ASSERT_TRUE(plan.ok()) << plan.status().ToString();
  EXPECT_EQ(plan->OfFile(0), (Ranges{{3, 5}}));
}

TEST_F(RowsFromTest, NamesTheLineThatIsWrong) {
  const std::string good = R"({"file":"data/a.parquet","row":0})"
                           "\n";
  const std::string malformed =
      R"(, line 2: not a JSON object with a text "file" and a whole number "row")";
  for (const char* line :
       {"x", "{}", "[]", "null", R"({"file":"data/a.parquet"})", R"({"row":1})",
        R"({"file":"data/a.parquet","row":-1})", R"({"file":"data/a.parquet","row":1.5})",
        R"({"file":"data/a.parquet","row":"1"})", R"({"file":1,"row":1})",
        R"({"file":"data/a.parquet","row":1)",
        R"({"file":"data/a.parquet","row":1} {"file":"data/a.parquet","row":2})",
        R"({"file":null,"row":1})"}) {
    EXPECT_EQ(Refusal(good + line + "\n"), malformed) << line;
  }
  EXPECT_EQ(Refusal(good + good + R"({"file":"b.parquet","row":0})"),
            ", line 3: file \"b.parquet\" is not among the sources; name it too, or start from the "
            "folder that the path was relative to");
  EXPECT_EQ(Refusal(R"({"file":"data/a.parquet","row":100})"),
            ", line 1: there is no row 100 in data/a.parquet, which has 100 rows");
  EXPECT_EQ(Refusal(""), ": lists no row, so nothing is to do");
  EXPECT_EQ(Refusal("\n \n"), ": lists no row, so nothing is to do");
  EXPECT_EQ(Refusal(good + std::string(17 << 20, ' ')), ": cannot be read: a line is too long");
}

TEST_F(RowsFromTest, AFileThatCannotBeReadIsTold) {
  const auto missing = ReadRowsFrom(path_ + "-none", manifest_);
  EXPECT_EQ(missing.status().code(), Code::kIo);
  EXPECT_NE(missing.status().message().find("No such file"), std::string::npos)
      << missing.status().message();
  EXPECT_EQ(ReadRowsFrom(::testing::TempDir(), manifest_).status().code(), Code::kIo);
}

// Rows of one file that say their number in every member; blocks of seven.
class NumberedSource : public Source {
 public:
  explicit NumberedSource(uint64_t rows) {
    manifest_.files.resize(1);
    manifest_.files[0].rows = rows;
  }
  [[nodiscard]] const Manifest& manifest() const override { return manifest_; }
  [[nodiscard]] const ColumnMapping& mapping() const override { return mapping_; }
  Result<uint32_t> Dimension() override { return uint32_t{2}; }
  Status Read(const ReadRequest& request, const std::function<Status(RowBlock)>& deliver) override {
    for (uint64_t row = request.row_begin; row < request.row_end; row += 7) {
      const uint64_t end = std::min(request.row_end, row + 7);
      auto texts = std::make_shared<std::vector<std::string>>();
      auto floats = std::make_shared<std::vector<float>>();
      for (uint64_t i = row; i < end; ++i) {
        texts->push_back(std::to_string(i));
        floats->push_back(static_cast<float>(i));
      }
      RowBlock block{.row_begin = row, .bytes = 1 << 20, .owner = texts};
      for (size_t i = 0; i < texts->size(); ++i) {
        block.rows.push_back({.key = (*texts)[i],
                              .vector = std::span(*floats).subspan(i, 1),
                              .metadata = (*texts)[i],
                              .has_shard_value = true,
                              .fault_detail = (*texts)[i],
                              .shard_value = (*texts)[i]});
      }
      VECLOAD_RETURN_IF_ERROR(deliver(std::move(block)));
    }
    return Status::Ok();
  }

 private:
  Manifest manifest_;
  ColumnMapping mapping_;
};

TEST(SelectedRows, PropertyDeliversTheListedRowsAndOwnsThem) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    NumberedSource source(60);
    Ranges listed;
    for (uint64_t i = 1 + random.Below(15); i > 0; --i) {
      const uint64_t row = random.Below(60);
      listed.push_back({row, std::min<uint64_t>(60, row + 1 + random.Below(10))});
    }
    const ReadingPlan plan = ReadingPlan::OfRows({listed});
    SelectedRows selected(&source, &plan);
    std::vector<RowBlock> blocks;
    for (const ReadRequest& request : plan.Requests(source.manifest(), nullptr, {})) {
      ASSERT_TRUE(selected
                      .Read(request,
                            [&](RowBlock block) {
                              blocks.push_back(std::move(block));
                              return Status::Ok();
                            })
                      .ok());
    }
    std::vector<uint64_t> delivered;
    for (const RowBlock& block : blocks) {
      EXPECT_LT(block.bytes, 1'000U) << "a few rows do not hold what they were read with";
      for (size_t i = 0; i < block.rows.size(); ++i) {
        const uint64_t number = block.row_begin + i;
        const std::string text = std::to_string(number);
        delivered.push_back(number);
        EXPECT_EQ(block.rows[i].key, text);
        EXPECT_EQ(block.rows[i].metadata, text);
        EXPECT_EQ(block.rows[i].fault_detail, text);
        EXPECT_EQ(block.rows[i].shard_value, text);
        EXPECT_TRUE(block.rows[i].has_shard_value);
        EXPECT_EQ(block.rows[i].vector[0], static_cast<float>(number));
      }
    }
    std::vector<uint64_t> expected;
    for (const RowRange& range : plan.OfFile(0)) {
      for (uint64_t row = range.begin; row < range.end; ++row) expected.push_back(row);
    }
    EXPECT_EQ(delivered, expected);
  }
}

}  // namespace
}  // namespace vecload::load
