#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "cli/command.h"
#include "cli/metrics_port.h"
#include "cli/values.h"
#include "observe/progress.h"
#include "vecload/job.h"

// What the commands that send the rows of a source to an index have in common.
namespace vecload::cli {

// Flags of theirs that are no options of the job, or become them once the line is parsed.
struct JobFlags {
  LoadRate rate_vectors;
  Part part;
  observe::ProgressMode progress = observe::ProgressMode::kAuto;
  std::optional<uint16_t> dashboard_port;  // 0: any free one
  std::string report_path;
  MetricsFlags metrics;
  OutputFormat output = OutputFormat::kText;
};

inline constexpr const char* kShareGroup = "Share (default: all rows)";
inline constexpr const char* kPaceGroup = "Pace (nothing here needs tuning)";

// --part; returned for what excludes it.
CLI::Option* AddPartFlag(CLI::App* command, JobFlags* flags);
void AddPaceFlags(CLI::App* command, JobFlags* flags, JobOptions* job);
void AddResumeFlags(CLI::App* command, JobOptions* job);
// --rejects and --report among them.
void AddResultFlags(CLI::App* command, JobFlags* flags, JobOptions* job);

// --metrics-port and --metrics-host.
void AddMetricsFlags(CLI::App* command, JobFlags* flags);

// Runs a job with all that surrounds it: rejects, progress, signals, the report; returns the exit
// code. `run` has the job's own options, which are `job`.
int RunJob(JobKind kind, const JobFlags& flags, JobOptions* job,
           const std::function<Result<JobReport>()>& run);

}  // namespace vecload::cli
