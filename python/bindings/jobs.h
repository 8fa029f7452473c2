#pragma once

#include <nanobind/nanobind.h>

#include "vecload/client.h"
#include "vecload/loader.h"

namespace vecload::python {

void SetKeys(ClientOptions* options, nanobind::object keys);

void BindLoadOptions(nanobind::module_& module);
void BindPlanOptions(nanobind::module_& module);
void BindVerifyOptions(nanobind::module_& module);
void BindExportOptions(nanobind::module_& module);
// load, load_stream, plan, verify, export: long calls that leave the GIL and mind Ctrl-C.
void BindJobs(nanobind::module_& module);

}  // namespace vecload::python
