#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <arrow/memory_pool.h>
#include <arrow/type_fwd.h>
#include <parquet/properties.h>

#include "source/vector_rows.h"

// What only source may see of the files of vectors: Arrow's side.
namespace vecload::source {

class VectorColumns {
 public:
  VectorColumns(VectorSchema settings, arrow::Compression::type codec);

  VectorSchema settings;
  std::shared_ptr<arrow::Schema> schema;
  std::shared_ptr<parquet::WriterProperties> properties;
  std::map<std::string, size_t, std::less<>> typed_by_name;  // positions in settings.typed
};

// The file's note of its columns, by which OpenSource knows a file that an export wrote and nobody
// has changed the columns of: a JSON list of their names.
inline constexpr const char* kColumnsNote = "vecload.columns";
std::string ColumnNames(const arrow::Schema& schema);

// Row groups come and go from several threads, some MiB each. Arrow's own pool keeps a good part of
// what was given back: 265 MiB at the peak where the system's takes 157.
inline arrow::MemoryPool* RowGroupPool() { return arrow::system_memory_pool(); }

struct VectorRows::State {
  std::shared_ptr<const VectorColumns> columns;
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
  uint64_t rows = 0;
  uint64_t bytes = 0;
};

}  // namespace vecload::source
