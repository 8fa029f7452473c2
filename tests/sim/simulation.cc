#include "sim/simulation.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "client/caller.h"
#include "journal/journal.h"
#include "load/append_file.h"
#include "sim/checks.h"
#include "sim/loader.h"
#include "sim/service.h"
#include "sqlite/testing_vfs.h"

namespace vecload::sim {
namespace {

constexpr char kJournalPath[] = "job.journal";
constexpr char kRejectsPath[] = "rejects.jsonl";
constexpr uint64_t kRunsMax = 2000;

// A rejects file on the simulated disk.
class SimFile final : public load::AppendFile {
 public:
  explicit SimFile(sqlite::TestingVfs* disk) : disk_(*disk) {}
  Status Append(std::string_view bytes) override {
    return Check(disk_.Append(kRejectsPath, bytes));
  }
  Status Sync() override { return Check(disk_.Sync(kRejectsPath)); }
  Status CutTo(uint64_t bytes) override { return Check(disk_.CutTo(kRejectsPath, bytes)); }
  Result<uint64_t> Size() override { return uint64_t{disk_.Read(kRejectsPath).size()}; }

 private:
  static Status Check(bool ok) {
    return ok ? Status::Ok() : Status::Io("the simulated disk failed");
  }

  sqlite::TestingVfs& disk_;
};

class Simulation {
 public:
  explicit Simulation(const Scenario& scenario)
      : scenario_(scenario),
        job_(scenario_),
        random_(scenario.seed ^ 0x517),
        disk_(fmt::format("sim-{}", scenario.seed)),
        service_(&world_, &job_),
        crashes_left_(scenario.crashes),
        full_disks_left_(scenario.full_disks),
        stops_left_(scenario.stops),
        files_(scenario.files_at_first) {
    world_.clock().SetOff(scenario.clock_off);
    PlanClockJump();
  }

  // `first`: how the first run is to end, and whether by a power cut; else the scenario decides.
  Outcome Run(std::optional<std::pair<Ending, bool>> first, bool* first_crashed) {
    while (!done_ && !violations_.any()) {
      if (++outcome_.runs > kRunsMax) {
        violations_.Add(fmt::format("not done after {} runs, the last one stopped because {}",
                                    kRunsMax, last_stop_));
        break;
      }
      bool power_cut = random_.Below(2) == 0;
      if (!scenario_.Has(Fault::kKills)) power_cut = true;
      if (!scenario_.Has(Fault::kPowerCuts)) power_cut = false;
      Ending ending = first.has_value() ? first->first : DrawEnding();
      if (first.has_value()) power_cut = first->second;
      const LoaderRun::End end = OneRun(ending, power_cut);
      if (first.has_value() && first_crashed != nullptr) {
        *first_crashed = end == LoaderRun::End::kCrashed;
      }
      first.reset();
      // What is on its way arrives meanwhile, or later.
      world_.PassUntil(world_.Now() + std::chrono::seconds(1 + random_.Below(600)));
      if (outcome_.runs > 1 + random_.Below(4)) {
        files_ = static_cast<uint32_t>(scenario_.file_rows.size());
      }
      service_.AllowAccess();
    }
    return Finish();
  }

 private:
  void PlanClockJump() {
    if (scenario_.clock_jump_gap == Duration{}) return;
    world_.After(
        Duration(static_cast<int64_t>(2 * random_.Uniform() *
                                      static_cast<double>(scenario_.clock_jump_gap.count()))),
        [this] {
          const auto hours = static_cast<int64_t>(random_.Below(49)) - 24;
          if (!done_) world_.clock().SetOff(std::chrono::hours(hours));
          if (!done_) PlanClockJump();
        });
  }

  Ending DrawEnding() {
    Ending ending;
    if (crashes_left_ > 0) {
      const uint64_t at = random_.Below(scenario_.crash_within_steps) + 1;
      (random_.Below(2) == 0 ? ending.crash_at_step : ending.crash_at_disk_change) = at;
    } else if (stops_left_ > 0) {
      ending.stop_at_step = random_.Below(scenario_.crash_within_steps) + 1;
    }
    return ending;
  }

  LoaderRun::End OneRun(const Ending& ending, bool power_cut) {
    const LoaderRun::End end = OpenAndRun(ending);
    if (ending.stop_at_step != UINT64_MAX && stops_left_ > 0) --stops_left_;
    if (!disk_.HasPower()) {
      ++outcome_.crashes;
      if (crashes_left_ > 0) --crashes_left_;
    }
    disk_.SetFreeBytes(UINT64_MAX);
    if (power_cut && !disk_.HasPower()) {
      disk_.PowerOn(random_.Next());
    } else {
      disk_.EndProcess();
    }
    return end;
  }

  LoaderRun::End OpenAndRun(const Ending& ending) {
    const Manifest manifest = job_.ManifestOf(files_);
    auto opened = OpenJournal(manifest);
    if (!opened.ok()) {
      last_stop_ = opened.status().ToString();
      violations_.Add("the journal does not open: " + last_stop_);
      return LoaderRun::End::kStopped;
    }
    journal::Journal& journal = *opened->journal;
    CheckDurable(job_, service_, journal, files_,
                 disk_.Read(kRejectsPath).substr(0, journal.rejects_bytes()), &violations_);
    auto rejects = load::RejectsFile::Open(kRejectsPath, journal.rejects_bytes(),
                                           std::make_unique<SimFile>(&disk_));
    if (!rejects.ok()) {
      violations_.Add("the rejects file does not open: " + rejects.status().ToString());
      return LoaderRun::End::kStopped;
    }
    if (opened->outcome == journal::Outcome::kComplete) {
      done_ = files_ == scenario_.file_rows.size();
      files_ = static_cast<uint32_t>(scenario_.file_rows.size());
      return LoaderRun::End::kDone;
    }
    if (full_disks_left_ > 0 && random_.Below(2) == 0) {
      --full_disks_left_;
      disk_.SetFreeBytes(random_.Below(20'000));
    }
    return Load(ending, manifest, &journal, rejects->get());
  }

  LoaderRun::End Load(const Ending& ending, const Manifest& manifest, journal::Journal* journal,
                      load::RejectsFile* rejects) {
    // As in a process of its own: nothing is known of the service's clock.
    client::Caller caller({.endpoint_url = "https://s3vectors.us-east-1.api.aws",
                           .region = "us-east-1",
                           .credentials = service_.keys(),
                           .transport = {std::shared_ptr<void>(), &service_},
                           .clock = &world_.clock()});
    LoaderRun run({.world = &world_,
                   .service = &service_,
                   .job = &job_,
                   .disk = &disk_,
                   .journal = journal,
                   .rejects = rejects,
                   .caller = &caller,
                   .manifest = &manifest,
                   .violations = &violations_,
                   .seed = random_.Next()});
    const LoaderRun::End end = run.Run(ending);
    outcome_.steps += run.counts().steps;
    outcome_.journal_segments_max =
        std::max<uint64_t>(outcome_.journal_segments_max, run.counts().journal_segments_max);
    // Answers that came in at once, and a group: not more is ever sent again for a crash.
    const uint64_t bound = journal::Journal::kGroupBatches + scenario_.in_flight_max + 8;
    if (run.counts().batches_not_committed_max > bound &&
        full_disks_left_ == scenario_.full_disks) {
      violations_.Add(
          fmt::format("{} batches waited to be committed", run.counts().batches_not_committed_max));
    }
    if (end == LoaderRun::End::kStopped) {
      const ServiceError* const error = run.status().service();
      // Out of patience it tells the last failure, whatever that was.
      const bool gave_up = run.status().message().starts_with("no batch was acknowledged");
      if (error != nullptr && error->aws_code == "ExpiredTokenException" && !gave_up) {
        violations_.Add("stopped by keys that expired, and new ones were to be had");
      }
      ++outcome_.stops;
      last_stop_ = run.status().ToString();
    }
    return end;
  }

  Result<journal::Opened> OpenJournal(const Manifest& manifest) {
    journal::JobIdentity identity;
    identity.endpoint_url = "https://s3vectors.us-east-1.api.aws";
    identity.indexes = {{"arn:aws:s3vectors:us-east-1:000000000000:bucket/b/index/i", 1.7e9}};
    identity.mapping = {"id", "embedding", {}, ""};
    const auto& shares = scenario_.shares;
    return journal::Journal::Open(
        kJournalPath, identity, manifest,
        {.rejects_path = kRejectsPath,
         .shares = {shares.begin(), shares.begin() + static_cast<ptrdiff_t>(manifest.files.size())},
         .now = world_.clock().WallNow(),
         .vfs = disk_.name()});
  }

  // Checked when the journal was opened for the last time, complete; what is left are the figures.
  Outcome Finish() {
    outcome_.simulated_s = Seconds(world_.Now().time_since_epoch());
    outcome_.attempts = service_.counts().attempts;
    outcome_.throttled = service_.counts().throttled;
    outcome_.failed = service_.counts().failed;
    const auto opened = OpenJournal(job_.ManifestOf(files_));
    if (opened.ok()) {
      const journal::Counts& counts = opened->journal->counts();
      outcome_.rejected = counts.rejected;
      outcome_.superseded = counts.superseded;
      const uint64_t once = counts.acknowledged();
      outcome_.rows_put_again =
          service_.counts().rows_put - std::min(service_.counts().rows_put, once);
      uint64_t rows = 0;
      for (const RowRange& share : scenario_.shares) rows += share.end - share.begin;
      if (done_ && counts.rows != rows) {
        violations_.Add(fmt::format("done with {} of {} rows", counts.rows, rows));
      }
    }
    outcome_.violation = violations_.first;
    return std::move(outcome_);
  }

  const Scenario& scenario_;
  Job job_;
  Random random_;
  World world_;
  sqlite::TestingVfs disk_;
  Service service_;
  Violations violations_;
  Outcome outcome_;
  uint32_t crashes_left_;
  uint32_t full_disks_left_;
  uint32_t stops_left_;
  uint32_t files_;
  bool done_ = false;
  std::string last_stop_;
};

}  // namespace

Outcome Simulate(const Scenario& scenario) { return Simulation(scenario).Run({}, nullptr); }

Outcome SimulateFirstEnding(const Scenario& scenario, const Ending& ending, bool power_cut,
                            bool* came_so_far) {
  return Simulation(scenario).Run(std::pair(ending, power_cut), came_so_far);
}

}  // namespace vecload::sim
