#pragma once

#include <string>

#include <arrow/type_fwd.h>

#include "vecload/status.h"

namespace vecload::source {

// Whether every offset and dictionary index of a batch stays within its buffers. Arrow IPC is read
// in place and trusts the file, and libparquet does not look at the indices of a column that is
// read as a dictionary: of a damaged file we would read past the end. Touches offsets and indices
// only, never values. kCorrupt names the column.
Status CheckBatch(const arrow::RecordBatch& batch, const std::string& uri);

}  // namespace vecload::source
