#include "bindings/jobs.h"

#include <memory>
#include <string>
#include <utility>

#include <arrow/c/abi.h>
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include "bindings/apart.h"
#include "bindings/callbacks.h"
#include "bindings/reports.h"
#include "bindings/status_error.h"
#include "cli/reserved_file.h"
#include "vecload/export.h"
#include "vecload/plan.h"
#include "vecload/stream.h"
#include "vecload/verify.h"

namespace vecload::python {

namespace nb = nanobind;

namespace {

// Takes the stream out of a capsule of the Arrow PyCapsule interface.
void TakeStream(const nb::object& capsule, ArrowArrayStream* stream) {
  void* held = PyCapsule_GetPointer(capsule.ptr(), "arrow_array_stream");
  if (held == nullptr) throw nb::python_error();
  *stream = *static_cast<ArrowArrayStream*>(held);
  static_cast<ArrowArrayStream*>(held)->release = nullptr;
}

StreamOptions StreamOf(std::string name, std::optional<uint64_t> rows, nb::object open,
                       bool is_repeatable) {
  return {.name = std::move(name),
          .rows = rows,
          .open =
              [callee = Share(std::move(open))](ArrowArrayStream* stream) {
                return CallPython(callee,
                                  [&](const nb::object& capsule) { TakeStream(capsule, stream); });
              },
          .is_repeatable = is_repeatable};
}

using LoadWork = std::function<Result<LoadReport>(const LoadOptions&)>;

// Loads as `work` does; `on_report` gets the report also where Python interrupted the load.
Members RunLoad(LoadOptions options, const LoadWork& work, const nb::object& on_message,
                const nb::object& on_progress, const nb::object& on_report) {
  // A row that cannot be sent leaves a trace even where nobody thought of rejects.
  std::optional<cli::ReservedFile> rejects;
  if (options.rejects_path.empty()) {
    rejects.emplace(ValueOrRaise(cli::ReservedFile::Make(options.index.index + "-rejects")));
    options.rejects_path = rejects->path();
    options.rejects_path_is_default = true;
  }
  Mailbox<LoadProgress> mailbox;
  options.on_message = [&](const std::string& message) { mailbox.Post(message); };
  if (!on_progress.is_none()) {
    options.on_progress = [&](const LoadProgress& progress) { mailbox.Post(progress); };
  }
  const auto tend = [&] {
    mailbox.Deliver(on_message, on_progress,
                    [](const LoadProgress& progress) { return ToDict(progress); });
  };
  const auto keep = [&](const Result<LoadReport>& report) {
    if (report.ok()) on_report(ToDict(*report));
  };
  Result<LoadReport> report = Apart<LoadReport>(
      [&](const std::atomic<bool>* stop) {
        options.stop = stop;
        return work(options);
      },
      tend, keep);
  return ToDict(ValueOrRaise(std::move(report)));
}

Members LoadFiles(const LoadOptions& options, const nb::object& on_message,
                  const nb::object& on_progress, const nb::object& on_report) {
  const LoadWork work = [](const LoadOptions& chosen) { return Load(chosen); };
  return RunLoad(options, work, on_message, on_progress, on_report);
}

Members LoadStream(const LoadOptions& options, std::string name, std::optional<uint64_t> rows,
                   nb::object open, bool is_repeatable, const nb::object& on_message,
                   const nb::object& on_progress, const nb::object& on_report) {
  const StreamOptions stream = StreamOf(std::move(name), rows, std::move(open), is_repeatable);
  const LoadWork work = [&stream](const LoadOptions& chosen) -> Result<LoadReport> {
    VECLOAD_ASSIGN_OR_RETURN(const std::unique_ptr<Source> source,
                             OpenStream(stream, chosen.source));
    return Load(chosen, source.get());
  };
  return RunLoad(options, work, on_message, on_progress, on_report);
}

void Nothing() {}

Members Plan(const PlanOptions& options) {
  Result<LoadPlan> plan = Apart<LoadPlan>(
      [&](const std::atomic<bool>* stop) {
        PlanOptions chosen = options;
        chosen.stop = stop;
        return PlanLoad(chosen);
      },
      Nothing, [](const Result<LoadPlan>&) {});
  return ToDict(ValueOrRaise(std::move(plan)));
}

Members VerifyIndex(const VerifyOptions& given, const nb::object& on_progress) {
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
        return Verify(options);
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
  module.def("load", &LoadFiles, nb::arg("options"), nb::arg("on_message").none(),
             nb::arg("on_progress").none(), nb::arg("on_report"));
  module.def("load_stream", &LoadStream, nb::arg("options"), nb::arg("name"),
             nb::arg("rows").none(), nb::arg("open"), nb::arg("is_repeatable"),
             nb::arg("on_message").none(), nb::arg("on_progress").none(), nb::arg("on_report"));
  module.def("plan", &Plan, nb::arg("options"));
  module.def("verify", &VerifyIndex, nb::arg("options"), nb::arg("on_progress").none());
  module.def("export", &ExportIndex, nb::arg("options"), nb::arg("on_message").none(),
             nb::arg("on_progress").none(), nb::arg("on_report"));
}

}  // namespace vecload::python
