#include "audit/rejected_rows.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <unordered_map>

#include <fmt/format.h>

#include "base/json_text.h"
#include "wire/limits.h"
#include "wire/metadata.h"
#include "wire/row_reference.h"

namespace vecload::audit {
namespace {

// A job's lines may name a file by another path than this command does.
std::string WholeUri(const std::string& uri) {
  if (IsOnS3(uri)) return uri;
  std::error_code failed;
  const auto path = std::filesystem::absolute(uri, failed);
  return failed ? uri : path.lexically_normal().string();
}

}  // namespace

Result<RejectedRows> RejectedRows::Read(const std::string& path, const Manifest& manifest) {
  RejectedRows rejected;
  rejected.rows_.resize(manifest.files.size());
  if (path.empty()) return rejected;
  std::unordered_map<std::string, uint32_t> files;
  for (uint32_t i = 0; i < manifest.files.size(); ++i) {
    files.emplace(WholeUri(manifest.files[i].uri), i);
  }
  std::ifstream lines(path, std::ios::binary);
  if (!lines) {
    return Status::Io(fmt::format("--rejects {}: cannot be read: {}", path, std::strerror(errno)));
  }
  std::string line;
  for (uint64_t number = 1; std::getline(lines, line); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    const std::string context = fmt::format("--rejects {}, line {}", path, number);
    Result<wire::RowReference> row = wire::ParseRowReference(line);
    if (!row.ok()) return row.status().WithContext(context);
    const auto file = files.find(WholeUri(row->file));
    if (file == files.end() || row->row >= manifest.files[file->second].rows) {
      return Status::InvalidArgument(
          fmt::format("{}: no row {} of \"{}\" is among the sources; name the load's own sources",
                      context, row->row, row->file));
    }
    rejected.rows_[file->second].push_back(row->row);
  }
  if (lines.bad()) return Status::Io(fmt::format("--rejects {}: cannot be read", path));
  for (std::vector<uint64_t>& rows : rejected.rows_) std::ranges::sort(rows);
  return rejected;
}

bool RejectedRows::Has(uint32_t file, uint64_t row) const {
  return std::ranges::binary_search(rows_[file], row);
}

bool IsLoadable(const SourceRow& row, const IndexInfo& index, bool keys_only) {
  if (row.fault != RejectRule::kNone || row.key.empty()) return false;
  if (row.key.size() > wire::kKeyBytesMax || !IsUtf8(row.key)) return false;
  if (keys_only) return true;
  if (row.vector.size() != index.dimension) return false;
  bool any_nonzero = false;
  for (const float value : row.vector) {
    if (!std::isfinite(value)) return false;
    any_nonzero = any_nonzero || value != 0;
  }
  if (!any_nonzero && index.metric == DistanceMetric::kCosine) return false;
  return wire::CheckMetadataLimits(row.metadata_keys, row.metadata_filterable_bytes,
                                   row.metadata_bytes) == RejectRule::kNone;
}

}  // namespace vecload::audit
