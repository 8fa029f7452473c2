#pragma once

#include <span>
#include <string>
#include <string_view>

#include <arrow/type_fwd.h>

#include "vecload/source.h"

namespace vecload::source {

// Whether a column of this type can give the keys: strings and UTF-8 bytes, integers (as decimal
// text), UUIDs and 16 bytes (as 8-4-4-4-12 text), and dictionaries of these.
bool CanBeKey(const arrow::DataType& type);

// Whether the name alone says that a column holds the keys: "id", "_id", "key", "uuid", ... in any
// case.
bool IsKeyName(std::string_view name);

class KeyColumn {
 public:
  explicit KeyColumn(const std::string& name);

  // Sets `key` of each row, and its fault where there is none yet. Returns whether the keys point
  // into `column`; the others stand in *text, which must be empty and must not move afterwards.
  bool Read(const arrow::Array& column, std::span<SourceRow> rows, std::string* text) const;

 private:
  // The details of faults; rows point at them.
  std::string null_detail_;
  std::string not_utf8_detail_;
};

}  // namespace vecload::source
