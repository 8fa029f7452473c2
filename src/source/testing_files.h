#pragma once

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/io/file.h>
#include <arrow/ipc/writer.h>
#include <arrow/json/from_string.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <parquet/arrow/writer.h>
#include <parquet/properties.h>

#include "base/check.h"
#include "base/testing_folder.h"
#include "vecload/source.h"

// Files for the tests, written by Arrow, and a Source read whole. What Arrow refuses here is a
// mistake of the test: CHECK.
namespace vecload::source::testing {

inline std::shared_ptr<arrow::Array> FromJson(const std::shared_ptr<arrow::DataType>& type,
                                              const std::string& json) {
  return arrow::json::ArrayFromJSONString(type, json).ValueOrDie();
}

struct NamedColumn {
  std::string name;
  std::shared_ptr<arrow::Array> values;
};

inline NamedColumn Column(std::string name, const std::shared_ptr<arrow::DataType>& type,
                          const std::string& json) {
  return {std::move(name), FromJson(type, json)};
}

inline std::shared_ptr<arrow::Table> TableOf(const std::vector<NamedColumn>& columns) {
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (const NamedColumn& column : columns) {
    fields.push_back(arrow::field(column.name, column.values->type()));
    arrays.push_back(column.values);
  }
  return arrow::Table::Make(arrow::schema(fields), arrays);
}

inline void WriteParquet(const std::string& path, const arrow::Table& table,
                         int64_t row_group_rows = 1 << 20) {
  const auto out = arrow::io::FileOutputStream::Open(path).ValueOrDie();
  const auto properties = parquet::ArrowWriterProperties::Builder().store_schema()->build();
  CHECK(parquet::arrow::WriteTable(table, arrow::default_memory_pool(), out, row_group_rows,
                                   parquet::default_writer_properties(), properties)
            .ok());
  CHECK(out->Close().ok());
}

inline void WriteIpc(const std::string& path, const arrow::Table& table, bool stream = false,
                     int64_t batch_rows = 1 << 20) {
  const auto out = arrow::io::FileOutputStream::Open(path).ValueOrDie();
  const auto writer = (stream ? arrow::ipc::MakeStreamWriter(out, table.schema())
                              : arrow::ipc::MakeFileWriter(out, table.schema()))
                          .ValueOrDie();
  CHECK(writer->WriteTable(table, batch_rows).ok());
  CHECK(writer->Close().ok());
  CHECK(out->Close().ok());
}

// A row that outlives its block.
struct ReadRow {
  std::string key;
  std::vector<float> vector;
  std::string metadata;
  uint32_t metadata_bytes = 0;
  uint32_t metadata_filterable_bytes = 0;
  uint32_t metadata_keys = 0;
  RejectRule fault = RejectRule::kNone;
  std::string fault_detail;
  std::optional<std::string> shard_value = std::nullopt;
};

// The rows [row_begin, row_end) of one file; checks that the blocks follow each other.
inline Result<std::vector<ReadRow>> ReadRange(Source* source, const ReadRequest& request) {
  std::vector<ReadRow> rows;
  const Status status = source->Read(request, [&](const RowBlock& block) {
    CHECK(block.file == request.file && block.row_begin == request.row_begin + rows.size());
    CHECK(!block.rows.empty() && block.rows.size() <= request.block_rows_max);
    CHECK(block.bytes > 0 && block.owner != nullptr);
    for (const SourceRow& row : block.rows) {
      rows.push_back({.key = std::string(row.key),
                      .vector = {row.vector.begin(), row.vector.end()},
                      .metadata = std::string(row.metadata),
                      .metadata_bytes = row.metadata_bytes,
                      .metadata_filterable_bytes = row.metadata_filterable_bytes,
                      .metadata_keys = row.metadata_keys,
                      .fault = row.fault,
                      .fault_detail = std::string(row.fault_detail)});
      if (row.has_shard_value) rows.back().shard_value = std::string(row.shard_value);
    }
    return Status::Ok();
  });
  if (!status.ok()) return status;
  return rows;
}

inline Result<std::vector<ReadRow>> ReadAll(const std::vector<std::string>& locations,
                                            const SourceOptions& options = {},
                                            const std::vector<std::string>& non_filterable = {}) {
  VECLOAD_ASSIGN_OR_RETURN(const auto source, OpenSource(locations, options));
  std::vector<ReadRow> all;
  for (uint32_t i = 0; i < source->manifest().files.size(); ++i) {
    VECLOAD_ASSIGN_OR_RETURN(auto rows,
                             ReadRange(source.get(), {.file = i,
                                                      .row_begin = 0,
                                                      .row_end = source->manifest().files[i].rows,
                                                      .block_rows_max = 3,
                                                      .non_filterable_keys = non_filterable}));
    for (ReadRow& row : rows) all.push_back(std::move(row));
  }
  return all;
}

// A plain table: "k0", "k1", ... with vectors [row, row + 0.5].
inline std::shared_ptr<arrow::Table> PlainTable(int rows, int first = 0) {
  std::string keys = "[";
  std::string vectors = "[";
  for (int i = first; i < first + rows; ++i) {
    const std::string comma = i == first ? "" : ",";
    keys += comma + "\"k" + std::to_string(i) + "\"";
    vectors += comma + "[" + std::to_string(i) + "," + std::to_string(i) + ".5]";
  }
  return TableOf({Column("id", arrow::utf8(), keys + "]"),
                  Column("embedding", arrow::fixed_size_list(arrow::float32(), 2), vectors + "]")});
}

}  // namespace vecload::source::testing
