#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "audit/export_folder.h"
#include "vecload/status.h"

namespace vecload::audit {

// More columns than this make a table that nobody can use, and row groups of footers.
inline constexpr size_t kTypedColumnsMax = 1'000;

// Which metadata keys there are and of which types their values are: what the first pass of a
// typed export finds. Of more keys than kTypedColumnsMax it follows the first ones by name, so that
// what it says does not depend on the order of vectors. Not thread-safe.
class ColumnSurvey {
 public:
  // False where `metadata` is no vector's metadata.
  bool Add(std::string_view metadata);
  void Merge(const ColumnSurvey& other);
  // The columns, sorted by name. A key has none where its values are of several types, where its
  // name is one that a file of vectors uses itself or that cannot be a column's, or where there are
  // too many keys; then there is a column of JSON too, with all of each vector's metadata, since
  // `load` reads metadata either from JSON or from columns.
  [[nodiscard]] ExportColumns Columns() const;

 private:
  void Note(std::string_view key, uint32_t types);

  std::map<std::string, uint32_t, std::less<>> types_;  // bits 1 << MetadataType
  bool has_more_ = false;
};

}  // namespace vecload::audit
