#include "vecload/doctor.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "doctor/access.h"
#include "doctor/bounded.h"
#include "doctor/input.h"
#include "doctor/machine.h"
#include "doctor/target.h"

namespace vecload {
namespace doctor {
namespace {

using std::chrono::seconds;

// Together under 30 s, whatever is late.
constexpr Duration kCredentialsMax = seconds(6);
constexpr Duration kProbeMax = seconds(5);
constexpr Duration kServiceMax = seconds(6);
constexpr Duration kCallMax = seconds(4);
constexpr Duration kInputMax = seconds(6);
constexpr Duration kSpeedTime = seconds(5);
constexpr uint32_t kDimensionUsual = 1'024;

// Where nothing says how long the vectors are.
constexpr uint32_t DimensionOr(uint32_t known) { return known > 0 ? known : kDimensionUsual; }

class Examination {
 public:
  Examination(const DoctorOptions& options, const std::function<void(const Check&)>& on_check)
      : options_(options), on_check_(on_check) {}

  Diagnosis Run() {
    Add(CheckVersion());
    Add(CheckProcessor());
    Add(CheckMemory());
    Add(CheckRegion(options_.client, &access_));
    Add(CheckCredentials(options_.client, kCredentialsMax, &access_, &diagnosis_.left_behind));
    const bool answers = ExamineEndpoint();
    ExamineService(answers);
    ExamineInput();
    if (options_.measure_speed) Add(CheckSpeed(DimensionOr(dimension_), kSpeedTime));
    return std::move(diagnosis_);
  }

 private:
  void Add(Check check) {
    if (on_check_) on_check_(check);
    diagnosis_.checks.push_back(std::move(check));
  }
  void AddLate(const std::string& name, Duration limit, const std::string& advice) {
    diagnosis_.left_behind = true;
    Add({.name = name,
         .result = CheckResult::kFailed,
         .found = fmt::format("not done within {:.0f} s", Seconds(limit)),
         .advice = advice});
  }
  void Skip(const std::string& name, const std::string& why) {
    Add({.name = name, .result = CheckResult::kSkipped, .found = why});
  }

  // Whether somebody answers there.
  bool ExamineEndpoint() {
    if (access_.endpoint_url.empty()) {
      Skip("endpoint", "without a region there is none");
      return false;
    }
    const http::ProbeOptions probe_options{.url = access_.endpoint_url + "/",
                                           .ca_bundle = auth::CaBundleOf(*access_.settings),
                                           .timeout = kProbeMax};
    // Once more bounded: whether a name look-up can be given up is the C library's to decide.
    const auto probe = Bounded<http::Probe>(
        kProbeMax + seconds(1), [probe_options] { return http::ProbeServer(probe_options); });
    if (!probe.has_value()) {
      AddLate("endpoint", kProbeMax, "check this machine's DNS and network");
      return false;
    }
    for (Check& check : ChecksOfEndpoint(access_, *probe, Clock::System().WallNow())) {
      Add(std::move(check));
    }
    return probe->reached == http::Probe::Stage::kDone;
  }

  void ExamineService(bool answers) {
    const std::string name = options_.index ? "index" : "permissions";
    if (!answers) return Skip(name, "the endpoint does not answer");
    if (access_.credentials == nullptr) return Skip(name, "there are no credentials");
    struct Found {
      std::vector<Check> checks;
      std::optional<IndexInfo> index;
    };
    std::function<Found()> work = [access = access_, index = options_.index] {
      Found found;
      const auto client = OpenImpatient(access, kCallMax);
      if (client != nullptr) found.checks = ChecksOfService(client.get(), index, &found.index);
      return found;
    };
    auto found = Bounded<Found>(kServiceMax, std::move(work));
    if (!found.has_value()) return AddLate(name, kServiceMax, "the endpoint is slow: try again");
    for (Check& check : found->checks) Add(std::move(check));
    index_ = std::move(found->index);
    if (index_) dimension_ = index_->dimension;
  }

  void ExamineInput() {
    if (options_.sources.empty()) return;
    const auto found = Bounded<InputChecks>(
        kInputMax, [sources = options_.sources, source = options_.source, index = index_] {
          return ChecksOfInput(sources, source, index);
        });
    if (!found.has_value()) {
      return AddLate("source", kInputMax,
                     "many files, or files that are far away, take longer: `vecload plan` waits");
    }
    for (const Check& check : found->checks) Add(check);
    if (found->dimension > 0) dimension_ = found->dimension;
  }

  const DoctorOptions& options_;
  const std::function<void(const Check&)>& on_check_;
  Access access_;
  std::optional<IndexInfo> index_;
  uint32_t dimension_ = 0;  // of the vectors, as far as it is known
  Diagnosis diagnosis_;
};

}  // namespace
}  // namespace doctor

std::string_view CheckResultName(CheckResult result) {
  switch (result) {
    case CheckResult::kOk:
      return "ok";
    case CheckResult::kWarning:
      return "warning";
    case CheckResult::kFailed:
      return "failed";
    case CheckResult::kSkipped:
      break;
  }
  return "skipped";
}

bool Diagnosis::failed() const {
  return std::ranges::any_of(
      checks, [](const Check& check) { return check.result == CheckResult::kFailed; });
}

Diagnosis Diagnose(const DoctorOptions& options,
                   const std::function<void(const Check&)>& on_check) {
  return doctor::Examination(options, on_check).Run();
}

}  // namespace vecload
