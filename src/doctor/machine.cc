#include "doctor/machine.h"

#include <sched.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <ctime>
#include <fstream>
#include <limits>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "auth/payload_hash.h"
#include "base/processor.h"
#include "base/random.h"
#include "search/kernels.h"
#include "vecload/version.h"
#include "wire/float_text.h"
#include "wire/limits.h"
#include "wire/put_body.h"

namespace vecload::doctor {
namespace {

constexpr double kGiB = 1 << 30;
// What a load takes by default for one index, and what its program, libraries and threads take.
constexpr uint64_t kMemoryWanted = uint64_t{512} << 20;
constexpr uint32_t kEncodersMax = 4;  // of a load, by default

uint32_t Cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return 1;
  return static_cast<uint32_t>(std::max(1, CPU_COUNT(&set)));
}

std::string ProcessorName() {
  std::string model = ProcessorModel();
  if (!model.empty()) return model;
  utsname name{};
  return uname(&name) == 0 ? name.machine : "unknown";
}

// Of /proc/meminfo, in bytes; 0 where it does not say.
uint64_t MemoryAvailable() {
  std::ifstream file("/proc/meminfo");
  std::string name;
  uint64_t kib = 0;
  std::string unit;
  while (file >> name >> kib) {
    if (name == "MemAvailable:") return kib << 10;
    std::getline(file, unit);
  }
  return 0;
}

// Of the control group that the process is in, where that is mounted as of version 2.
uint64_t MemoryAllowed() {
  std::ifstream file("/sys/fs/cgroup/memory.max");
  uint64_t bytes = 0;
  return file >> bytes ? bytes : std::numeric_limits<uint64_t>::max();
}

double ThreadCpuSeconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

// Rows as embeddings are: normal, of about the length 1.
class SyntheticRows {
 public:
  explicit SyntheticRows(uint32_t dimension) : dimension_(dimension), floats_(kRows * dimension) {
    Random random(1);
    const double deviation = 1 / std::sqrt(static_cast<double>(dimension));
    std::ranges::generate(floats_, [&] { return static_cast<float>(deviation * random.Normal()); });
  }
  [[nodiscard]] std::span<const float> Vector(size_t row) const {
    return std::span(floats_).subspan(row * dimension_, dimension_);
  }
  static constexpr size_t kRows = wire::kPutVectorsMax;

 private:
  size_t dimension_;
  std::vector<float> floats_;
};

// One body and its payload hash; returns how many vectors it holds.
size_t EncodeBody(const SyntheticRows& rows, auth::PayloadHasher* hasher,
                  wire::ByteBuffer* buffer) {
  buffer->set_size(0);
  wire::PutBodyWriter writer({"vector-bucket", "index"}, std::move(*buffer));
  for (size_t row = 0; row < SyntheticRows::kRows; ++row) {
    const std::string key = fmt::format("v-{:09}", row);
    if (!writer.Add(key, rows.Vector(row), "", wire::kBodyBytesMax)) break;
    hasher->Update(writer.TakeNew());
  }
  const size_t count = writer.records();
  hasher->Update(wire::PutBodyWriter::Tail());
  (void)hasher->Finish();
  *buffer = std::move(writer).Finish().bytes;
  return count;
}

}  // namespace

Check CheckVersion() {
  utsname name{};
  (void)uname(&name);
  return {.name = "version",
          .result = CheckResult::kOk,
          .found = fmt::format("vecload {} on {} {}, {}", kVersion, name.sysname, name.release,
                               name.machine)};
}

Check CheckProcessor() {
  return {
      .name = "processor",
      .result = CheckResult::kOk,
      .found = fmt::format("{}, {} cores; text of floats by {}, distances by {}", ProcessorName(),
                           Cores(), wire::FloatWriterTarget(), search::KernelTarget())};
}

Check CheckMemory() {
  struct sysinfo info{};
  (void)sysinfo(&info);
  const uint64_t all = uint64_t{info.totalram} * info.mem_unit;
  const uint64_t allowed = std::min(all, MemoryAllowed());
  const uint64_t free = std::min(allowed, MemoryAvailable());
  Check check{.name = "memory",
              .result = CheckResult::kOk,
              .found = fmt::format(
                  "{:.1f} GiB{}, {:.1f} GiB available", static_cast<double>(allowed) / kGiB,
                  allowed < all ? " by the control group" : "", static_cast<double>(free) / kGiB)};
  if (free >= kMemoryWanted) return check;
  check.result = CheckResult::kWarning;
  check.advice =
      "a load into one index takes up to 256 MiB and some: free memory, or give it less "
      "with --memory";
  return check;
}

Check CheckSpeed(uint32_t dimension, Duration time) {
  const SyntheticRows rows(dimension);
  const uint32_t threads = std::clamp(Cores() / 2, 1U, kEncodersMax);
  const TimePoint begin = Clock::System().Now();
  std::atomic<uint64_t> vectors = 0;
  std::atomic<uint64_t> cpu_us = 0;
  const auto work = [&] {
    auth::PayloadHasher hasher;
    wire::ByteBuffer buffer;
    const double cpu_begin = ThreadCpuSeconds();
    while (Clock::System().Now() - begin < time) vectors += EncodeBody(rows, &hasher, &buffer);
    cpu_us += static_cast<uint64_t>((ThreadCpuSeconds() - cpu_begin) * 1e6);
  };
  {
    std::vector<std::jthread> encoders;
    for (uint32_t i = 0; i < threads; ++i) encoders.emplace_back(work);
  }
  const auto count = static_cast<double>(vectors);
  const double per_s = count / Seconds(Clock::System().Now() - begin);
  const double limits = per_s / wire::kRateVectorsPerS;
  Check check{
      .name = "speed",
      .result = CheckResult::kOk,
      .found = fmt::format(
          "{} vectors/s of {} dimensions encoded and hashed by {} {}, {:.1f} us of "
          "a core each: {:.1f} times an index's limit of 2,500/s",
          static_cast<uint64_t>(per_s), dimension, threads, threads == 1 ? "thread" : "threads",
          static_cast<double>(cpu_us) / count, limits)};
  if (limits >= 1) return check;
  check.result = CheckResult::kWarning;
  check.advice =
      "a load will be slower than the service allows: other programs may take the "
      "processor, or it is too small; more cores and --encoders help";
  return check;
}

}  // namespace vecload::doctor
