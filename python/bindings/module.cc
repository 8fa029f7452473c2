// vecload._native: the public C++ headers for Python, and nothing decided here. The package's own
// modules give it a face.
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include "bindings/callbacks.h"
#include "bindings/index.h"
#include "bindings/jobs.h"
#include "bindings/status_error.h"
#include "vecload/client.h"
#include "vecload/source.h"
#include "vecload/version.h"

namespace vecload::python {

namespace nb = nanobind;

namespace {

constexpr const char* kSetKeys =
    "def set_keys(self, keys: collections.abc.Callable[[], tuple[str, str, str]]) -> None";

void BindOptions(nb::module_& module) {
  nb::class_<ClientOptions>(module, "ClientOptions")
      .def(nb::init<>())
      .def_rw("endpoint_url", &ClientOptions::endpoint_url)
      .def_rw("region", &ClientOptions::region)
      .def_rw("profile", &ClientOptions::profile)
      .def(
          "set_keys",
          [](ClientOptions* options, nb::object keys) { options->keys = KeysOf(std::move(keys)); },
          nb::arg("keys"), nb::sig(kSetKeys));
  nb::class_<SourceOptions>(module, "SourceOptions")
      .def(nb::init<>())
      .def_rw("key_column", &SourceOptions::key_column)
      .def_rw("vector_column", &SourceOptions::vector_column)
      .def_rw("metadata_columns", &SourceOptions::metadata_columns)
      .def_rw("metadata_json", &SourceOptions::metadata_json)
      .def_rw("shard_by", &SourceOptions::shard_by)
      .def_rw("s3_profile", &SourceOptions::s3_profile)
      .def_rw("s3_region", &SourceOptions::s3_region)
      .def(
          "set_keys",
          [](SourceOptions* options, nb::object keys) {
            options->s3_keys = KeysOf(std::move(keys));
          },
          nb::arg("keys"), nb::sig(kSetKeys));
  BindStreamOptions(module);
  BindLoadOptions(module);
  BindDeleteOptions(module);
  BindPlanOptions(module);
  BindVerifyOptions(module);
  BindExportOptions(module);
}

void End() {
  EndCallsToPython();
  ShutdownSources();
}

}  // namespace

NB_MODULE(_native, module) {
  module.doc() = "The native part of vecload; use the package vecload instead.";
  module.attr("VERSION") = vecload::kVersion;
  BindOptions(module);
  BindJobs(module);
  BindIndex(module);
  module.def("end", &End, "For atexit: no thread asks for the GIL any more, and S3 is closed.");
  // What a program leaves alive at its end is no concern of its users.
  nb::set_leak_warnings(false);
}

}  // namespace vecload::python
