// What finding the rows that share a key costs: processor and wall time for each key, temporary
// space and memory. Keys are made up in memory, so that reading a source is not in the figures.
// Writes one JSON object to stdout.
//
// usage: duplicates_bench [ROWS]    in $TMPDIR, on the disk to be measured
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <string>

#include "auth/payload_hash.h"
#include "base/clock.h"
#include "base/json_text.h"
#include "load/duplicates.h"

namespace {

using vecload::Clock;
using vecload::RowBlock;
using vecload::load::DuplicateRows;

constexpr uint64_t kRowsDefault = 10'000'000;
// Half of --memory 64MiB, so that it spills.
constexpr uint64_t kSortBytesMax = 32 << 20;
constexpr size_t kKeyBytes = 11;  // "v-000000042"

double CpuSeconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

double PerRow(double seconds, uint64_t rows) { return seconds * 1e9 / static_cast<double>(rows); }

// Keys as `vecload generate` makes them; each hundredth row has the key of one far before it.
class MadeUpSource : public vecload::Source {
 public:
  explicit MadeUpSource(uint64_t rows) {
    vecload::SourceFile file;
    file.uri = "made-up";
    file.rows = rows;
    manifest_.files = {file};
    manifest_.rows = rows;
  }
  [[nodiscard]] const vecload::Manifest& manifest() const override { return manifest_; }
  [[nodiscard]] const vecload::ColumnMapping& mapping() const override { return mapping_; }
  vecload::Result<uint32_t> Dimension() override { return uint32_t{1}; }

  vecload::Status Read(const vecload::ReadRequest& request,
                       const std::function<vecload::Status(RowBlock)>& deliver) override {
    for (uint64_t row = request.row_begin; row < request.row_end; row += request.block_rows_max) {
      VECLOAD_RETURN_IF_ERROR(
          deliver(Block(row, std::min(request.row_end, row + request.block_rows_max))));
    }
    return vecload::Status::Ok();
  }

 private:
  static RowBlock Block(uint64_t begin, uint64_t end) {
    RowBlock block;
    block.row_begin = begin;
    block.rows.resize(end - begin);
    const auto text = std::make_shared<std::string>(kKeyBytes * (end - begin), '0');
    for (uint64_t row = begin; row < end; ++row) {
      const uint64_t number = row % 100 == 99 ? row / 2 / 100 * 100 : row;
      char* const key = text->data() + kKeyBytes * (row - begin);
      key[0] = 'v';
      key[1] = '-';
      uint64_t left = number;
      for (char* digit = key + kKeyBytes - 1; left > 0; left /= 10) {
        *digit-- = static_cast<char>('0' + left % 10);
      }
      block.rows[row - begin].key = std::string_view(key, kKeyBytes);
    }
    block.owner = text;
    return block;
  }

  vecload::Manifest manifest_;
  vecload::ColumnMapping mapping_;
};

// Of the whole, what making the keys up and hashing them take.
double HashingCpuSeconds(MadeUpSource* source, uint64_t rows) {
  const double begin = CpuSeconds();
  unsigned seen = 0;
  const vecload::Status read = source->Read(
      {.row_begin = 0, .row_end = rows, .block_rows_max = 4096, .non_filterable_keys = {}},
      [&](const RowBlock& block) {
        for (const vecload::SourceRow& row : block.rows) seen += vecload::auth::Sha256(row.key)[0];
        return vecload::Status::Ok();
      });
  if (!read.ok() || seen == 0) std::abort();
  return CpuSeconds() - begin;
}

}  // namespace

int main(int argc, char** argv) {
  const uint64_t rows = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : kRowsDefault;
  MadeUpSource source(rows);
  const double hashing_cpu_s = HashingCpuSeconds(&source, rows);
  const double cpu_begin = CpuSeconds();
  const vecload::TimePoint begin = Clock::System().Now();
  const auto found = DuplicateRows::Find(
      &source, {.policy = vecload::OnDuplicate::kLast, .sort_bytes_max = kSortBytesMax});
  const double wall_s = vecload::Seconds(Clock::System().Now() - begin);
  const double cpu_s = CpuSeconds() - cpu_begin;
  if (!found.ok()) {
    std::fprintf(stderr, "%s\n", found.status().ToString().c_str());
    return 1;
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  vecload::JsonWriter out;
  out.BeginObject();
  out.Key("rows").Uint(rows);
  out.Key("superseded").Uint((*found)->count());
  out.Key("cpu_ns_per_key").Double(PerRow(cpu_s, rows));
  out.Key("of_that_making_and_hashing_ns").Double(PerRow(hashing_cpu_s, rows));
  out.Key("wall_s").Double(wall_s);
  out.Key("temporary_bytes_per_key")
      .Double(static_cast<double>((*found)->temporary_bytes()) / static_cast<double>(rows));
  out.Key("rss_bytes_max").Uint(static_cast<uint64_t>(usage.ru_maxrss) * 1024);
  out.EndObject();
  std::printf("%s\n", out.text().c_str());
  return 0;
}
