#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "journal/segment_set.h"
#include "vecload/status.h"

namespace vecload::sim {

// What can go wrong; a scenario has any of them.
enum class Fault : uint32_t {
  kThrottling = 1U << 0,   // storms of 429 and 503, and a service slower than our limit
  kErrors = 1U << 1,       // 500, 502, 504, 408, garbage
  kResets = 1U << 2,       // the connection breaks before the write
  kLostReplies = 1U << 3,  // the write took effect, its answer is lost or cut
  kDelivery = 1U << 4,     // a request takes effect twice, or long after it timed out
  kOutages = 1U << 5,      // nothing can be reached for a while
  kCredentials = 1U << 6,  // tokens that expire
  kClock = 1U << 7,        // the machine's civil time is off, and jumps
  kBadRows = 1U << 8,      // rows that we, or the service, refuse
  kDuplicates = 1U << 9,   // two rows with one key
  kKills = 1U << 10,       // kill -9 at any step
  kPowerCuts = 1U << 11,   // the same, and what was not synced is torn
  kFullDisk = 1U << 12,    // no room for journal and rejects
  kStops = 1U << 13,       // SIGTERM, access denied for a while
  kNewFiles = 1U << 14,    // files come to the source between two runs
  kParts = 1U << 15,       // other machines have some of the rows
};
constexpr uint32_t kAllFaults = (1U << 16) - 1;

// "all", "none", or names with commas, e.g. "lost-replies,kills".
Result<uint32_t> ParseFaults(std::string_view text);
std::string FaultNames();

// The rows r with r % every == at; none where every is 0.
struct Progression {
  uint64_t every = 0;
  uint64_t at = 0;

  [[nodiscard]] bool Has(uint64_t row) const { return every != 0 && row % every == at; }
  // The first one at or after `row`; UINT64_MAX where there is none.
  [[nodiscard]] uint64_t From(uint64_t row) const;
};

enum class DuplicatePolicy { kNone, kFirst, kLast };

// Everything that a simulated job is, drawn from a seed.
struct Scenario {
  uint64_t seed = 1;
  uint32_t faults = 0;
  [[nodiscard]] bool Has(Fault fault) const { return (faults & static_cast<uint32_t>(fault)) != 0; }

  // The source: `file_rows` in the first run, all of them from `files_later` on in later runs.
  std::vector<uint64_t> file_rows;
  std::vector<journal::RowRange> shares;  // of each file, what is this machine's
  uint32_t files_at_first = 0;
  uint64_t rows = 0;
  uint32_t batch_vectors = 500;
  Progression bad_here;          // our own checks reject them
  Progression refused_by_name;   // the service names them
  Progression refused_silently;  // the service says only that something is wrong
  Progression twins;             // row r and row r + twin_distance have the same key
  uint64_t twin_distance = 1;
  DuplicatePolicy policy = DuplicatePolicy::kNone;

  // The loader.
  double rate_vectors_per_s = 2500;
  bool rate_auto = false;  // goes beyond it
  double rate_requests_per_s = 1000;
  uint32_t in_flight_max = 256;
  Duration give_up_after = std::chrono::hours(1);

  // The service. Chances are per request, gaps are means of exponential distributions.
  double service_vectors_per_s = 2500;
  double service_burst = 5000;
  Duration latency = std::chrono::milliseconds(1200);
  double error_chance = 0;
  double reset_chance = 0;
  double lost_chance = 0;
  double twice_chance = 0;
  double late_chance = 0;
  Duration storm_gap{};  // 0: none
  Duration storm_length{};
  double storm_chance = 0.9;  // of a refusal, within a storm
  Duration outage_gap{};
  Duration outage_length{};
  Duration denial_gap{};
  Duration token_life{};
  Duration clock_off{};
  Duration clock_jump_gap{};

  // The machine.
  uint32_t crashes = 0;
  uint64_t crash_within_steps = 0;  // a run that is to crash does so within so many steps
  uint32_t full_disks = 0;
  uint32_t stops = 0;
};

Scenario DrawScenario(uint64_t seed, uint64_t rows, uint32_t faults);

}  // namespace vecload::sim
