#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arrow/type_fwd.h>

#include "vecload/record.h"
#include "vecload/status.h"
#include "wire/metadata.h"

namespace vecload::source {

// One column as metadata; a struct is a tree of them.
struct MetadataColumn {
  enum class Shape { kScalar, kList, kStruct };

  std::string name;    // of the metadata key; a struct's members are "struct.member"
  std::string prefix;  // "name": as it stands in the JSON
  Shape shape = Shape::kScalar;
  bool filterable = true;
  std::vector<MetadataColumn> members;  // of a struct, in its order
};

// What cannot become metadata is refused here, before any row is read: kInvalidArgument names the
// column, its type and the way out.
Result<MetadataColumn> PlanMetadataColumn(const arrow::Field& field,
                                          const wire::MetadataMeter& meter,
                                          std::string_view struct_name = {});

// A row's metadata while it is written.
class MetadataRow {
 public:
  MetadataRow(wire::MetadataMeter* meter, std::string* out) : meter_(meter), out_(out) {}

  void Begin();
  // Appends the value of `column` at `row`; nulls and lists without a value are left out.
  void Add(const MetadataColumn& column, const arrow::Array& values, int64_t row);
  // Appends a key and value that are JSON already.
  void AddConstant(const MetadataColumn& column, std::string_view json, uint32_t value_bytes);
  // Ends the object; what was appended since Begin is cut off where there is no key or a fault.
  void End();

  [[nodiscard]] RejectRule fault() const { return fault_; }
  // "column "x": what is wrong"
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  void AddKey(const MetadataColumn& column);
  void AddList(const MetadataColumn& column, const arrow::Array& values, int64_t row);
  void SetFault(const MetadataColumn& column, RejectRule fault, std::string_view problem);

  wire::MetadataMeter* meter_;
  std::string* out_;
  size_t begin_ = 0;
  RejectRule fault_ = RejectRule::kNone;
  std::string problem_;
};

}  // namespace vecload::source
