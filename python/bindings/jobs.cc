#include "bindings/jobs.h"

#include <string>
#include <utility>

#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include "bindings/apart.h"
#include "bindings/callbacks.h"
#include "bindings/reports.h"
#include "bindings/status_error.h"
#include "cli/reserved_file.h"
#include "vecload/delete.h"
#include "vecload/export.h"
#include "vecload/loader.h"
#include "vecload/plan.h"
#include "vecload/stream.h"
#include "vecload/verify.h"

namespace vecload::python {

namespace nb = nanobind;

namespace {

// A source in memory where `stream` is not null; else the options' files.
Result<LoadReport> LoadAny(const LoadOptions& options, const StreamOptions* stream) {
  if (stream == nullptr) return Load(options);
  VECLOAD_ASSIGN_OR_RETURN(const auto source, OpenStream(*stream, options.source));
  return Load(options, source.get());
}

Result<DeleteReport> DeleteAny(const DeleteOptions& options, const StreamOptions* stream) {
  if (stream == nullptr) return Delete(options);
  VECLOAD_ASSIGN_OR_RETURN(const auto source, OpenKeyStream(*stream, options.source));
  return Delete(options, source.get());
}

Result<LoadPlan> PlanAny(const PlanOptions& options, const StreamOptions* stream) {
  if (stream == nullptr) return PlanLoad(options);
  VECLOAD_ASSIGN_OR_RETURN(const auto source, OpenStream(*stream, options.source));
  return PlanLoad(options, source.get());
}

Result<VerifyReport> VerifyAny(const VerifyOptions& options, const StreamOptions* stream) {
  if (stream == nullptr) return Verify(options);
  VECLOAD_ASSIGN_OR_RETURN(const auto source, OpenStream(*stream, options.source));
  return Verify(options, source.get());
}

template <typename Options>
using JobWork = Result<JobReport> (*)(const Options&, const StreamOptions*);

// Sends what the source has as `work` does; `on_report` gets the report also where Python
// interrupted the job.
template <typename Options>
Members RunJob(Options options, const StreamOptions* stream, JobWork<Options> work,
               const nb::object& on_message, const nb::object& on_progress,
               const nb::object& on_report) {
  // A row that cannot be sent leaves a trace even where nobody thought of rejects.
  std::optional<cli::ReservedFile> rejects;
  if (options.rejects_path.empty()) {
    rejects.emplace(ValueOrRaise(cli::ReservedFile::Make(options.index.index + "-rejects")));
    options.rejects_path = rejects->path();
    options.rejects_path_is_default = true;
  }
  Mailbox<JobProgress> mailbox;
  options.on_message = [&](const std::string& message) { mailbox.Post(message); };
  if (!on_progress.is_none()) {
    options.on_progress = [&](const JobProgress& progress) { mailbox.Post(progress); };
  }
  const auto tend = [&] {
    mailbox.Deliver(on_message, on_progress,
                    [](const JobProgress& progress) { return ToDict(progress); });
  };
  const auto keep = [&](const Result<JobReport>& report) {
    if (report.ok()) on_report(ToDict(*report));
  };
  Result<JobReport> report = Apart<JobReport>(
      [&](const std::atomic<bool>* stop) {
        options.stop = stop;
        return work(options, stream);
      },
      tend, keep);
  return ToDict(ValueOrRaise(std::move(report)));
}

Members RunLoad(const LoadOptions& options, const StreamOptions* stream,
                const nb::object& on_message, const nb::object& on_progress,
                const nb::object& on_report) {
  return RunJob<LoadOptions>(options, stream, LoadAny, on_message, on_progress, on_report);
}

Members RunDelete(const DeleteOptions& options, const StreamOptions* stream,
                  const nb::object& on_message, const nb::object& on_progress,
                  const nb::object& on_report) {
  return RunJob<DeleteOptions>(options, stream, DeleteAny, on_message, on_progress, on_report);
}

void Nothing() {}

Members Plan(const PlanOptions& options, const StreamOptions* stream) {
  Result<LoadPlan> plan = Apart<LoadPlan>(
      [&](const std::atomic<bool>* stop) {
        PlanOptions chosen = options;
        chosen.stop = stop;
        return PlanAny(chosen, stream);
      },
      Nothing, [](const Result<LoadPlan>&) {});
  return ToDict(ValueOrRaise(std::move(plan)));
}

Members VerifyIndex(const VerifyOptions& given, const StreamOptions* stream,
                    const nb::object& on_progress) {
  VerifyOptions options = given;
  std::optional<cli::ReservedFile> differences;
  std::optional<cli::ReservedFile> extra;
  const auto reserve = [&](const std::string& stem, std::optional<cli::ReservedFile>* file,
                           std::string* path) {
    if (!path->empty()) return;
    file->emplace(ValueOrRaise(cli::ReservedFile::Make(options.index.index + stem)));
    *path = (*file)->path();
  };
  reserve("-differences", &differences, &options.differences_path);
  reserve("-extra", &extra, &options.extra_path);
  Mailbox<VerifyProgress> mailbox;
  if (!on_progress.is_none()) {
    options.on_progress = [&](const VerifyProgress& progress) { mailbox.Post(progress); };
  }
  Result<VerifyReport> report = Apart<VerifyReport>(
      [&](const std::atomic<bool>* stop) {
        options.stop = stop;
        return VerifyAny(options, stream);
      },
      [&] {
        mailbox.Deliver(nb::none(), on_progress,
                        [](const VerifyProgress& progress) { return ToDict(progress); });
      },
      [](const Result<VerifyReport>&) {});
  const VerifyReport found = ValueOrRaise(std::move(report));
  nb::dict dict = ToDict(found);
  const bool any = found.missing + found.different_vector + found.different_metadata > 0;
  dict["differences"] = any ? options.differences_path : std::string();
  dict["extra_keys"] = found.extra > 0 ? options.extra_path : std::string();
  return dict;
}

Members ExportIndex(const ExportOptions& given, const nb::object& on_message,
                    const nb::object& on_progress, const nb::object& on_report) {
  ExportOptions options = given;
  Mailbox<ExportProgress> mailbox;
  options.on_message = [&](const std::string& message) { mailbox.Post(message); };
  if (!on_progress.is_none()) {
    options.on_progress = [&](const ExportProgress& progress) { mailbox.Post(progress); };
  }
  Result<ExportReport> report = Apart<ExportReport>(
      [&](const std::atomic<bool>* stop) {
        options.stop = stop;
        return Export(options);
      },
      [&] {
        mailbox.Deliver(on_message, on_progress,
                        [](const ExportProgress& progress) { return ToDict(progress); });
      },
      [&](const Result<ExportReport>& kept) {
        if (kept.ok()) on_report(ToDict(*kept));
      });
  return ToDict(ValueOrRaise(std::move(report)));
}

}  // namespace

void BindJobs(nb::module_& module) {
  module.def("load", &RunLoad, nb::arg("options"), nb::arg("stream").none(),
             nb::arg("on_message").none(), nb::arg("on_progress").none(), nb::arg("on_report"));
  module.def("delete", &RunDelete, nb::arg("options"), nb::arg("stream").none(),
             nb::arg("on_message").none(), nb::arg("on_progress").none(), nb::arg("on_report"));
  module.def("plan", &Plan, nb::arg("options"), nb::arg("stream").none());
  module.def("verify", &VerifyIndex, nb::arg("options"), nb::arg("stream").none(),
             nb::arg("on_progress").none());
  module.def("export", &ExportIndex, nb::arg("options"), nb::arg("on_message").none(),
             nb::arg("on_progress").none(), nb::arg("on_report"));
}

}  // namespace vecload::python
