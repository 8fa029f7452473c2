#include "load/job_plan.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "load/coverage.h"
#include "wire/limits.h"

namespace vecload::load {
namespace {

constexpr uint64_t kMiB = 1 << 20;
constexpr uint64_t kBudgetMin = 256 * kMiB;
constexpr uint64_t kBudgetOfShard = 69 * kMiB;  // 1.5 x 46
constexpr uint64_t kBlockBytes = 2 * kMiB;
constexpr uint32_t kBlockRowsMax = 500;
// As verify reads an index that is not in shards (audit/verify.cc).
constexpr uint64_t kSegmentsOfOneIndex = 4;

// How many calls of at most `size` rows a share takes on average, its rows being normally
// distributed: what a hash gives a share deviates by about the square root of it.
double CallsOfShare(double mean, double deviation, double size) {
  mean /= size;
  deviation /= size;
  // Where it covers more than one call, any filling of the last one is as likely.
  if (deviation > 1) return mean + 0.5;
  const auto is_above = [&](double calls) {
    if (deviation == 0) return mean > calls ? 1.0 : 0.0;
    return std::erfc((calls - mean) / deviation / std::sqrt(2.0)) / 2;
  };
  // The expectation of the next greater integer: 1 for each that is exceeded.
  const auto surely = static_cast<int64_t>(std::floor(mean - 8 * deviation));
  auto calls = static_cast<double>(surely);
  for (int64_t number = surely; number <= std::llround(mean + 8 * deviation); ++number) {
    calls += is_above(static_cast<double>(number));
  }
  return std::max(0.0, calls);
}

uint64_t PageVectors(double logical_bytes_per_vector) {
  const auto fitting = static_cast<uint64_t>(static_cast<double>(wire::kListVectorsPageBytesMax) /
                                             std::max(1.0, logical_bytes_per_vector));
  return std::clamp<uint64_t>(fitting, 1, wire::kListVectorsMax);
}

uint64_t CallsOfEach(std::span<const uint64_t> rows, uint64_t size) {
  uint64_t calls = 0;
  for (const uint64_t own : rows) calls += (own + size - 1) / size;
  return calls;
}

}  // namespace

Status CheckDimension(uint32_t dimension, const std::string& column, const IndexInfo& index) {
  if (dimension == index.dimension) return Status::Ok();
  return Status::InvalidArgument(fmt::format(
      "the vectors of column \"{}\" have length {}, but index {} has dimension {}; name another "
      "column with --vector-column, or another index",
      column, dimension, index.name.ToString(), index.dimension));
}

uint64_t MemoryBytesDefault(uint32_t shards, uint64_t machine_bytes) {
  return std::min(std::max(kBudgetMin, kBudgetOfShard * shards), machine_bytes / 4);
}

uint64_t MachineMemoryBytes() {
  return static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) *
         static_cast<uint64_t>(sysconf(_SC_PAGE_SIZE));
}

uint64_t BodyBytesGuess(uint32_t dimension) {
  constexpr uint64_t kFloatBytes = 13;
  constexpr uint64_t kRowBytes = 128;
  return dimension * kFloatBytes + kRowBytes;
}

uint32_t BatchVectors(double body_bytes_per_vector) {
  const double fitting =
      static_cast<double>(wire::kBodyBytesMax) / 100 * 99 / std::max(1.0, body_bytes_per_vector);
  return static_cast<uint32_t>(std::clamp(fitting, 1.0, static_cast<double>(wire::kPutVectorsMax)));
}

uint32_t BlockRows(uint32_t dimension) {
  const uint64_t row_bytes = sizeof(float) * std::max(1U, dimension);
  return static_cast<uint32_t>(std::clamp<uint64_t>(kBlockBytes / row_bytes, 1, kBlockRowsMax));
}

uint64_t Requests(const Manifest& manifest, const BatchShape& shape) {
  // All shards fill at one pace, so that one round of their batches stands for all of them.
  const uint64_t rows_max = uint64_t{shape.batch_vectors} * shape.shards;
  const uint64_t blocks_max = Coverage::kSegmentsMax * shape.shards;
  uint64_t rounds = 0;
  uint64_t rows = 0;  // these three: of the round that is being filled
  uint64_t blocks = 0;
  size_t files = 0;
  // Rows of the full rounds before it, since one that ended otherwise, with all shards at once.
  uint64_t filled = 0;
  const auto next_round = [&](size_t with_files) {
    if (rows > 0) ++rounds;
    filled = rows == rows_max ? filled + rows : 0;
    rows = blocks = 0;
    files = with_files;
  };
  for (const SourceFile& file : manifest.files) {
    if (files == Coverage::kSegmentsMax) next_round(0);
    ++files;
    for (uint64_t row = 0; row < file.rows; row += shape.block_rows) {
      uint64_t left = std::min<uint64_t>(shape.block_rows, file.rows - row);
      if (rows == rows_max || blocks == blocks_max) next_round(1);
      ++blocks;
      while (rows + left > rows_max) {
        left -= rows_max - rows;
        rows = rows_max;
        next_round(1);
        blocks = 1;
      }
      rows += left;
    }
  }
  if (rows == 0) return std::min(rounds * shape.shards, manifest.rows);
  // In the last round the shards differ by all that they have got more or less by then.
  const auto shards = static_cast<double>(shape.shards);
  const double deviation =
      shape.shards == 1 ? 0 : std::sqrt(static_cast<double>(filled + rows) / shards);
  const double of_last =
      CallsOfShare(static_cast<double>(rows) / shards, deviation, shape.batch_vectors);
  const auto requests = static_cast<double>(rounds) * shards + shards * of_last;
  return std::min(static_cast<uint64_t>(std::llround(requests)), manifest.rows);
}

double LoadSeconds(uint64_t rows, uint64_t requests, uint32_t shards) {
  return std::max(static_cast<double>(rows) / wire::kRateVectorsPerS,
                  static_cast<double>(requests) / wire::kRateRequestsPerS) /
         shards;
}

uint64_t ListCalls(uint64_t rows, uint32_t shards, double logical_bytes_per_vector) {
  const uint64_t page = PageVectors(logical_bytes_per_vector);
  const uint64_t segments = shards == 1 ? kSegmentsOfOneIndex : shards;
  const double mean = static_cast<double>(rows) / static_cast<double>(segments);
  // An empty segment is asked for too.
  const double of_segment =
      std::max(1.0, CallsOfShare(mean, std::sqrt(mean), static_cast<double>(page)));
  return static_cast<uint64_t>(std::llround(of_segment * static_cast<double>(segments)));
}

uint64_t RequestsOfEach(std::span<const uint64_t> rows, uint32_t batch_vectors) {
  return CallsOfEach(rows, batch_vectors);
}

uint64_t ListCallsOfEach(std::span<const uint64_t> rows, double logical_bytes_per_vector) {
  if (rows.size() == 1) return ListCalls(rows.front(), 1, logical_bytes_per_vector);
  return CallsOfEach(rows, PageVectors(logical_bytes_per_vector));
}

}  // namespace vecload::load
