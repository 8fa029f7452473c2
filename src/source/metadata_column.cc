#include "source/metadata_column.h"

#include <arrow/array.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>

#include "base/json_text.h"
#include "source/scalar_text.h"

namespace vecload::source {
namespace {

using arrow::Type;

Status Unsupported(const std::string& name, const arrow::DataType& type) {
  return Status::InvalidArgument("column \"" + name + "\" of type " + type.ToString() +
                                 " cannot be metadata; choose the columns with --metadata-columns "
                                 "a,b, or give one column of JSON objects with --metadata-json");
}

// Lists of strings or numbers are all that the service takes.
bool IsListOfScalars(const arrow::DataType& type) {
  if (!arrow::is_list(type.id())) return false;
  const ScalarKind kind = ScalarKindOf(*type.field(0)->type());
  return kind != ScalarKind::kUnsupported && kind != ScalarKind::kBool;
}

}  // namespace

Result<MetadataColumn> PlanMetadataColumn(const arrow::Field& field,
                                          const wire::MetadataMeter& meter,
                                          std::string_view struct_name) {
  MetadataColumn column;
  column.name = struct_name.empty() ? field.name() : std::string(struct_name) + "." + field.name();
  const arrow::DataType& type = *field.type();
  if (!IsUtf8(column.name)) {
    return Status::InvalidArgument(
        "a column's name is not UTF-8, so it cannot be metadata; choose "
        "the columns with --metadata-columns a,b");
  }
  AppendJsonString(column.name, &column.prefix);
  column.prefix.push_back(':');
  column.filterable = meter.IsFilterable(column.name);
  if (type.id() == Type::STRUCT) {
    column.shape = MetadataColumn::Shape::kStruct;
    for (const auto& member : type.fields()) {
      VECLOAD_ASSIGN_OR_RETURN(auto planned, PlanMetadataColumn(*member, meter, column.name));
      column.members.push_back(std::move(planned));
    }
  } else if (IsListOfScalars(type)) {
    column.shape = MetadataColumn::Shape::kList;
  } else if (ScalarKindOf(type) == ScalarKind::kUnsupported) {
    return Unsupported(column.name, type);
  }
  return column;
}

void MetadataRow::Begin() {
  meter_->Reset();
  begin_ = out_->size();
  fault_ = RejectRule::kNone;
  problem_.clear();
  out_->push_back('{');
}

void MetadataRow::End() {
  if (fault_ != RejectRule::kNone || out_->size() == begin_ + 1) {
    out_->resize(begin_);
    return;
  }
  out_->push_back('}');
}

void MetadataRow::AddKey(const MetadataColumn& column) {
  if (out_->size() > begin_ + 1) out_->push_back(',');
  out_->append(column.prefix);
}

void MetadataRow::SetFault(const MetadataColumn& column, RejectRule fault,
                           std::string_view problem) {
  if (fault_ != RejectRule::kNone) return;
  fault_ = fault;
  problem_ = "column \"" + column.name + "\": ";
  problem_.append(problem);
}

void MetadataRow::AddConstant(const MetadataColumn& column, std::string_view json,
                              uint32_t value_bytes) {
  AddKey(column);
  out_->append(json);
  meter_->Add(column.name.size(), value_bytes, column.filterable);
}

void MetadataRow::Add(const MetadataColumn& column, const arrow::Array& values, int64_t row) {
  if (IsNullAt(values, row)) return;
  if (column.shape == MetadataColumn::Shape::kStruct) {
    const auto& parent = static_cast<const arrow::StructArray&>(values);
    for (size_t i = 0; i < column.members.size(); ++i) {
      Add(column.members[i], *parent.field(static_cast<int>(i)), row);
    }
    return;
  }
  if (column.shape == MetadataColumn::Shape::kList) return AddList(column, values, row);
  AddKey(column);
  const ScalarOutcome outcome = AppendScalar(values, row, out_);
  if (outcome.fault != RejectRule::kNone) {
    return SetFault(column, outcome.fault, outcome.problem);
  }
  meter_->Add(column.name.size(), outcome.bytes, column.filterable);
}

void MetadataRow::AddList(const MetadataColumn& column, const arrow::Array& values, int64_t row) {
  const arrow::Array* items = nullptr;
  int64_t begin = 0;
  int64_t end = 0;
  const auto find = [&](const auto& list) {
    items = list.values().get();
    begin = list.value_offset(row);
    end = begin + list.value_length(row);
  };
  switch (values.type_id()) {
    case Type::LIST:
      find(static_cast<const arrow::ListArray&>(values));
      break;
    case Type::LARGE_LIST:
      find(static_cast<const arrow::LargeListArray&>(values));
      break;
    default:
      find(static_cast<const arrow::FixedSizeListArray&>(values));
  }
  // The service refuses empty arrays: as with a null, there is nothing to say.
  while (begin < end && IsNullAt(*items, begin)) ++begin;
  if (begin == end) return;
  AddKey(column);
  char separator = '[';
  uint32_t bytes = 0;
  for (int64_t i = begin; i < end; ++i) {
    if (IsNullAt(*items, i)) continue;
    out_->push_back(separator);
    separator = ',';
    const ScalarOutcome outcome = AppendScalar(*items, i, out_);
    if (outcome.fault != RejectRule::kNone) {
      return SetFault(column, outcome.fault, outcome.problem);
    }
    bytes += 4 + outcome.bytes;
  }
  out_->push_back(']');
  meter_->Add(column.name.size(), bytes, column.filterable);
}

}  // namespace vecload::source
