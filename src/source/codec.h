#pragma once

#include <string>

#include <arrow/util/type_fwd.h>

#include "vecload/status.h"

namespace vecload::source {

// The compression of that name; kInvalidArgument lists the names.
Result<arrow::Compression::type> CodecOf(const std::string& name);

}  // namespace vecload::source
