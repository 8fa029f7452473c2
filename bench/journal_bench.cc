// What the journal costs: a load's processor and wall time for each vector, and opening the journal
// of a job of a billion rows in 100,000 files. Writes one JSON object to stdout.
//
// usage: journal_bench [FOLDER]    FOLDER: where to make the journals, on the disk to be measured
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "base/json_text.h"
#include "journal/journal.h"

namespace {

using vecload::Manifest;
using vecload::Seconds;
using vecload::TimePoint;
using vecload::journal::JobIdentity;
using vecload::journal::Journal;
using vecload::journal::Opened;
using vecload::journal::SettledSegment;

constexpr uint64_t kBatchRows = 500;

double CpuSeconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

class Stopwatch {
 public:
  [[nodiscard]] double Wall() const { return Seconds(vecload::Clock::System().Now() - begin_); }
  [[nodiscard]] double Cpu() const { return CpuSeconds() - cpu_; }

 private:
  TimePoint begin_ = vecload::Clock::System().Now();
  double cpu_ = CpuSeconds();
};

JobIdentity Identity() {
  JobIdentity identity;
  identity.endpoint_url = "https://s3vectors.us-east-1.api.aws";
  identity.indexes = {{"arn:aws:s3vectors:us-east-1:000000000000:bucket/b/index/i", 1.7e9}};
  identity.mapping = {"id", "embedding", {"category", "year"}, ""};
  return identity;
}

Manifest Files(size_t files, uint64_t rows_each) {
  Manifest manifest;
  for (size_t i = 0; i < files; ++i) {
    char uri[128];
    std::snprintf(uri, sizeof(uri), "s3://embeddings/corpus/year=2024/part-%08zu.snappy.parquet",
                  i);
    vecload::SourceFile file;
    file.uri = uri;
    file.size = rows_each * 4096;
    file.etag = "\"9b2cf535f27731c974343645a3985328-12\"";
    file.rows = rows_each;
    manifest.files.push_back(file);
    manifest.rows += rows_each;
  }
  return manifest;
}

Opened Open(const std::string& path, const Manifest& manifest) {
  auto opened = Journal::Open(path, Identity(), manifest, {});
  if (!opened.ok()) {
    std::fprintf(stderr, "%s\n", opened.status().ToString().c_str());
    std::exit(1);
  }
  return *std::move(opened);
}

SettledSegment Batch(uint32_t file, uint64_t batch) {
  const uint64_t row = batch * kBatchRows;
  return {{file, 0, row, row + kBatchRows}, {kBatchRows, 0, 0}};
}

// `group`: batches a commit. 64 is an unlimited load, 5 a second at the service's own limit.
void MeasureCommits(const std::string& path, uint64_t group, uint64_t commits,
                    vecload::JsonWriter* out) {
  const uint64_t batches = group * commits;
  const Manifest manifest = Files(8, (batches / 8 + 8) * kBatchRows);
  const Opened opened = Open(path, manifest);
  const Stopwatch stopwatch;
  for (uint64_t batch = 0; batch < batches; ++batch) {
    // Eight files at once, and neighbours in the wrong order.
    const SettledSegment settled = Batch(static_cast<uint32_t>(batch % 8), (batch / 8) ^ 1);
    CHECK(opened.journal->Record({&settled, 1}, TimePoint()).ok());
    if ((batch + 1) % group == 0) CHECK(opened.journal->Commit(batch).ok());
  }
  const double vectors = static_cast<double>(batches * kBatchRows);
  out->BeginObject().Key("batches_per_commit").Uint(group).Key("commits").Uint(commits);
  out->Key("cpu_us_per_vector").Double(stopwatch.Cpu() * 1e6 / vectors);
  out->Key("wall_us_per_vector").Double(stopwatch.Wall() * 1e6 / vectors);
  out->Key("wall_ms_per_commit").Double(stopwatch.Wall() * 1e3 / static_cast<double>(commits));
  out->EndObject();
}

// Most files done, the last 64 under way with gaps.
void MeasureOpening(const std::string& path, vecload::JsonWriter* out) {
  constexpr uint32_t kFiles = 100'000;
  constexpr uint64_t kRows = 10'000;
  const Manifest manifest = Files(kFiles, kRows);
  const Stopwatch create;
  {
    const Opened opened = Open(path, manifest);
    out->Key("create_s").Double(create.Wall());
    for (uint32_t file = 0; file < kFiles - 64; ++file) {
      const SettledSegment settled{{file, 0, 0, kRows}, {kRows, 1, 1}};
      CHECK(opened.journal->Record({&settled, 1}, TimePoint()).ok());
    }
    for (uint32_t file = kFiles - 64; file < kFiles; ++file) {
      for (uint64_t batch = 0; batch < kRows / kBatchRows; batch += 2) {
        const SettledSegment settled = Batch(file, batch);
        CHECK(opened.journal->Record({&settled, 1}, TimePoint()).ok());
      }
    }
    CHECK(opened.journal->Commit(0).ok());
  }
  out->Key("files").Uint(kFiles).Key("rows").Uint(manifest.rows);
  out->Key("file_bytes").Uint(std::filesystem::file_size(path));
  const Stopwatch resume;
  const Opened opened = Open(path, manifest);
  out->Key("open_s").Double(resume.Wall()).Key("open_cpu_s").Double(resume.Cpu());
  out->Key("segments").Uint(opened.journal->segments());
}

}  // namespace

int main(int argc, char** argv) {
  std::string folder =
      (argc > 1 ? std::string(argv[1]) : std::filesystem::temp_directory_path().string()) +
      "/journal-bench-XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) {
    std::perror(folder.c_str());
    return 1;
  }
  vecload::JsonWriter out;
  out.BeginObject().Key("commit").BeginArray();
  MeasureCommits(folder + "/unlimited.journal", 64, 300, &out);
  MeasureCommits(folder + "/at-the-limit.journal", 5, 300, &out);
  out.EndArray();
  MeasureOpening(folder + "/large.journal", &out);
  out.EndObject();
  std::printf("%s\n", out.text().c_str());
  std::filesystem::remove_all(folder);
  return 0;
}
