// Goal: whatever breaks, and whenever a loader dies, no row is lost, none is counted twice, and the
// limits are kept. Method: the shipped scheduler, pace, ledger, journal and caller on a simulated
// clock, service and disk (README.md); here a crash at every single step of small jobs. Many seeds
// are vecload-sim's to run.
#include <gtest/gtest.h>

#include "sim/simulation.h"

namespace vecload::sim {
namespace {

// Sanitizers make it ten times slower, and look for something else.
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr uint64_t kSeedsEnd = 3;
#else
constexpr uint64_t kSeedsEnd = 9;
#endif

class CrashAtEvery : public ::testing::TestWithParam<std::tuple<uint64_t, bool, bool>> {};

TEST_P(CrashAtEvery, StepAndDiskChangeLosesNothing) {
  const auto [seed, at_disk_change, power_cut] = GetParam();
  // Without the faults that only make a job long.
  constexpr auto kLong = static_cast<uint32_t>(Fault::kOutages) |
                         static_cast<uint32_t>(Fault::kStops) |
                         static_cast<uint32_t>(Fault::kThrottling);
  Scenario scenario = DrawScenario(seed, 300, kAllFaults & ~kLong);
  scenario.crashes = 0;  // but for the one that is tried
  scenario.batch_vectors = 10;
  uint64_t tried = 0;
  for (bool came_so_far = true; came_so_far; ++tried) {
    Ending ending;
    (at_disk_change ? ending.crash_at_disk_change : ending.crash_at_step) = tried;
    const Outcome outcome = SimulateFirstEnding(scenario, ending, power_cut, &came_so_far);
    ASSERT_EQ(outcome.violation, "") << "crash at " << tried;
    ASSERT_LT(tried, 20'000U);
  }
  EXPECT_GT(tried, 4U);
}

INSTANTIATE_TEST_SUITE_P(Seeds, CrashAtEvery,
                         ::testing::Combine(::testing::Range<uint64_t>(1, kSeedsEnd),
                                            ::testing::Bool(), ::testing::Bool()));

TEST(Simulation, ASeedFixesARun) {
  const Scenario scenario = DrawScenario(7, 20'000, kAllFaults);
  const Outcome once = Simulate(scenario);
  const Outcome again = Simulate(scenario);
  EXPECT_EQ(once.violation, "");
  EXPECT_EQ(once.attempts, again.attempts);
  EXPECT_EQ(once.steps, again.steps);
  EXPECT_EQ(once.simulated_s, again.simulated_s);
}

TEST(Simulation, WithoutFaultsEveryRowIsPutOnce) {
  const Outcome outcome = Simulate(DrawScenario(1, 50'000, 0));
  EXPECT_EQ(outcome.violation, "");
  EXPECT_EQ(outcome.runs, 2U) << "one, and one that finds the job complete";
  EXPECT_EQ(outcome.rows_put_again, 0U);
  EXPECT_EQ(outcome.throttled + outcome.failed, 0U);
}

}  // namespace
}  // namespace vecload::sim
