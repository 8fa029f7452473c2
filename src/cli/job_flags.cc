#include "cli/job_flags.h"

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>

#include <fmt/core.h>

#include "cli/exit_code.h"
#include "cli/job_dashboard.h"
#include "cli/reserved_file.h"
#include "cli/signals.h"
#include "observe/report.h"

namespace vecload::cli {
namespace {

using observe::ProgressMode;

// Fails before the job begins rather than after hours of it.
Status CheckReportPath(const std::string& path) {
  if (path.empty()) return Status::Ok();
  const std::filesystem::path parent = std::filesystem::absolute(path).parent_path();
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    return Status::Io(fmt::format("--report {}: is a directory; name a file", path));
  }
  if (access(parent.c_str(), W_OK | X_OK) != 0) {
    return Status::Io(fmt::format("--report {}: {} cannot be written to; choose another place",
                                  path, parent.string()));
  }
  return Status::Ok();
}

Status WriteReport(const std::string& path, const std::string& json) {
  FILE* file = fopen(path.c_str(), "we");
  bool written = file != nullptr;
  if (file != nullptr) {
    written = fwrite(json.data(), 1, json.size(), file) == json.size();
    written = fclose(file) == 0 && written;
  }
  if (written) return Status::Ok();
  return Status::Io(
      fmt::format("--report {}: cannot be written; the job itself is not affected", path));
}

// Null where nobody asked for metrics.
Result<std::unique_ptr<MetricsPort>> OpenMetrics(JobKind kind, const JobFlags& flags,
                                                 const JobOptions& job) {
  if (!flags.metrics.port.has_value()) return std::unique_ptr<MetricsPort>();
  auto opened = MetricsPort::Open(flags.metrics, kind, job.index.ToString());
  if (opened.ok()) {
    fmt::print(stderr, "vecload: {}: metrics at {}\n", JobKindName(kind), (*opened)->url());
  }
  return opened;
}

// Tells what came of it on stdout and in --report; returns the exit code.
int Conclude(std::string_view command, const JobFlags& flags, const JobReport& report) {
  int exit_code = report.exit_code;
  if (!report.status.ok()) {
    Fail(command, report.status.WithContext("stopped"));
    if (!report.journal_path.empty()) {
      fmt::print(stderr, "vecload: {}: run the same command again to go on\n", command);
    }
  }
  const std::string json = observe::ReportJson(report);
  fmt::print("{}", flags.output == OutputFormat::kJson ? json : observe::ReportText(report));
  std::fflush(stdout);  // told before the metrics' port closes
  if (flags.report_path.empty()) return exit_code;
  const Status written = WriteReport(flags.report_path, json);
  if (!written.ok()) {
    Fail(command, written);
    if (exit_code == kExitOk) exit_code = kExitFailed;
  }
  return exit_code;
}

}  // namespace

CLI::Option* AddPartFlag(CLI::App* command, JobFlags* flags) {
  return AddParsed(command, "--part", &flags->part, ParsePart,
                   "Of the rows only share I of N, so that N machines divide the job; each with "
                   "the same sources, a journal of its own, and an Nth of the default rates")
      ->type_name("I/N")
      ->group(kShareGroup);
}

void AddPaceFlags(CLI::App* command, JobFlags* flags, JobOptions* job) {
  AddParsed(command, "--rate-vectors", &flags->rate_vectors, ParseLoadRate,
            "Vectors a second of each index, unlimited, or auto: more than the limit while the "
            "service takes it; "
            "default: 2500, the service's limit per index")
      ->type_name("N")
      ->group(kPaceGroup);
  AddParsed(
      command, "--rate-requests", &job->rate_requests_per_s, ParseRate,
      "Requests a second of each index, or unlimited; default: 1000, the service's limit per index")
      ->type_name("N")
      ->group(kPaceGroup);
  command
      ->add_option("--max-in-flight", job->in_flight_max,
                   "Requests under way at most, of all shards")
      ->type_name("N")
      ->check(CLI::Range(1, 4096).description(""))
      ->group(kPaceGroup);
  AddParsed(
      command, "--memory", &job->memory_bytes_max, ParseBytes,
      "Budget for rows and requests, like 1GiB; default: 256MiB, or 69MiB a shard where that is "
      "more, at most a quarter of RAM")
      ->type_name("SIZE")
      ->group(kPaceGroup);
  command->add_option("--batch-vectors", job->batch_vectors_max, "Vectors a request at most")
      ->type_name("N")
      ->check(CLI::Range(1, 500).description(""))
      ->group(kPaceGroup);
  AddParsed(command, "--give-up-after", &job->give_up_after, ParseDuration,
            "Stop after this long without progress, like 90s, 5m, 1h; default: 1h")
      ->type_name("TIME")
      ->group(kPaceGroup);
}

void AddResumeFlags(CLI::App* command, JobOptions* job) {
  const std::string group = "Resuming (the same command again goes on where it stopped)";
  command
      ->add_option("--journal", job->journal_path,
                   "What is done, kept there; default: a file for this job in "
                   "$XDG_STATE_HOME/vecload or ~/.local/state/vecload")
      ->type_name("FILE")
      ->group(group);
  command->add_flag("--restart", job->restart, "Forget what was done and begin anew")->group(group);
}

void AddResultFlags(CLI::App* command, JobFlags* flags, JobOptions* job) {
  const std::string group = "Result";
  command
      ->add_option("--rejects", job->rejects_path,
                   "Where rows that cannot be sent are told, as JSON Lines; a new job empties it; "
                   "default: that of the job's earlier runs, or a new INDEX-rejects.jsonl in this "
                   "directory, if there are any")
      ->type_name("FILE")
      ->group(group);
  command->add_option("--max-rejects", job->rejects_max, "Stop after more rejects than this")
      ->type_name("N")
      ->check(CLI::NonNegativeNumber.description(""))
      ->group(group);
  AddChoice(command, "--progress", &flags->progress,
            {{"auto", ProgressMode::kAuto},
             {"bar", ProgressMode::kBar},
             {"json", ProgressMode::kJson},
             {"none", ProgressMode::kNone}},
            "On stderr: auto (default: a bar on a terminal, else lines), bar, json or none")
      ->type_name("MODE")
      ->group(group);
  command
      ->add_option("--dashboard", flags->dashboard_port,
                   "Show the job in a browser on this machine, at http://127.0.0.1:PORT/; 0: any "
                   "free port")
      ->type_name("PORT")
      ->group(group);
  command->add_option("--report", flags->report_path, "Write the report there, as JSON")
      ->type_name("FILE.json")
      ->check(CLI::Validator(
          [](const std::string& path) {
            return std::filesystem::path(path).extension() == ".json"
                       ? std::string()
                       : "'" + path + "' does not end in .json";
          },
          ""))
      ->group(group);
  AddOutputFlag(command, &flags->output);
}

void AddMetricsFlags(CLI::App* command, JobFlags* flags) {
  const std::string group = "Metrics";
  CLI::Option* port = command->add_option("--metrics-port", flags->metrics.port,
                                          "Metrics for Prometheus at http://127.0.0.1:PORT/metrics "
                                          "while the job runs; 0: any free port, told on stderr");
  port->type_name("PORT")->group(group);
  command
      ->add_option("--metrics-host", flags->metrics.host,
                   "Listen there instead, like 0.0.0.0 for a Prometheus elsewhere; whoever reaches "
                   "it reads the counts and the index's name, no data")
      ->type_name("HOST")
      ->needs(port)
      ->group(group);
}

int RunJob(JobKind kind, const JobFlags& flags, JobOptions* job,
           const std::function<Result<JobReport>()>& run) {
  const std::string_view command = JobKindName(kind);
  job->rate_vectors_per_s = flags.rate_vectors.per_s;
  job->rate_auto = flags.rate_vectors.is_auto;
  job->part = flags.part.part;
  job->parts = flags.part.parts;
  const Status report_path = CheckReportPath(flags.report_path);
  if (!report_path.ok()) return Fail(command, report_path);
  // A row that cannot be sent must leave a trace even where nobody thought of rejects.
  std::optional<ReservedFile> rejects;
  if (job->rejects_path.empty()) {
    Result<ReservedFile> reserved = ReservedFile::Make(job->index.index + "-rejects");
    if (!reserved.ok()) return Fail(command, reserved.status());
    rejects.emplace(*std::move(reserved));
    job->rejects_path = rejects->path();
    job->rejects_path_is_default = true;
  }

  Result<std::unique_ptr<MetricsPort>> metrics = OpenMetrics(kind, flags, *job);
  if (!metrics.ok()) return Fail(command, metrics.status());
  std::unique_ptr<JobDashboard> dashboard;
  if (flags.dashboard_port.has_value()) {
    auto started = JobDashboard::Start(*flags.dashboard_port, kind, *job);
    if (!started.ok()) return Fail(command, started.status());
    dashboard = *std::move(started);
    fmt::print(stderr, "vecload: {}: dashboard at {}\n", command, dashboard->url());
  }

  observe::ProgressPrinter progress(flags.progress, stderr);
  job->on_progress = [&](const JobProgress& now) {
    progress.Update(now);
    if (*metrics != nullptr) (*metrics)->Update(now);
    if (dashboard != nullptr) dashboard->Update(now);
  };
  job->on_message = [&](const std::string& message) {
    progress.Finish();
    fmt::print(stderr, "vecload: {}: {}\n", command, message);
  };
  job->stop = StopOnSignal();
  const Result<JobReport> report = run();
  progress.Finish();
  if (!report.ok()) return Fail(command, report.status());
  const int exit_code = Conclude(command, flags, *report);
  fflush(stdout);  // who reads it need not wait for those who watch
  if (dashboard != nullptr) dashboard->Finish(observe::ReportJson(*report));
  return exit_code;
}

}  // namespace vecload::cli
