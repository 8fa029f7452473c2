#pragma once

#include <optional>
#include <span>
#include <string>

#include <arrow/type_fwd.h>

#include "vecload/source.h"

namespace vecload::source {

// Whether a column of this type can divide the rows (--shard-by): strings, integers and bools, and
// dictionaries of these; a column that is all null fits too, as it does everywhere.
bool CanDivide(const arrow::DataType& type);

// What a column's value in a row is as text: by it the row finds its shard.
class ShardColumn {
 public:
  explicit ShardColumn(const std::string& name);
  // A hive partition, whose value is that of the folder's name for all rows of a file.
  static ShardColumn OfPartition(const std::string& name, const SourceFile& file);

  // Sets shard_value of each row, or its fault where there is none yet. `column` is null for a
  // partition. Returns whether values point into `column`; others stand in *text, which must be
  // empty and must not move afterwards, or in this object.
  bool Read(const arrow::Array* column, std::span<SourceRow> rows, std::string* text) const;

 private:
  void Give(std::string_view value, SourceRow* row) const;

  bool is_partition_ = false;
  std::optional<std::string> partition_;  // absent: null
  // The details of faults; rows point at them.
  std::string null_detail_;
  std::string not_utf8_detail_;
};

// A file's value of a hive partition, as the folder's name has it; absent: null.
std::optional<std::string> PartitionOf(const SourceFile& file, const std::string& name);

}  // namespace vecload::source
