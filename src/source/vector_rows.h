#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vecload/record.h"
#include "vecload/status.h"
#include "wire/metadata_values.h"

// Vectors on their way into Parquet: which columns there are, and the rows of one row group.
namespace vecload::source {

// The names of the columns that every such file may have. OpenSource finds key and vector by them.
inline constexpr std::string_view kKeyColumn = "key";
inline constexpr std::string_view kVectorColumn = "vector";
inline constexpr std::string_view kMetadataColumn = "metadata";

// What a metadata key's column holds.
enum class MetadataType { kString, kBool, kInt64, kDouble, kStrings, kInt64s, kDoubles };

// "string", "list of integers", ...
std::string_view MetadataTypeName(MetadataType type);
// The narrowest type that gives the value back: a number is an integer where a double holds it and
// all its neighbours, so up to 2^53, and it is not -0.0.
MetadataType MetadataTypeOf(const wire::MetadataValue& value);

struct TypedKey {
  std::string name;
  MetadataType type = MetadataType::kString;

  friend bool operator==(const TypedKey&, const TypedKey&) = default;
};

// What a file of vectors looks like: key, vector, then metadata as JSON or one column a key, or
// both.
struct VectorSchema {
  uint32_t dimension = 0;
  bool has_json = true;          // a column `metadata`: each vector's whole JSON object
  std::vector<TypedKey> typed;   // one column each, null where a vector has no such key
  std::string codec = "snappy";  // as of GenerateOptions
  std::vector<std::pair<std::string, std::string>> notes;  // the file's own key-value metadata
};

// A schema as Arrow has it; immutable.
class VectorColumns;
// kInvalidArgument: no such codec.
Result<std::shared_ptr<const VectorColumns>> PlanVectorColumns(VectorSchema schema);

// Rows collected for one row group. Not thread-safe.
class VectorRows {
 public:
  explicit VectorRows(std::shared_ptr<const VectorColumns> columns);
  VectorRows(VectorRows&&) noexcept;
  VectorRows& operator=(VectorRows&&) noexcept;
  ~VectorRows();

  // All of them or, with a failure, none. kCorrupt: a vector has not the dimension, or metadata is
  // none; kConflict: a value does not fit its key's column and there is no JSON to hold it.
  Status Add(std::span<const Record> vectors);
  void Clear();
  [[nodiscard]] uint64_t rows() const;
  [[nodiscard]] uint64_t bytes() const;  // of memory

 private:
  friend class VectorFile;
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vecload::source
