#include "sim/scenario.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/random.h"

namespace vecload::sim {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::array kNames = {
    std::pair{"throttling", Fault::kThrottling},
    std::pair{"errors", Fault::kErrors},
    std::pair{"resets", Fault::kResets},
    std::pair{"lost-replies", Fault::kLostReplies},
    std::pair{"delivery", Fault::kDelivery},
    std::pair{"outages", Fault::kOutages},
    std::pair{"credentials", Fault::kCredentials},
    std::pair{"clock", Fault::kClock},
    std::pair{"bad-rows", Fault::kBadRows},
    std::pair{"duplicates", Fault::kDuplicates},
    std::pair{"kills", Fault::kKills},
    std::pair{"power-cuts", Fault::kPowerCuts},
    std::pair{"full-disk", Fault::kFullDisk},
    std::pair{"stops", Fault::kStops},
    std::pair{"new-files", Fault::kNewFiles},
    std::pair{"parts", Fault::kParts},
};

// A job of this many rows or more is a long one: faults come by the hour, not by the request.
constexpr uint64_t kLongJob = 10'000'000;

class Drawer {
 public:
  explicit Drawer(Scenario* scenario) : scenario_(*scenario), random_(scenario->seed) {}

  void DrawAll(uint64_t rows) {
    is_long_ = rows >= kLongJob;
    DrawSource(rows);
    DrawRows();
    DrawLoader();
    DrawService();
    DrawMachine();
  }

 private:
  uint64_t Between(uint64_t low, uint64_t high) { return low + random_.Below(high - low + 1); }
  template <typename T, size_t kSize>
  T OneOf(const T (&choices)[kSize]) {
    return choices[random_.Below(kSize)];
  }
  Duration Between(Duration low, Duration high) {
    return low + Duration(static_cast<int64_t>(random_.Uniform() *
                                               static_cast<double>((high - low).count())));
  }
  // Whether the job has a fault that it may have: once in `of` times, so that faults are met alone
  // as well; a long job has all.
  bool Draw(Fault fault, uint64_t of) {
    const bool drawn = random_.Below(of) == 0;
    return scenario_.Has(fault) && (drawn || is_long_);
  }
  double Chance(Fault fault, double most) {
    const double chance = random_.Uniform() * most * (is_long_ ? 0.01 : 1);
    return Draw(fault, 2) ? chance : 0;
  }

  void DrawSource(uint64_t rows) {
    scenario_.rows = rows;
    const uint64_t files = is_long_ ? 1000 : Between(1, 12);
    for (uint64_t file = 0; file < files; ++file) {
      const uint64_t left = rows - std::min(rows, file * (rows / files));
      scenario_.file_rows.push_back(file + 1 == files ? left : rows / files);
    }
    const bool is_part = Draw(Fault::kParts, 4) && !is_long_;
    for (const uint64_t file_rows : scenario_.file_rows) {
      const uint64_t begin = is_part ? random_.Below(file_rows + 1) : 0;
      const uint64_t end = is_part ? Between(begin, file_rows) : file_rows;
      scenario_.shares.push_back({begin, end});
    }
    scenario_.files_at_first = static_cast<uint32_t>(files);
    if (scenario_.Has(Fault::kNewFiles) && files > 1) {
      scenario_.files_at_first = static_cast<uint32_t>(Between(1, files));
    }
  }

  // `per` rows a bad one, about; never so many that a load would call its column wrong.
  Progression DrawProgression(Fault fault, uint64_t least, uint64_t most) {
    const uint64_t every = Between(least, most) * (is_long_ ? 10'000 : 1);
    const uint64_t at = random_.Below(every);
    return Draw(fault, 2) ? Progression{every, at} : Progression{};
  }

  void DrawRows() {
    scenario_.bad_here = DrawProgression(Fault::kBadRows, 3, 2000);
    scenario_.refused_by_name = DrawProgression(Fault::kBadRows, 20, 5000);
    scenario_.refused_silently = DrawProgression(Fault::kBadRows, 100, 5000);
    scenario_.twins = DrawProgression(Fault::kDuplicates, 10, 3000);
    if (scenario_.twins.every != 0) {
      // Not a multiple of `every`, so that no row is the second of one pair and first of another.
      const uint64_t every = scenario_.twins.every;
      scenario_.twin_distance =
          Between(1, every - 1) + every * random_.Below(1 + scenario_.rows / (4 * every));
      scenario_.policy =
          OneOf({DuplicatePolicy::kNone, DuplicatePolicy::kFirst, DuplicatePolicy::kLast});
    }
  }

  void DrawLoader() {
    if (is_long_) return;
    scenario_.batch_vectors = OneOf<uint32_t>({7, 50, 100, 250, 500, 500});
    scenario_.rate_vectors_per_s = OneOf<double>({0, 500, 2500, 2500, 2500, 20'000});
    scenario_.rate_requests_per_s = OneOf<double>({0, 20, 1000, 1000});
    scenario_.rate_auto = scenario_.rate_vectors_per_s > 0 && random_.Below(4) == 0;
    scenario_.in_flight_max = OneOf<uint32_t>({1, 4, 32, 256});
    scenario_.give_up_after = OneOf<Duration>({minutes(5), hours(1), hours(1)});
  }

  void DrawService() {
    scenario_.latency = Between(milliseconds(5), milliseconds(is_long_ ? 1500 : 4000));
    scenario_.service_vectors_per_s = 1e12;
    if (Draw(Fault::kThrottling, 2)) {
      scenario_.service_vectors_per_s = OneOf<double>({800, 2500, 2500, 2600});
      scenario_.service_burst = static_cast<double>(Between(500, 20'000));
    }
    if (Draw(Fault::kThrottling, 2)) {
      DrawGap(&scenario_.storm_gap, &scenario_.storm_length, 1);
      scenario_.storm_chance = 0.3 + 0.7 * random_.Uniform();
    }
    scenario_.error_chance = Chance(Fault::kErrors, 0.2);
    scenario_.reset_chance = Chance(Fault::kResets, 0.2);
    scenario_.lost_chance = Chance(Fault::kLostReplies, 0.3);
    scenario_.twice_chance = Chance(Fault::kDelivery, 0.1);
    scenario_.late_chance = Chance(Fault::kDelivery, 0.05);
    if (Draw(Fault::kOutages, 2)) {
      DrawGap(&scenario_.outage_gap, &scenario_.outage_length, OneOf({1, 1, 60}));
    }
    if (Draw(Fault::kStops, 4)) {
      scenario_.denial_gap = Between(minutes(2), minutes(20)) * (is_long_ ? 500 : 1);
    }
    if (Draw(Fault::kCredentials, 2)) {
      // Longer than any request is under way: one that is not can never be answered.
      scenario_.token_life = Between(minutes(2), minutes(15)) * (is_long_ ? 20 : 1);
    }
    if (Draw(Fault::kClock, 2)) scenario_.clock_off = Between(-hours(48), hours(48));
    if (Draw(Fault::kClock, 2)) {
      scenario_.clock_jump_gap = Between(minutes(1), hours(1)) * (is_long_ ? 20 : 1);
    }
  }

  void DrawGap(Duration* gap, Duration* length, int longer) {
    *gap = Between(seconds(20), minutes(10)) * (is_long_ ? 20 : longer);
    *length = Between(seconds(1), minutes(2)) * longer;
  }

  void DrawMachine() {
    const uint64_t most = is_long_ ? 60 : 12;
    if (scenario_.Has(Fault::kKills) || scenario_.Has(Fault::kPowerCuts)) {
      scenario_.crashes = static_cast<uint32_t>(is_long_ ? most : random_.Below(most));
    }
    const uint64_t batches = scenario_.rows / scenario_.batch_vectors + 1;
    scenario_.crash_within_steps = 8 * batches / (scenario_.crashes + 1) + 20;
    if (scenario_.Has(Fault::kFullDisk)) {
      scenario_.full_disks = static_cast<uint32_t>(random_.Below(3));
    }
    if (scenario_.Has(Fault::kStops)) scenario_.stops = static_cast<uint32_t>(random_.Below(3));
  }

  Scenario& scenario_;
  Random random_;
  bool is_long_ = false;
};

}  // namespace

Result<uint32_t> ParseFaults(std::string_view text) {
  if (text == "all") return kAllFaults;
  if (text == "none") return 0U;
  uint32_t faults = 0;
  while (!text.empty()) {
    const std::string_view name = text.substr(0, text.find(','));
    const auto* const found =
        std::ranges::find(kNames, name, [](const auto& n) { return n.first; });
    if (found == kNames.end()) {
      return Status::InvalidArgument("no such fault: \"" + std::string(name) +
                                     "\"; there are all, none, " + FaultNames());
    }
    faults |= static_cast<uint32_t>(found->second);
    text.remove_prefix(std::min(text.size(), name.size() + 1));
  }
  return faults;
}

std::string FaultNames() {
  std::string names;
  for (const auto& [name, fault] : kNames) names += (names.empty() ? "" : ",") + std::string(name);
  return names;
}

uint64_t Progression::From(uint64_t row) const {
  if (every == 0) return UINT64_MAX;
  return row + (at + every - row % every) % every;
}

Scenario DrawScenario(uint64_t seed, uint64_t rows, uint32_t faults) {
  Scenario scenario;
  scenario.seed = seed;
  scenario.faults = faults;
  Drawer(&scenario).DrawAll(rows);
  return scenario;
}

}  // namespace vecload::sim
