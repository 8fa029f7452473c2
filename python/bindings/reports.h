#pragma once

#include <nanobind/nanobind.h>

#include "vecload/export.h"
#include "vecload/loader.h"
#include "vecload/plan.h"
#include "vecload/verify.h"

namespace vecload::python {

// dict[str, Any] in the stubs.
using Members = nanobind::typed<nanobind::dict, nanobind::str, nanobind::any>;

// The members of what C++ tells, by their names: what the dataclasses of vecload._reports take.
nanobind::dict ToDict(const LoadProgress& progress);
nanobind::dict ToDict(const LoadReport& report);
nanobind::dict ToDict(const LoadPlan& plan);
nanobind::dict ToDict(const VerifyProgress& progress);
nanobind::dict ToDict(const VerifyReport& report);
nanobind::dict ToDict(const ExportProgress& progress);
nanobind::dict ToDict(const ExportReport& report);
nanobind::dict ToDict(const IndexInfo& index);

}  // namespace vecload::python
