// Runs the pacer that ships against a service in memory, and prints what it did second by second as
// CSV: what the plots of docs/internals/pacing.md are drawn from (tools/plot_pacing.py). The sums
// that the page states go to stderr.
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "pace/testing_service.h"

namespace {

using vecload::pace::Pacer;
using vecload::pace::testing::Outcome;
using vecload::pace::testing::Service;
using vecload::pace::testing::Simulation;

constexpr Pacer::Options kPlain{.rate_vectors_per_s = 2'500, .rate_requests_per_s = 1'000};
constexpr Pacer::Options kAuto{
    .rate_vectors_per_s = 2'500, .rate_requests_per_s = 1'000, .beyond_limit = true};

void Print(const std::string& scenario, const Pacer::Options& client, const Service& service,
           int seconds) {
  const Outcome run = Simulation(client, service).Send(seconds);
  for (const auto& sample : run.samples) {
    std::printf("%s,%.0f,%.1f,%.1f,%d\n", scenario.c_str(), sample.t_s, sample.rate,
                sample.accepted, sample.throttled);
  }
  std::fprintf(stderr, "%-16s %5d s: %7.1f vectors/s, %6llu requests, %4llu throttled (%.2f %%)\n",
               scenario.c_str(), seconds, run.MeanAccepted(0, run.samples.size()),
               static_cast<unsigned long long>(run.requests),
               static_cast<unsigned long long>(run.throttled), 100 * run.throttled_share());
}

// The largest share of throttled requests in an hour, over credits, latencies and batches.
void PrintWorst(const std::string& name, const Pacer::Options& client,
                const std::vector<double>& limits) {
  double worst = 0;
  for (const double limit : limits) {
    for (const double credit : {500.0, 2'500.0, 5'000.0, 120'000.0}) {
      for (const int latency_ms : {20, 400, 1'500}) {
        for (const double batch : {25.0, 100.0, 500.0}) {
          const Service service{.rate_vectors_per_s = limit,
                                .credit_vectors = credit,
                                .latency = std::chrono::milliseconds(latency_ms)};
          worst = std::max(worst, Simulation(client, service, batch).Send(3'600).throttled_share());
        }
      }
    }
  }
  std::fprintf(stderr, "%-16s at worst %.2f %% throttled\n", name.c_str(), 100 * worst);
}

double HalfTakenAtTimes(double t_s) { return t_s >= 120 && t_s < 480 ? 1'250 : 0; }
bool StormAfterAMinute(double t_s) { return t_s >= 60 && t_s < 90; }

}  // namespace

int main() {
  std::puts("scenario,t_s,rate_vectors_per_s,accepted_vectors_per_s,throttled_requests");
  Print("steady", kPlain, {}, 180);
  Print("storm", kPlain, {.storm = StormAfterAMinute}, 180);
  Print("shared", kPlain, {.taken_by_other = HalfTakenAtTimes}, 720);
  Print("auto_credit", kAuto, {.credit_vectors = 120'000}, 3'600);
  Print("auto_5000", kAuto, {.rate_vectors_per_s = 5'000}, 3'600);
  // Not plotted, but stated.
  Print("shared_day", kPlain, {.rate_vectors_per_s = 1'250}, 86'400);
  Print("auto_credit_day", kAuto, {.credit_vectors = 120'000}, 86'400);
  Print("auto_5000_day", kAuto, {.rate_vectors_per_s = 5'000}, 86'400);
  PrintWorst("limit 300", kPlain, {300});
  PrintWorst("limit 1000-2450", kPlain, {1'000, 1'500, 2'000, 2'450});
  PrintWorst("auto, 1000-2450", kAuto, {1'000, 1'500, 2'000, 2'450});
  PrintWorst("limit 2500-20000", kPlain, {2'500, 3'000, 5'000, 20'000});
  PrintWorst("auto, 2500-20000", kAuto, {2'500, 3'000, 5'000, 20'000});
  return 0;
}
