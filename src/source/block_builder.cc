#include "source/block_builder.h"

#include <algorithm>
#include <charconv>

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/byte_size.h>

#include "base/check.h"
#include "base/json_text.h"
#include "source/hive.h"
#include "source/number_text.h"
#include "source/scalar_text.h"
#include "wire/metadata.h"

namespace vecload::source {
namespace {

// What a block's rows point into.
struct BlockMemory {
  std::shared_ptr<const BlockPlan> plan;  // holds the fixed texts of faults
  std::vector<std::shared_ptr<arrow::Array>> columns;
  std::vector<float> vectors;
  std::string keys;
  std::string shard_values;
  std::string text;  // metadata and faults' details, one after the other
};

// A text that still grows moves; rows get their views when it is whole.
struct Slice {
  size_t begin = 0;
  size_t length = 0;
};
struct RowText {
  Slice metadata;
  Slice fault_detail;
};

std::string_view View(const std::string& text, Slice slice) {
  return std::string_view(text).substr(slice.begin, slice.length);
}

void SetFault(RejectRule fault, const std::string& detail, SourceRow* row, RowText* text,
              std::string* out) {
  if (row->fault != RejectRule::kNone) return;
  row->fault = fault;
  text->fault_detail = {out->size(), detail.size()};
  out->append(detail);
}

void SetCounts(const wire::MetadataMeter& meter, SourceRow* row) {
  row->metadata_bytes = meter.bytes();
  row->metadata_filterable_bytes = meter.filterable_bytes();
  row->metadata_keys = meter.keys();
}

void WriteMetadata(const BlockPlan& plan, const arrow::RecordBatch& batch,
                   std::span<SourceRow> rows, std::span<RowText> texts, std::string* out) {
  std::vector<std::shared_ptr<arrow::Array>> columns;
  for (const MetadataColumn& column : plan.metadata) {
    columns.push_back(batch.GetColumnByName(column.name));
  }
  wire::MetadataMeter meter(plan.non_filterable_keys);
  MetadataRow metadata(&meter, out);
  for (size_t i = 0; i < rows.size(); ++i) {
    const size_t begin = out->size();
    metadata.Begin();
    for (size_t c = 0; c < columns.size(); ++c) {
      metadata.Add(plan.metadata[c], *columns[c], static_cast<int64_t>(i));
    }
    for (const PartitionValue& partition : plan.partitions) {
      metadata.AddConstant(partition.column, partition.json, partition.bytes);
    }
    metadata.End();
    texts[i].metadata = {begin, out->size() - begin};
    if (metadata.fault() != RejectRule::kNone) {
      SetFault(metadata.fault(), metadata.problem(), &rows[i], &texts[i], out);
    } else if (out->size() > begin) {
      SetCounts(meter, &rows[i]);
    }
  }
}

void ReadJsonMetadata(const BlockPlan& plan, const arrow::RecordBatch& batch,
                      std::span<SourceRow> rows, std::span<RowText> texts, std::string* out) {
  const auto column = batch.GetColumnByName(plan.metadata_json);
  wire::MetadataMeter meter(plan.non_filterable_keys);
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto at = static_cast<int64_t>(i);
    if (IsNullAt(*column, at)) continue;
    const size_t begin = out->size();
    meter.Reset();
    const wire::MetadataFault fault = wire::ReadMetadata(TextAt(*column, at), &meter, out);
    if (fault.rule != RejectRule::kNone) {
      out->resize(begin);
      SetFault(fault.rule, "column \"" + plan.metadata_json + "\": " + fault.message, &rows[i],
               &texts[i], out);
      continue;
    }
    texts[i].metadata = {begin, out->size() - begin};
    SetCounts(meter, &rows[i]);
  }
}

uint64_t BytesOf(const BlockMemory& memory, size_t rows) {
  uint64_t bytes = memory.vectors.capacity() * sizeof(float) + memory.keys.capacity() +
                   memory.shard_values.capacity() + memory.text.capacity() +
                   rows * sizeof(SourceRow);
  for (const auto& column : memory.columns) {
    bytes += static_cast<uint64_t>(arrow::util::ReferencedBufferSize(*column).ValueOr(0));
  }
  return bytes;
}

PartitionValue PlanPartition(const std::string& name, const std::string& value, bool is_integer,
                             const wire::MetadataMeter& meter) {
  PartitionValue partition;
  partition.column.name = name;
  AppendJsonString(name, &partition.column.prefix);
  partition.column.prefix.push_back(':');
  partition.column.filterable = meter.IsFilterable(name);
  if (is_integer) {
    int64_t number = 0;  // "007" is 7
    std::from_chars(value.data(), value.data() + value.size(), number);
    AppendInteger(number, &partition.json);
    partition.bytes = 4;
  } else {
    AppendJsonString(value, &partition.json);
    partition.bytes = static_cast<uint32_t>(value.size());
  }
  return partition;
}

BlockPlan PlanColumns(const ColumnMapping& mapping, const SourceFile& file) {
  BlockPlan plan{.key = KeyColumn(mapping.key),
                 .vector = VectorColumn(mapping.vector),
                 .key_name = mapping.key,
                 .vector_name = mapping.vector,
                 .metadata_json = mapping.metadata_json,
                 .metadata = {},
                 .partitions = {},
                 .non_filterable_keys = {}};
  if (mapping.shard_by.empty()) return plan;
  plan.shard_name = mapping.shard_by;
  plan.shard = mapping.shard_by_is_partition ? ShardColumn::OfPartition(mapping.shard_by, file)
                                             : ShardColumn(mapping.shard_by);
  return plan;
}

// Every file is asked before any row is read.
Status CheckShardColumn(const arrow::Schema& schema, const ColumnMapping& mapping) {
  if (mapping.shard_by.empty()) return Status::Ok();
  const auto field = schema.GetFieldByName(mapping.shard_by);
  if (mapping.shard_by_is_partition && field != nullptr) {
    return Status::InvalidArgument("\"" + mapping.shard_by +
                                   "\" is a column of this file, and of others a folder's name; "
                                   "load them apart");
  }
  if (field == nullptr || CanDivide(*field->type())) return Status::Ok();
  return Status::InvalidArgument(
      "column \"" + mapping.shard_by + "\" of type " + field->type()->ToString() +
      " cannot be that of --shard-by, which is a string, an integer or a bool; cast it to one of "
      "these, or name another column");
}

void ReadShardValues(const BlockPlan& plan, const arrow::RecordBatch& batch,
                     std::span<SourceRow> rows, BlockMemory* memory) {
  if (!plan.shard.has_value()) return;
  const auto values = batch.GetColumnByName(plan.shard_name);
  if (plan.shard->Read(values.get(), rows, &memory->shard_values)) {
    memory->columns.push_back(values);
  }
}

void ReadVectors(const BlockPlan& plan, const arrow::RecordBatch& batch, std::span<SourceRow> rows,
                 BlockMemory* memory) {
  const auto vectors = batch.GetColumnByName(plan.vector_name);
  CHECK(vectors != nullptr);
  if (plan.vector.Read(*vectors, rows, &memory->vectors)) memory->columns.push_back(vectors);
}

void ReadMetadata(const BlockPlan& plan, const arrow::RecordBatch& batch, std::span<SourceRow> rows,
                  BlockMemory* memory) {
  std::vector<RowText> texts(rows.size());
  if (plan.metadata_json.empty()) {
    WriteMetadata(plan, batch, rows, texts, &memory->text);
  } else {
    ReadJsonMetadata(plan, batch, rows, texts, &memory->text);
  }
  for (size_t i = 0; i < rows.size(); ++i) {
    rows[i].metadata = View(memory->text, texts[i].metadata);
    if (texts[i].fault_detail.length > 0) {
      rows[i].fault_detail = View(memory->text, texts[i].fault_detail);
    }
  }
}

}  // namespace

std::shared_ptr<const BlockPlan> PlanKeyBlocks(const ColumnMapping& mapping, const SourceFile& file,
                                               const ReadRequest& request) {
  auto plan = std::make_shared<BlockPlan>(PlanColumns(mapping, file));
  plan->keys_only = true;
  plan->has_key = !request.shard_values_only;
  return plan;
}

Result<std::shared_ptr<const BlockPlan>> PlanBlocks(
    const arrow::Schema& schema, const ColumnMapping& mapping, const SourceFile& file,
    std::span<const std::string> integer_partitions,
    std::span<const std::string> non_filterable_keys) {
  const Status can_divide = CheckShardColumn(schema, mapping);
  if (!can_divide.ok()) return can_divide.WithContext(file.uri);
  auto plan = std::make_shared<BlockPlan>(PlanColumns(mapping, file));
  plan->non_filterable_keys = {non_filterable_keys.begin(), non_filterable_keys.end()};
  const wire::MetadataMeter meter(plan->non_filterable_keys);
  for (const std::string& name : mapping.metadata) {
    if (const auto field = schema.GetFieldByName(name); field != nullptr) {
      auto column = PlanMetadataColumn(*field, meter);
      if (!column.ok()) return column.status().WithContext(file.uri);
      plan->metadata.push_back(*std::move(column));
      continue;
    }
    const auto partition =
        std::ranges::find(file.partitions, name, [](const auto& pair) { return pair.first; });
    if (partition == file.partitions.end() || partition->second == kHiveNull) continue;
    const bool is_integer = std::ranges::find(integer_partitions, name) != integer_partitions.end();
    plan->partitions.push_back(PlanPartition(name, partition->second, is_integer, meter));
  }
  return std::shared_ptr<const BlockPlan>(std::move(plan));
}

RowBlock BuildBlock(const std::shared_ptr<const BlockPlan>& plan, const arrow::RecordBatch& batch) {
  RowBlock block;
  block.rows.resize(static_cast<size_t>(batch.num_rows()));
  const auto memory = std::make_shared<BlockMemory>();
  memory->plan = plan;
  if (plan->has_key) {
    const auto keys = batch.GetColumnByName(plan->key_name);
    CHECK(keys != nullptr);
    if (plan->key.Read(*keys, block.rows, &memory->keys)) memory->columns.push_back(keys);
  }
  ReadShardValues(*plan, batch, block.rows, memory.get());
  if (!plan->keys_only) {
    ReadVectors(*plan, batch, block.rows, memory.get());
    ReadMetadata(*plan, batch, block.rows, memory.get());
  }
  block.bytes = BytesOf(*memory, block.rows.size());
  block.owner = memory;
  return block;
}

}  // namespace vecload::source
