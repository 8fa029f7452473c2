#pragma once

#include <nanobind/nanobind.h>

#include "vecload/aws_keys.h"

namespace vecload::python {

// Keys that the callable gives: (access key, secret key, session token or empty).
AwsKeysCallback KeysOf(nanobind::object keys);

void BindStreamOptions(nanobind::module_& module);
void BindLoadOptions(nanobind::module_& module);
void BindDeleteOptions(nanobind::module_& module);
void BindPlanOptions(nanobind::module_& module);
void BindVerifyOptions(nanobind::module_& module);
void BindExportOptions(nanobind::module_& module);
// load, delete, plan, verify, export: long calls that leave the GIL and mind Ctrl-C.
void BindJobs(nanobind::module_& module);

}  // namespace vecload::python
