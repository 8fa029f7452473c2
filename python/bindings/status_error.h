#pragma once

#include <nanobind/nanobind.h>

#include "vecload/status.h"

namespace vecload::python {

// Throws the exception of vecload._errors that `status`, which is not ok, stands for. With the GIL.
[[noreturn]] void Raise(const Status& status);

inline void RaiseUnlessOk(const Status& status) {
  if (!status.ok()) Raise(status);
}

// The value, or its failure as an exception. With the GIL.
template <typename T>
T ValueOrRaise(Result<T> result) {
  if (!result.ok()) Raise(result.status());
  return *std::move(result);
}

// As LoadReport and ExportReport carry it: None, or the exception, not thrown.
nanobind::object ErrorOf(const Status& status);

}  // namespace vecload::python
