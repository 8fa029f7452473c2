// Goal: the threads together load every row once and account for it, whatever the service does,
// and they end. Method: a source in memory and a transport that plays the service on a thread of
// its own; no socket, no sleep; a journal in a folder of its own. TSan runs this too.
#include "load/pipeline.h"

#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "auth/credentials.h"
#include "base/random.h"
#include "client/shards.h"
#include "journal/journal.h"
#include "load/rows_from.h"
#include "load/testing_source.h"
#include "sqlite/testing_vfs.h"
#include "vecload/loader.h"

namespace vecload::load {
namespace {

// `files` files of `rows` rows each; keys "k-FILE-ROW".
class MemorySource : public Source {
 public:
  MemorySource(uint32_t files, uint64_t rows) {
    for (uint32_t file = 0; file < files; ++file) {
      SourceFile entry;
      entry.uri = "file-" + std::to_string(file);
      entry.rows = rows;
      manifest_.files.push_back(entry);
    }
    manifest_.rows = files * rows;
  }

  [[nodiscard]] const Manifest& manifest() const override { return manifest_; }
  [[nodiscard]] const ColumnMapping& mapping() const override { return mapping_; }
  Result<uint32_t> Dimension() override { return uint32_t{2}; }

  Status Read(const ReadRequest& request, const std::function<Status(RowBlock)>& deliver) override {
    if (request.file == broken_file) return Status::Corrupt("file is broken");
    for (uint64_t row = request.row_begin; row < request.row_end; row += request.block_rows_max) {
      const uint64_t end = std::min(request.row_end, row + request.block_rows_max);
      VECLOAD_RETURN_IF_ERROR(deliver(MakeBlock(request.file, row, end)));
    }
    return Status::Ok();
  }

  std::set<uint64_t> bad_rows;  // of every file: their vectors are too short
  uint32_t broken_file = UINT32_MAX;

 private:
  RowBlock MakeBlock(uint32_t file, uint64_t begin, uint64_t end) {
    auto keys = std::make_shared<std::vector<std::string>>();
    for (uint64_t row = begin; row < end; ++row) {
      keys->push_back("k-" + std::to_string(file) + "-" + std::to_string(row));
    }
    RowBlock block;
    block.file = file;
    block.row_begin = begin;
    block.bytes = 1 << 20;
    for (uint64_t row = begin; row < end; ++row) {
      SourceRow made;
      made.key = (*keys)[row - begin];
      made.vector = std::span<const float>(kVector).first(bad_rows.contains(row) ? 1 : 2);
      block.rows.push_back(made);
    }
    block.owner = keys;
    return block;
  }

  static constexpr float kVector[2] = {0.25F, -1.5F};
  Manifest manifest_;
  ColumnMapping mapping_;
};

// Answers on a thread of its own, as libcurl's does.
class FakeService : public http::Transport {
 public:
  using Answerer = std::function<Result<http::Reply>(const std::vector<std::string>& keys)>;

  explicit FakeService(Answerer answer) : answer_(std::move(answer)) {
    thread_ = std::thread([this] {
      while (auto call = calls_.Pop()) {
        const std::vector<std::string> keys = KeysOf(call->first.body);
        ExpectOneShard(call->first.body, keys);
        auto reply = answer_(keys);
        call->second(std::move(reply));
      }
    });
  }
  ~FakeService() override {
    calls_.Close();
    thread_.join();
  }
  void Send(http::Request request, Done done) override {
    calls_.Push({std::move(request), std::move(done)});
  }

  // So that each request has to be for one shard alone, and that one's index be named.
  void DivideOver(uint32_t shards) { shards_ = shards; }

  static http::Reply Reply(int status, const std::string& code, const std::string& body) {
    http::Reply reply;
    reply.status = status;
    if (!code.empty()) reply.headers.emplace_back("x-amzn-ErrorType", code);
    reply.body = body;
    return reply;
  }

  static std::vector<std::string> KeysOf(std::string_view body) {
    constexpr std::string_view kDeleted = R"("keys":[)";
    const size_t deleted = body.find(kDeleted);
    const bool deletes = deleted != body.npos;
    const std::string_view mark = deletes ? "\"" : "{\"key\":\"";
    std::vector<std::string> keys;
    size_t at = deletes ? deleted + kDeleted.size() : 0;
    for (at = body.find(mark, at); at != body.npos; at = body.find(mark, at + 1)) {
      const size_t begin = at + mark.size();
      const size_t end = body.find('"', begin);
      keys.emplace_back(body.substr(begin, end - begin));
      at = end;
    }
    return keys;
  }

 private:
  void ExpectOneShard(std::string_view body, const std::vector<std::string>& keys) const {
    if (shards_ == 0) return;
    for (const std::string& key : keys) {
      const IndexName index = client::ShardName({"bucket", "index"}, client::ShardOf(key, shards_));
      EXPECT_NE(body.find("\"indexName\":\"" + index.index + "\""), body.npos) << key;
    }
  }

  uint32_t shards_ = 0;
  Answerer answer_;
  Queue<std::pair<http::Request, Done>> calls_;
  std::thread thread_;
};

class PipelineTest : public ::testing::Test {
 protected:
  PipelineTest() {
    options_.sources = {"memory"};
    options_.rate_vectors_per_s = 0;
    options_.rate_requests_per_s = 0;
    options_.encoders = 3;
  }

  LoadReport Run(Source* source, FakeService::Answerer answer) {
    auto service = std::make_shared<FakeService>(std::move(answer));
    service->DivideOver(options_.shards);
    return RunWith(source, std::move(service));
  }

  LoadReport RunWith(Source* source, std::shared_ptr<http::Transport> service) {
    auto keys = auth::CredentialProvider::FromKeys({"id", "secret", ""});
    client::Caller caller({.endpoint_url = "http://127.0.0.1:1",
                           .region = "us-east-1",
                           .credentials = std::move(keys),
                           .transport = std::move(service),
                           .clock = &Clock::System()});
    auto rejects = RejectsFile::Open("", 0);
    Pipeline pipeline({.kind = kind_,
                       .source = source,
                       .caller = &caller,
                       .rejects = rejects->get(),
                       .journal = journal_.get(),
                       .plan = plan_.get(),
                       .duplicates = duplicates_,
                       .indexes = Indexes(),
                       .is_sharded = options_.shards > 0,
                       .options = &options_});
    return pipeline.Run();
  }

  [[nodiscard]] std::vector<IndexInfo> Indexes() const {
    std::vector<IndexInfo> indexes(std::max(1U, options_.shards));
    for (uint32_t shard = 0; shard < indexes.size(); ++shard) {
      indexes[shard].name = client::ShardName({"bucket", "index"}, shard);
      indexes[shard].dimension = 2;
    }
    return indexes;
  }

  static uint64_t Sum(const LoadReport& report) {
    return report.vectors_acknowledged + report.vectors_rejected + report.vectors_superseded +
           report.rows_remaining;
  }

  // As `vecload::Load` does it.
  void OpenJournal(const std::string& path, const Source& source, const std::string& vfs = "") {
    journal_.reset();
    auto opened = journal::Journal::Open(
        path,
        {.endpoint_url = "e",
         .indexes = std::vector<journal::IndexIdentity>(Indexes().size(), {"arn", 1})},
        source.manifest(), {.shares = plan_ ? plan_->Shares() : Shares(), .vfs = vfs});
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    journal_ = std::move(opened->journal);
  }

  // Loads 10,000 rows in runs that stop after a few puts each.
  void ExpectStoppedRunsToAddUp(const std::string& path,
                                const std::set<uint64_t>& bad_rows = {17, 1'999}) {
    MemorySource source(5, 2'000);
    source.bad_rows = bad_rows;
    const uint64_t rejected = 5 * bad_rows.size();
    Random random(9);
    std::map<std::string, int> stored;
    std::atomic<bool> stop = false;
    options_.stop = &stop;
    uint64_t acknowledged = 0;
    LoadReport report;
    int runs = 0;
    do {
      ASSERT_LT(++runs, 100);
      OpenJournal(path, source);
      stop = false;
      int puts = 0;
      const uint64_t puts_max = 5 + random.Below(30);
      report = Run(&source, [&](const std::vector<std::string>& keys) {
        for (const std::string& key : keys) ++stored[key];
        if (static_cast<uint64_t>(++puts) == puts_max) stop = true;
        return FakeService::Reply(200, "", "{}");
      });
      EXPECT_EQ(report.vectors_resumed, acknowledged);
      acknowledged += report.vectors_acknowledged;
      EXPECT_EQ(Sum(report) + report.vectors_resumed, 10'000U);
    } while (report.exit_code == 4);
    EXPECT_GT(runs, 1);
    EXPECT_EQ(report.exit_code, rejected > 0 ? 3 : 0) << report.status.ToString();
    EXPECT_EQ(report.vectors_rejected, rejected) << "earlier runs' rejects count";
    EXPECT_EQ(acknowledged, 10'000U - rejected);
    EXPECT_EQ(stored.size(), 10'000U - rejected);
    for (const auto& [key, count] : stored) {
      ASSERT_EQ(count, 1) << key << ": what was acknowledged was committed before the end";
    }
    OpenJournal(path, source);
    EXPECT_EQ(Run(&source,
                  [](const std::vector<std::string>&) {
                    ADD_FAILURE() << "a finished load sends nothing";
                    return FakeService::Reply(200, "", "{}");
                  })
                  .vectors_resumed,
              10'000U - rejected);
  }

  using Shares = std::vector<journal::RowRange>;
  LoadOptions options_;
  JobKind kind_ = JobKind::kLoad;
  std::unique_ptr<ReadingPlan> plan_;
  std::unique_ptr<journal::Journal> journal_;
  const DuplicateRows* duplicates_ = nullptr;
};

TEST_F(PipelineTest, LoadsEveryRowOnce) {
  MemorySource source(7, 1'001);
  source.bad_rows = {0, 500, 1'000};
  std::multiset<std::string> stored;
  const LoadReport report = Run(&source, [&](const std::vector<std::string>& keys) {
    stored.insert(keys.begin(), keys.end());
    return FakeService::Reply(200, "", "{}");
  });
  EXPECT_EQ(report.exit_code, 3) << report.status.ToString();
  EXPECT_EQ(report.vectors_rejected, 21U);
  EXPECT_EQ(report.vectors_acknowledged, 7'007U - 21);
  EXPECT_EQ(report.rows_remaining, 0U);
  EXPECT_EQ(stored.size(), 7'007U - 21);
  EXPECT_EQ(std::set<std::string>(stored.begin(), stored.end()).size(), stored.size());
  EXPECT_EQ(report.requests, (7'007U - 21 + 499) / 500) << "batches are full across files";
  EXPECT_EQ(report.attempts, report.requests);
}

TEST_F(PipelineTest, SurvivesAServiceThatThrottlesRefusesAndLosesReplies) {
  MemorySource source(3, 400);
  Random random(3);
  std::set<std::string> stored;
  options_.batch_vectors_max = 10;
  const LoadReport report =
      Run(&source, [&](const std::vector<std::string>& keys) -> Result<http::Reply> {
        const double dice = random.Uniform();
        if (dice < 0.02) return FakeService::Reply(429, "TooManyRequestsException", "{}");
        if (dice < 0.04) return FakeService::Reply(500, "InternalServerException", "{}");
        for (size_t i = 0; i < keys.size(); ++i) {
          if (!keys[i].ends_with("77")) continue;
          if (dice < 0.5)
            return FakeService::Reply(400, "ValidationException", R"({"message":"m"})");
          return FakeService::Reply(400, "ValidationException",
                                    R"({"message":"m","fieldList":[{"path":"vectors[)" +
                                        std::to_string(i) + R"(].key","message":"bad"}]})");
        }
        stored.insert(keys.begin(), keys.end());
        if (dice > 0.98) return Status::Unavailable("the reply was lost");
        return FakeService::Reply(200, "", "{}");
      });
  EXPECT_EQ(report.exit_code, 3) << report.status.ToString();
  EXPECT_EQ(report.vectors_rejected, 12U);
  EXPECT_EQ(report.vectors_acknowledged, 1'200U - 12);
  EXPECT_EQ(stored.size(), 1'200U - 12);
  EXPECT_GT(report.throttled, 0U);
  EXPECT_EQ(Sum(report), 1'200U);
}

TEST_F(PipelineTest, StopsOnRequestAndAccountsForWhatIsLeft) {
  MemorySource source(20, 10'000);
  std::atomic<bool> stop = false;
  std::atomic<int> puts = 0;
  options_.stop = &stop;
  options_.rate_vectors_per_s = 100'000;  // so that there is something left when it stops
  const LoadReport report = Run(&source, [&](const std::vector<std::string>&) {
    if (++puts == 5) stop = true;
    return FakeService::Reply(200, "", "{}");
  });
  EXPECT_EQ(report.exit_code, 4);
  EXPECT_EQ(report.status.code(), Code::kCancelled);
  EXPECT_EQ(report.vectors_acknowledged, 500U * static_cast<uint64_t>(puts));
  EXPECT_GT(report.rows_remaining, 0U);
  EXPECT_EQ(Sum(report), 200'000U);
}

TEST_F(PipelineTest, RunsThatStopEarlyAddUpToOneLoad) {
  const std::filesystem::path folder =
      ::testing::TempDir() + "vecload-pipeline-" + std::to_string(getpid());
  std::filesystem::create_directory(folder);
  options_.batch_vectors_max = 100;
  ExpectStoppedRunsToAddUp(folder / "job.journal");
  journal_.reset();
  std::filesystem::remove_all(folder);
}

TEST_F(PipelineTest, ThePartsOfAJobAddUpToIt) {
  const std::filesystem::path folder =
      ::testing::TempDir() + "vecload-parts-" + std::to_string(getpid());
  std::filesystem::create_directory(folder);
  MemorySource source(2, 30'001);
  std::multiset<std::string> stored;
  for (uint32_t part = 1; part <= 3; ++part) {
    plan_ = std::make_unique<ReadingPlan>(ReadingPlan::OfPart(source.manifest(), part, 3));
    const std::string path = folder / std::to_string(part);
    std::atomic<bool> stop = false;
    options_.stop = &stop;
    LoadReport report;
    for (int run = 0; run < 2; ++run) {
      OpenJournal(path, source);
      stop = false;
      int puts = 0;
      report = Run(&source, [&](const std::vector<std::string>& keys) {
        stored.insert(keys.begin(), keys.end());
        if (run == 0 && ++puts == 10) stop = true;
        return FakeService::Reply(200, "", "{}");
      });
      EXPECT_EQ(report.rows_total, part == 1 ? 20'002U : 20'000U);
      EXPECT_EQ(Sum(report) + report.vectors_resumed, report.rows_total);
    }
    EXPECT_EQ(report.exit_code, 0) << report.status.ToString();
    EXPECT_EQ(report.rows_remaining, 0U);
  }
  EXPECT_EQ(stored.size(), 60'002U);
  EXPECT_EQ(std::set<std::string>(stored.begin(), stored.end()).size(), stored.size());
  journal_.reset();
  std::filesystem::remove_all(folder);
}

TEST_F(PipelineTest, WithoutAJournalAPlansRowsAreTheTotal) {
  MemorySource source(2, 1'000);
  plan_ =
      std::make_unique<ReadingPlan>(ReadingPlan::OfRows({{{0, 10}, {500, 501}}, {{999, 1'000}}}));
  SelectedRows selected(&source, plan_.get());
  const LoadReport report = Run(
      &selected, [](const std::vector<std::string>&) { return FakeService::Reply(200, "", "{}"); });
  EXPECT_EQ(report.exit_code, 0) << report.status.ToString();
  EXPECT_EQ(report.rows_total, 12U);
  EXPECT_EQ(report.vectors_acknowledged, 12U);
}

TEST_F(PipelineTest, RowsThatGiveWayAreSettledAndNeverSent) {
  // The first file gives way whole, in batches without a vector.
  testing::KeySource::File keys;
  for (int i = 0; i < 12'000; ++i) keys.emplace_back("k" + std::to_string(i));
  testing::KeySource source({keys, keys});
  auto duplicates = DuplicateRows::Find(&source, {.policy = OnDuplicate::kLast});
  ASSERT_TRUE(duplicates.ok());
  duplicates_ = duplicates->get();
  std::multiset<std::string> sent;
  const LoadReport report = Run(&source, [&](const std::vector<std::string>& batch) {
    sent.insert(batch.begin(), batch.end());
    return FakeService::Reply(200, "", "{}");
  });
  EXPECT_EQ(report.exit_code, 0) << report.status.ToString();
  EXPECT_EQ(report.vectors_superseded, 12'000U);
  EXPECT_EQ(report.vectors_acknowledged, 12'000U);
  EXPECT_EQ(sent.size(), 12'000U);
  EXPECT_EQ(std::set<std::string>(sent.begin(), sent.end()).size(), sent.size());
}

// The disk fills up after a while, at a point that differs from try to try.
TEST_F(PipelineTest, AFullDiskStopsItAndTheNextRunGoesOn) {
  options_.batch_vectors_max = 10;
  for (const uint64_t free_bytes : {0, 20'000, 50'000, 80'001}) {
    sqlite::TestingVfs disk("full-disk-pipeline");
    MemorySource source(2, 5'000);
    std::set<std::string> stored;
    const auto answer = [&](const std::vector<std::string>& keys) {
      stored.insert(keys.begin(), keys.end());
      return FakeService::Reply(200, "", "{}");
    };
    OpenJournal("job.journal", source, disk.name());
    disk.SetFreeBytes(free_bytes);
    const LoadReport stopped = Run(&source, answer);
    EXPECT_EQ(stopped.exit_code, 4);
    EXPECT_EQ(stopped.status.code(), Code::kIo) << stopped.status.ToString();
    EXPECT_EQ(Sum(stopped), 10'000U);

    disk.SetFreeBytes(~uint64_t{0});
    OpenJournal("job.journal", source, disk.name());
    const LoadReport done = Run(&source, answer);
    EXPECT_EQ(done.exit_code, 0) << done.status.ToString();
    EXPECT_EQ(done.vectors_resumed > 0, free_bytes > 0) << free_bytes;
    EXPECT_LE(done.vectors_resumed, stopped.vectors_acknowledged) << "only what was acknowledged";
    EXPECT_EQ(done.vectors_resumed + done.vectors_acknowledged, 10'000U);
    EXPECT_EQ(stored.size(), 10'000U);
    journal_.reset();
  }
}

TEST_F(PipelineTest, StopsWhereTheServiceDenies) {
  MemorySource source(2, 10'000);
  const LoadReport report = Run(&source, [](const std::vector<std::string>&) {
    return FakeService::Reply(403, "AccessDeniedException", R"({"message":"no"})");
  });
  EXPECT_EQ(report.exit_code, 4);
  EXPECT_EQ(report.status.code(), Code::kDenied);
  EXPECT_EQ(report.rows_remaining, 20'000U);
}

TEST_F(PipelineTest, RowsBeforeABrokenFileAreLoaded) {
  MemorySource source(3, 1'000);
  source.broken_file = 2;
  const LoadReport report = Run(
      &source, [](const std::vector<std::string>&) { return FakeService::Reply(200, "", "{}"); });
  EXPECT_EQ(report.exit_code, 4);
  EXPECT_EQ(report.status.code(), Code::kCorrupt);
  EXPECT_EQ(report.vectors_acknowledged, 2'000U);
  EXPECT_EQ(report.rows_remaining, 1'000U);
}

TEST_F(PipelineTest, MoreRejectsThanAllowedStopTheLoad) {
  MemorySource source(1, 100'000);
  for (uint64_t row = 0; row < 100'000; row += 2) source.bad_rows.insert(row);
  options_.rejects_max = 100;
  options_.rate_vectors_per_s = 100'000;
  const LoadReport report = Run(
      &source, [](const std::vector<std::string>&) { return FakeService::Reply(200, "", "{}"); });
  EXPECT_EQ(report.exit_code, 4);
  EXPECT_GT(report.vectors_rejected, 100U);
  EXPECT_GT(report.rows_remaining, 0U);
  EXPECT_EQ(Sum(report), 100'000U);
}

TEST_F(PipelineTest, ATinyMemoryBudgetOnlySlowsItDown) {
  // Files smaller than a batch: the cutter holds blocks while it asks for more.
  MemorySource source(10, 300);
  options_.memory_bytes_max = 1;
  const LoadReport report = Run(
      &source, [](const std::vector<std::string>&) { return FakeService::Reply(200, "", "{}"); });
  EXPECT_EQ(report.exit_code, 0) << report.status.ToString();
  EXPECT_EQ(report.vectors_acknowledged, 3'000U);
}

TEST_F(PipelineTest, ADeletionSendsKeysAloneAndJudgesNothingElse) {
  kind_ = JobKind::kDelete;
  testing::KeySource::File keys;
  for (int i = 0; i < 1'203; ++i) keys.emplace_back("k" + std::to_string(i));
  keys[5] = std::nullopt;
  keys[6] = "";
  keys[8] = "k7";  // in one batch with the other
  testing::KeySource source({keys});
  std::multiset<std::string> deleted;
  const LoadReport report = Run(&source, [&](const std::vector<std::string>& batch) {
    deleted.insert(batch.begin(), batch.end());
    return FakeService::Reply(200, "", "{}");
  });
  EXPECT_EQ(report.exit_code, 3) << report.status.ToString();
  EXPECT_EQ(report.kind, JobKind::kDelete);
  EXPECT_EQ(report.vectors_rejected, 2U);
  EXPECT_EQ(report.vectors_superseded, 1U);
  EXPECT_EQ(report.vectors_acknowledged, 1'200U);
  EXPECT_EQ(deleted.size(), 1'200U);
  EXPECT_EQ(deleted.count("k7"), 1U);
  EXPECT_EQ(report.requests, 3U);
}

TEST_F(PipelineTest, KeysThatTheServiceRefusesAreRejectedAndTheOthersDeleted) {
  kind_ = JobKind::kDelete;
  testing::KeySource::File keys;
  for (int i = 0; i < 100; ++i) keys.emplace_back("k" + std::to_string(i));
  testing::KeySource source({keys});
  std::set<std::string> deleted;
  bool names_it = true;
  const LoadReport report =
      Run(&source, [&](const std::vector<std::string>& batch) -> Result<http::Reply> {
        const auto bad = std::ranges::find_if(
            batch, [](const std::string& key) { return key == "k17" || key == "k71"; });
        if (bad != batch.end()) {
          const std::string at = std::to_string(bad - batch.begin());
          const std::string fields =
              names_it ? R"(,"fieldList":[{"path":"/keys/)" + at + R"(","message":"bad"}])" : "";
          names_it = false;
          return FakeService::Reply(400, "ValidationException", R"({"message":"m")" + fields + "}");
        }
        deleted.insert(batch.begin(), batch.end());
        return FakeService::Reply(200, "", "{}");
      });
  EXPECT_EQ(report.exit_code, 3) << report.status.ToString();
  EXPECT_EQ(report.vectors_rejected, 2U);
  EXPECT_EQ(report.vectors_acknowledged, 98U);
  EXPECT_EQ(deleted.size(), 98U);
}

class ShardedPipelineTest : public PipelineTest {
 protected:
  explicit ShardedPipelineTest() {
    options_.shards = kShards;
    folder_ = ::testing::TempDir() + "vecload-sharded-" + std::to_string(getpid());
    std::filesystem::create_directory(folder_);
  }
  ~ShardedPipelineTest() override {
    journal_.reset();
    std::filesystem::remove_all(folder_);
  }

  static constexpr uint32_t kShards = 5;
  std::filesystem::path folder_;
};

TEST_F(ShardedPipelineTest, EachVectorIsPutIntoTheIndexOfItsKeyOnce) {
  MemorySource source(4, 3'001);
  source.bad_rows = {0, 1'500, 3'000};
  std::multiset<std::string> stored;
  const LoadReport report = Run(&source, [&](const std::vector<std::string>& keys) {
    stored.insert(keys.begin(), keys.end());
    return FakeService::Reply(200, "", "{}");
  });
  EXPECT_EQ(report.exit_code, 3) << report.status.ToString();
  EXPECT_EQ(report.vectors_acknowledged, 12'004U - 12);
  EXPECT_EQ(stored.size(), 12'004U - 12);
  EXPECT_EQ(std::set<std::string>(stored.begin(), stored.end()).size(), stored.size());
  EXPECT_LE(report.requests, 12'004U / 500 + 1 + kShards) << "batches are full";
  ASSERT_EQ(report.shards.size(), kShards);
  uint64_t acknowledged = 0;
  for (const ShardReport& shard : report.shards) acknowledged += shard.vectors_acknowledged;
  EXPECT_EQ(acknowledged, report.vectors_acknowledged);
}

TEST_F(ShardedPipelineTest, RunsThatStopEarlyAddUpToOneLoad) {
  options_.batch_vectors_max = 50;
  ExpectStoppedRunsToAddUp(folder_ / "job");
}

TEST_F(ShardedPipelineTest, DeletionsThatStopEarlyAddUpToOne) {
  kind_ = JobKind::kDelete;
  options_.batch_vectors_max = 50;
  ExpectStoppedRunsToAddUp(folder_ / "job", /*bad_rows=*/{});
}

// Answers no request of shard 0 before all rows of the others are stored.
class HoldingService : public http::Transport {
 public:
  explicit HoldingService(uint64_t others_max)
      : others_max_(others_max), thread_([this] { Serve(); }) {}
  ~HoldingService() override { Finish(); }
  void Finish() {
    finished_ = true;
    calls_.Close();
    if (thread_.joinable()) thread_.join();
  }
  void Send(http::Request request, Done done) override {
    calls_.Push({std::move(request), std::move(done)});
  }
  // After Finish.
  [[nodiscard]] const std::multiset<std::string>& stored() const { return stored_; }
  // It waited in vain for the other shards' rows.
  [[nodiscard]] bool gave_up() const { return gave_up_; }

  static constexpr uint32_t kShards = 5;

 private:
  void Serve() {
    while (!finished_) {
      auto call = calls_.Pop(Clock::System().Now() + std::chrono::seconds(10));
      if (call.has_value()) Take(call->first, std::move(call->second));
      gave_up_ = gave_up_ || (!call.has_value() && !finished_ && !held_.empty());
      if (!gave_up_ && others_ < others_max_) continue;
      for (Done& done : std::exchange(held_, {})) done(FakeService::Reply(200, "", "{}"));
    }
  }

  void Take(const http::Request& request, Done done) {
    const std::vector<std::string> keys = FakeService::KeysOf(request.body);
    stored_.insert(keys.begin(), keys.end());
    if (client::ShardOf(keys.front(), kShards) == 0) return held_.push_back(std::move(done));
    others_ += keys.size();
    done(FakeService::Reply(200, "", "{}"));
  }

  uint64_t others_max_;
  uint64_t others_ = 0;
  bool gave_up_ = false;
  std::vector<Done> held_;
  std::multiset<std::string> stored_;
  Queue<std::pair<http::Request, Done>> calls_;
  std::atomic<bool> finished_{false};
  std::thread thread_;
};

TEST_F(ShardedPipelineTest, AShardThatAnswersNothingKeepsNoOtherFromItsRows) {
  constexpr uint64_t kRows = 20'000;
  MemorySource source(2, kRows / 2);
  uint64_t others = 0;
  for (uint32_t file = 0; file < 2; ++file) {
    for (uint64_t row = 0; row < kRows / 2; ++row) {
      const std::string key = "k-" + std::to_string(file) + "-" + std::to_string(row);
      others += client::ShardOf(key, kShards) != 0 ? 1 : 0;
    }
  }
  OpenJournal(folder_ / "job", source);
  options_.batch_vectors_max = 20;
  options_.in_flight_max = 4 * kShards;
  const auto service = std::make_shared<HoldingService>(others);
  const LoadReport report = RunWith(&source, service);
  service->Finish();
  EXPECT_FALSE(service->gave_up()) << "its rows stood in the way of the others'";
  EXPECT_EQ(report.exit_code, 0) << report.status.ToString();
  EXPECT_EQ(report.vectors_acknowledged, kRows);
  EXPECT_EQ(service->stored().size(), kRows) << "none is sent twice";
}

}  // namespace
}  // namespace vecload::load
