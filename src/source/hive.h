#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vecload::source {

// The hive partitions among the folders of `path` ("a/year=2024/x.parquet" -> year, 2024), in path
// order, percent-decoded. The file's own name is not looked at. A partition given twice counts
// where it stands deepest.
std::vector<std::pair<std::string, std::string>> HivePartitions(std::string_view path);

// Hive's word for a null partition value.
inline constexpr std::string_view kHiveNull = "__HIVE_DEFAULT_PARTITION__";

// Whether a partition value counts as an integer, as pyarrow and DuckDB infer it: digits with an
// optional '-', at most 15 of them, which a double holds exactly.
bool IsPartitionInteger(std::string_view value);

}  // namespace vecload::source
