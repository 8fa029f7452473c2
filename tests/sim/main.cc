// vecload-sim: simulated loads, as many vectors as you like, everything breaking that can.
#include <sys/resource.h>

#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/clock.h"
#include "base/random.h"
#include "sim/simulation.h"

namespace vecload::sim {
namespace {

// Not given: each seed draws its own, so that small jobs are met as well as larger ones.
uint64_t DrawRows(uint64_t seed) {
  Random random(seed ^ 0x2035);
  return static_cast<uint64_t>(std::exp(std::log(60'000.0) * random.Uniform()));
}

bool ParseSeeds(const std::string& text, std::pair<uint64_t, uint64_t>* seeds) {
  const char* const end = text.data() + text.size();
  auto [next, error] = std::from_chars(text.data(), end, seeds->first);
  seeds->second = seeds->first;
  if (error == std::errc() && next != end && *next == ':') {
    const auto last = std::from_chars(next + 1, end, seeds->second);
    next = last.ptr;
    error = last.ec;
  }
  return error == std::errc() && next == end && seeds->first <= seeds->second;
}

// One simulation.
struct Task {
  uint64_t seed = 1;
  uint64_t rows = 0;  // 0: drawn from the seed
  std::string faults;
};

Result<std::vector<Task>> ReadTasks(const std::string& path) {
  std::ifstream file(path);
  if (!file) return Status::Io("cannot read " + path);
  std::vector<Task> tasks;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.starts_with('#')) continue;
    std::istringstream words(line);
    Task task;
    if (!(words >> task.seed >> task.rows >> task.faults)) {
      return Status::InvalidArgument(
          fmt::format("{}: not a seed, vectors and faults: {}", path, line));
    }
    tasks.push_back(std::move(task));
  }
  return tasks;
}

double SecondsSince(std::chrono::steady_clock::time_point begin) {
  return Seconds(std::chrono::steady_clock::now() - begin);
}

void Print(const Scenario& scenario, const Outcome& outcome, double wall_s) {
  fmt::print(
      "seed {}: {} vectors in {:.0f} s of simulated time, {:.2f} s of real time: {} runs, {} "
      "crashes, {} stops, {} attempts ({} throttled, {} failed), {} rejected, {} superseded, {} "
      "put again, at most {} segments in the journal\n",
      scenario.seed, scenario.rows, outcome.simulated_s, wall_s, outcome.runs, outcome.crashes,
      outcome.stops, outcome.attempts, outcome.throttled, outcome.failed, outcome.rejected,
      outcome.superseded, outcome.rows_put_again, outcome.journal_segments_max);
}

struct Sum {
  uint64_t seeds = 0;
  uint64_t rows = 0;
  uint64_t crashes = 0;
};

// False: a promise was broken.
Result<bool> RunTask(const Task& task, bool quiet, Sum* sum) {
  VECLOAD_ASSIGN_OR_RETURN(const uint32_t faults, ParseFaults(task.faults));
  const auto begin = std::chrono::steady_clock::now();
  const uint64_t rows = task.rows > 0 ? task.rows : DrawRows(task.seed);
  const Scenario scenario = DrawScenario(task.seed, rows, faults);
  const Outcome outcome = Simulate(scenario);
  ++sum->seeds;
  sum->rows += rows;
  sum->crashes += outcome.crashes;
  const bool kept = outcome.violation.empty();
  if (!quiet || !kept) Print(scenario, outcome, SecondsSince(begin));
  if (!kept) {
    fmt::print("violation: {}\nagain with: vecload-sim --seed {} --vectors {} --faults {}\n",
               outcome.violation, task.seed, rows, task.faults);
  }
  return kept;
}

int Fail(const Status& status) {
  fmt::print(stderr, "vecload-sim: {}\n", status.message());
  return 2;
}

int Main(int argc, char** argv) {
  CLI::App app("Simulates loads on a clock, a service and a disk that are made up");
  std::string seeds_text = "1";
  std::string seeds_path;
  double vectors = 0;
  std::string faults = "all";
  bool quiet = false;
  app.add_option("--seed,--seeds", seeds_text, "One, or a range like 1:1000")->type_name("S");
  app.add_option("--seeds-from", seeds_path, "Lines of seed, vectors, faults")->type_name("FILE");
  app.add_option("--vectors", vectors, "Of each job, e.g. 1e9; default: 1 to 60,000 by the seed")
      ->check(CLI::Range(0.0, 1e11));
  app.add_option("--faults", faults, "all, none, or of: " + FaultNames());
  app.add_flag("--quiet", quiet, "Print the sum only");
  CLI11_PARSE(app, argc, argv);

  std::vector<Task> tasks;
  std::pair<uint64_t, uint64_t> seeds;
  if (!seeds_path.empty()) {
    Result<std::vector<Task>> read = ReadTasks(seeds_path);
    if (!read.ok()) return Fail(read.status());
    tasks = *std::move(read);
  } else if (ParseSeeds(seeds_text, &seeds)) {
    for (uint64_t seed = seeds.first; seed <= seeds.second; ++seed) {
      tasks.push_back({seed, static_cast<uint64_t>(vectors), faults});
    }
  } else {
    return Fail(Status::InvalidArgument("--seeds: neither a number nor a range: " + seeds_text));
  }

  const auto begin = std::chrono::steady_clock::now();
  Sum sum;
  for (const Task& task : tasks) {
    const Result<bool> kept = RunTask(task, quiet, &sum);
    if (!kept.ok()) return Fail(kept.status());
    if (!*kept) return 1;
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  fmt::print("{} seeds, {} vectors, {} crashes, no violation, in {:.1f} s and {} MB\n", sum.seeds,
             sum.rows, sum.crashes, SecondsSince(begin), usage.ru_maxrss / 1024);
  return 0;
}

}  // namespace
}  // namespace vecload::sim

int main(int argc, char** argv) { return vecload::sim::Main(argc, argv); }
