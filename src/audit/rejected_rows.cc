#include "audit/rejected_rows.h"

#include <algorithm>

#include "source/listed_rows.h"

namespace vecload::audit {

Result<RejectedRows> RejectedRows::Read(const std::string& path, const Manifest& manifest) {
  RejectedRows rejected;
  rejected.rows_.resize(manifest.files.size());
  if (path.empty()) return rejected;
  VECLOAD_RETURN_IF_ERROR(source::ReadListedRows(
      "--rejects", path, manifest,
      [&](uint32_t file, uint64_t row) { rejected.rows_[file].push_back(row); }));
  for (std::vector<uint64_t>& rows : rejected.rows_) std::ranges::sort(rows);
  return rejected;
}

bool RejectedRows::Has(uint32_t file, uint64_t row) const {
  return std::ranges::binary_search(rows_[file], row);
}

}  // namespace vecload::audit
