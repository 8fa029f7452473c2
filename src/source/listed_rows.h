#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "vecload/source.h"
#include "vecload/status.h"

namespace vecload::source {

// A local path made absolute, by text alone; s3:// stays. Names a file the same from any folder.
std::string AbsoluteUri(const std::string& uri);

// Reads which rows a rejects file, or any other of lines with `file` and `row`, lists, and hands
// them over in its order: a file's number in the manifest, and the row. Files are those of the
// manifest, by absolute path or S3 address. kInvalidArgument names the line: not readable, of a
// file that is not in the manifest, beyond its end; kIo. `flag` is what named the file.
Status ReadListedRows(std::string_view flag, const std::string& path, const Manifest& manifest,
                      const std::function<void(uint32_t file, uint64_t row)>& take);

}  // namespace vecload::source
