#pragma once

#include <nanobind/nanobind.h>

namespace vecload::python {

// Index (vecload/sharded_index.h), create_index, delete_index.
void BindIndex(nanobind::module_& module);

}  // namespace vecload::python
