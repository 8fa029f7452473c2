#pragma once

#include <cstdint>
#include <string>

#include "sim/loader.h"
#include "sim/scenario.h"

namespace vecload::sim {

// What came of a simulated job.
struct Outcome {
  std::string violation;  // empty: every promise was kept
  uint64_t runs = 0;
  uint64_t crashes = 0;
  uint64_t stops = 0;      // runs that ended by themselves before the job was done
  uint64_t attempts = 0;   // of PutVectors
  uint64_t throttled = 0;  // of them
  uint64_t failed = 0;     // of them, otherwise
  uint64_t steps = 0;
  uint64_t rejected = 0;
  uint64_t superseded = 0;
  uint64_t rows_put_again = 0;  // beyond the first time
  uint64_t journal_segments_max = 0;
  double simulated_s = 0;
};

// Runs a job to its end, through all crashes and stops, and checks after each run and at the end:
//   - a row that the journal says is settled is in the index (some version of its key; the right
//     one where a policy chose it), or in the rejects file, or gave way to another row
//   - every row is in exactly one of acknowledged, rejected, superseded, to do
//   - the rejects file holds each rejected row once, and no other
//   - the journal's size follows the files and what is under way
//   - nothing is sent faster than the limits allow
Outcome Simulate(const Scenario& scenario);

// The same, the first run ending in that way; `came_so_far`: whether it did not end before.
Outcome SimulateFirstEnding(const Scenario& scenario, const Ending& ending, bool power_cut,
                            bool* came_so_far);

}  // namespace vecload::sim
