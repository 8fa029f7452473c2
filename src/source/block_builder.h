#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <arrow/type_fwd.h>

#include "source/key_column.h"
#include "source/metadata_column.h"
#include "source/shard_column.h"
#include "source/vector_column.h"
#include "vecload/source.h"

namespace vecload::source {

// A hive partition's value in one file, as JSON.
struct PartitionValue {
  MetadataColumn column;
  std::string json;
  uint32_t bytes = 0;
};

// What turns one file's record batches into rows; compiled once a Read.
struct BlockPlan {
  KeyColumn key;
  VectorColumn vector;
  std::string key_name;
  std::string vector_name;
  std::string metadata_json;  // empty, or the column of JSON objects
  std::vector<MetadataColumn> metadata;
  std::vector<PartitionValue> partitions;
  std::vector<std::string> non_filterable_keys;
  std::optional<ShardColumn> shard = std::nullopt;  // of --shard-by
  std::string shard_name = {};
  bool has_key = true;
  bool keys_only = false;  // no vector and no metadata
};

// The plan of a request that wants neither vectors nor metadata.
std::shared_ptr<const BlockPlan> PlanKeyBlocks(const ColumnMapping& mapping, const SourceFile& file,
                                               const ReadRequest& request);

// Compiles the plan of a file that has the columns of the mapping. `integer_partitions` names the
// partitions that are numbers in every file of the job.
Result<std::shared_ptr<const BlockPlan>> PlanBlocks(
    const arrow::Schema& schema, const ColumnMapping& mapping, const SourceFile& file,
    std::span<const std::string> integer_partitions,
    std::span<const std::string> non_filterable_keys);

// Turns a batch into rows. Float vectors and text keys stay where Arrow put them; all else is
// written into memory of the block's own. What is wrong with a row becomes its fault, in the order
// key, shard value, vector, metadata. Leaves `file` and `row_begin` at 0.
RowBlock BuildBlock(const std::shared_ptr<const BlockPlan>& plan, const arrow::RecordBatch& batch);

}  // namespace vecload::source
