#include <string>
#include <utility>
#include <vector>

#include <arrow/c/abi.h>
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "bindings/callbacks.h"
#include "bindings/jobs.h"
#include "bindings/status_error.h"
#include "vecload/delete.h"
#include "vecload/export.h"
#include "vecload/loader.h"
#include "vecload/plan.h"
#include "vecload/stream.h"
#include "vecload/verify.h"

namespace vecload::python {

namespace nb = nanobind;

namespace {

void SetIndex(IndexName* index, const std::string& text) {
  *index = ValueOrRaise(IndexName::Parse(text));
}

// By the words of the command line; an empty one is the default, any.
OnDuplicate OnDuplicateOf(const std::string& word) {
  for (const OnDuplicate policy :
       {OnDuplicate::kAny, OnDuplicate::kError, OnDuplicate::kFirst, OnDuplicate::kLast}) {
    if (OnDuplicateName(policy) == word) return policy;
  }
  Raise(Status::InvalidArgument("--on-duplicate is error, first or last, not \"" + word + "\""));
}

void SetCreateIndex(LoadOptions* options, const std::string& metric,
                    std::vector<std::string> non_filterable_keys, std::string kms_key_arn,
                    std::vector<std::pair<std::string, std::string>> tags) {
  options->create_index = {.metric = ValueOrRaise(ParseDistanceMetric(metric)),
                           .non_filterable_keys = std::move(non_filterable_keys),
                           .kms_key_arn = std::move(kms_key_arn),
                           .tags = std::move(tags)};
}

// What every job that sends rows is told.
template <typename Options>
void BindJob(nb::class_<Options>* options) {
  options->def(nb::init<>())
      .def_rw("sources", &Options::sources)
      .def_rw("source", &Options::source)
      .def_rw("client", &Options::client)
      .def_rw("rate_vectors_per_s", &Options::rate_vectors_per_s)
      .def_rw("rate_auto", &Options::rate_auto)
      .def_rw("rate_requests_per_s", &Options::rate_requests_per_s)
      .def_rw("batch_vectors_max", &Options::batch_vectors_max)
      .def_rw("in_flight_max", &Options::in_flight_max)
      .def_rw("encoders", &Options::encoders)
      .def_rw("memory_bytes_max", &Options::memory_bytes_max)
      .def_rw("rejects_path", &Options::rejects_path)
      .def_rw("rejects_max", &Options::rejects_max)
      .def_rw("part", &Options::part)
      .def_rw("parts", &Options::parts)
      .def_rw("keep_journal", &Options::keep_journal)
      .def_rw("journal_path", &Options::journal_path)
      .def_rw("restart", &Options::restart)
      .def("set_index",
           [](Options* chosen, const std::string& text) { SetIndex(&chosen->index, text); })
      .def("set_give_up_after_s", [](Options* chosen, uint32_t seconds) {
        chosen->give_up_after = std::chrono::seconds(seconds);
      });
}

// Takes the stream out of a capsule of the Arrow PyCapsule interface.
void TakeStream(const nb::object& capsule, ArrowArrayStream* stream) {
  void* held = PyCapsule_GetPointer(capsule.ptr(), "arrow_array_stream");
  if (held == nullptr) throw nb::python_error();
  *stream = *static_cast<ArrowArrayStream*>(held);
  static_cast<ArrowArrayStream*>(held)->release = nullptr;
}

void MakeStream(StreamOptions* made, std::string name, std::optional<uint64_t> rows,
                nb::object open, bool is_repeatable) {
  const auto take = [callee = Share(std::move(open))](ArrowArrayStream* stream) {
    return CallPython(callee, [&](const nb::object& capsule) { TakeStream(capsule, stream); });
  };
  new (made) StreamOptions{
      .name = std::move(name), .rows = rows, .open = take, .is_repeatable = is_repeatable};
}

}  // namespace

AwsKeysCallback KeysOf(nb::object keys) {
  return [callee = Share(std::move(keys))]() -> Result<AwsKeys> {
    AwsKeys given;
    const Status status = CallPython(callee, [&](const nb::object& triple) {
      given = {.access_key = nb::cast<std::string>(triple[0]),
               .secret_key = nb::cast<std::string>(triple[1]),
               .session_token = nb::cast<std::string>(triple[2])};
    });
    if (!status.ok()) return Status::Denied(status.message());
    return given;
  };
}

void BindStreamOptions(nb::module_& module) {
  nb::class_<StreamOptions>(module, "StreamOptions")
      .def("__init__", &MakeStream, nb::arg("name"), nb::arg("rows").none(), nb::arg("open"),
           nb::arg("is_repeatable"));
}

void BindLoadOptions(nb::module_& module) {
  auto options = nb::class_<LoadOptions>(module, "LoadOptions");
  BindJob(&options);
  options.def_rw("shards", &LoadOptions::shards)
      .def_rw("rows_from_path", &LoadOptions::rows_from_path)
      .def("set_create_index", &SetCreateIndex, nb::arg("distance_metric"),
           nb::arg("non_filterable_keys"), nb::arg("kms_key_arn"), nb::arg("tags"))
      .def("set_on_duplicate", [](LoadOptions* chosen, const std::string& word) {
        chosen->on_duplicate = OnDuplicateOf(word);
      });
}

void BindDeleteOptions(nb::module_& module) {
  auto options = nb::class_<DeleteOptions>(module, "DeleteOptions");
  BindJob(&options);
}

void BindPlanOptions(nb::module_& module) {
  nb::class_<PlanOptions>(module, "PlanOptions")
      .def(nb::init<>())
      .def_rw("sources", &PlanOptions::sources)
      .def_rw("source", &PlanOptions::source)
      .def_rw("client", &PlanOptions::client)
      .def_rw("shards", &PlanOptions::shards)
      .def_rw("sample_rows", &PlanOptions::sample_rows)
      .def_rw("prices_path", &PlanOptions::prices_path)
      .def_rw("check_keys", &PlanOptions::check_keys)
      .def_rw("duplicates_path", &PlanOptions::duplicates_path)
      .def_rw("memory_bytes_max", &PlanOptions::memory_bytes_max)
      .def("set_index", [](PlanOptions* options, const std::string& text) {
        SetIndex(&options->index.emplace(), text);
      });
}

void BindVerifyOptions(nb::module_& module) {
  nb::class_<VerifyOptions>(module, "VerifyOptions")
      .def(nb::init<>())
      .def_rw("sources", &VerifyOptions::sources)
      .def_rw("source", &VerifyOptions::source)
      .def_rw("client", &VerifyOptions::client)
      .def_rw("rejects_path", &VerifyOptions::rejects_path)
      .def_rw("keys_only", &VerifyOptions::keys_only)
      .def_rw("sample", &VerifyOptions::sample)
      .def_rw("threads", &VerifyOptions::threads)
      .def_rw("memory_bytes_max", &VerifyOptions::memory_bytes_max)
      .def_rw("differences_path", &VerifyOptions::differences_path)
      .def_rw("extra_path", &VerifyOptions::extra_path)
      .def("set_index",
           [](VerifyOptions* options, const std::string& text) { SetIndex(&options->index, text); })
      .def("set_on_duplicate", [](VerifyOptions* options, const std::string& word) {
        const OnDuplicate policy = OnDuplicateOf(word);
        if (policy == OnDuplicate::kFirst) options->expected_row = ExpectedRow::kFirst;
        if (policy == OnDuplicate::kLast) options->expected_row = ExpectedRow::kLast;
      });
}

void BindExportOptions(nb::module_& module) {
  nb::class_<ExportOptions>(module, "ExportOptions")
      .def(nb::init<>())
      .def_rw("client", &ExportOptions::client)
      .def_rw("path", &ExportOptions::path)
      .def_rw("typed", &ExportOptions::typed)
      .def_rw("overwrite", &ExportOptions::overwrite)
      .def_rw("restart", &ExportOptions::restart)
      .def_rw("codec", &ExportOptions::codec)
      .def_rw("row_group_bytes_max", &ExportOptions::row_group_bytes_max)
      .def_rw("file_bytes_max", &ExportOptions::file_bytes_max)
      .def_rw("threads", &ExportOptions::threads)
      .def("set_index", [](ExportOptions* options, const std::string& text) {
        SetIndex(&options->index, text);
      });
}

}  // namespace vecload::python
