#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "journal/identity.h"
#include "journal/segment_set.h"
#include "vecload/status.h"

namespace vecload::journal {

struct FileProgress {
  std::string uri;
  uint64_t rows = 0;
  Counts counts;
};

// What `vecload journal show` tells.
struct Shown {
  int64_t schema_version = 0;
  bool in_use = false;  // a run has it open
  std::vector<IdentityField> identity;
  std::vector<FileProgress> files;
  uint64_t rows_total = 0;
  Counts counts;
  size_t segments = 0;
  std::string rejects_path;
  uint64_t rejects_bytes = 0;
  WallTime created{};
  std::optional<WallTime> complete_since;
};

// Reads a journal as of its last commit and changes nothing, also while a load uses it. kNotFound:
// there is none; kConflict: of a newer schema, or another program's; kCorrupt; kIo.
Result<Shown> Show(const std::string& path, const std::string& vfs = {});

}  // namespace vecload::journal
