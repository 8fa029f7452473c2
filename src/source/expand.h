#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "source/storage.h"
#include "vecload/status.h"

namespace vecload::source {

// A file that a location led to.
struct FoundFile {
  std::string uri;
  uint64_t size = 0;
  int64_t mtime_ns = 0;
};

// The files at `locations`, in the order of the locations and sorted by path within each; a file
// that several locations lead to counts where it is met first. A location is
//   a file             taken whatever its name;
//   a directory        all files below it, hidden ones (IsHidden) left out;
//   a glob             * ? [set] within a path segment, ** for any number of folders;
//   an S3 prefix       s3://BUCKET/PRE: all objects whose key opens so, hidden ones left out.
// A path that exists is never read as a glob. kNotFound: a location leads to no file.
Result<std::vector<FoundFile>> Expand(std::span<const std::string> locations, Storage* storage);

}  // namespace vecload::source
