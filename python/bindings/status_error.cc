#include "bindings/status_error.h"

#include <string>

namespace vecload::python {

namespace nb = nanobind;

nb::object ErrorOf(const Status& status) {
  if (status.ok()) return nb::none();
  const ServiceError* service = status.service();
  const ServiceError none;
  if (service == nullptr) service = &none;
  const std::string_view code = CodeName(status.code());
  return nb::module_::import_("vecload._errors")
      .attr("error_of")(nb::str(code.data(), code.size()),
                        nb::str(status.message().data(), status.message().size()),
                        service->http_status,
                        nb::str(service->aws_code.data(), service->aws_code.size()),
                        nb::str(service->request_id.data(), service->request_id.size()));
}

void Raise(const Status& status) {
  const nb::object error = ErrorOf(status);
  PyErr_SetObject(error.type().ptr(), error.ptr());
  throw nb::python_error();
}

}  // namespace vecload::python
