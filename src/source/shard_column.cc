#include "source/shard_column.h"

#include <algorithm>

#include <arrow/array.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>

#include "base/check.h"
#include "base/json_text.h"
#include "source/hive.h"
#include "source/scalar_text.h"

namespace vecload::source {
namespace {

using arrow::Type;

// The longest text of a value that is not text already: 20 digits or a sign and 19.
constexpr size_t kMadeValueBytesMax = 20;

const arrow::DataType& ValueType(const arrow::DataType& type) {
  // NOLINTNEXTLINE(bugprone-return-const-ref-from-parameter): part of a type the caller holds
  if (type.id() != Type::DICTIONARY) return type;
  return ValueType(*static_cast<const arrow::DictionaryType&>(type).value_type());
}

bool IsString(const arrow::DataType& type) {
  return arrow::is_string(type.id()) || type.id() == Type::STRING_VIEW;
}

void SetFault(RejectRule fault, const std::string& detail, SourceRow* row) {
  if (row->fault != RejectRule::kNone) return;
  row->fault = fault;
  row->fault_detail = detail;
}

}  // namespace

bool CanDivide(const arrow::DataType& type) {
  const arrow::DataType& plain = ValueType(type);
  return IsString(plain) || arrow::is_integer(plain.id()) || plain.id() == Type::BOOL ||
         plain.id() == Type::NA;
}

std::optional<std::string> PartitionOf(const SourceFile& file, const std::string& name) {
  const auto found =
      std::ranges::find(file.partitions, name, [](const auto& pair) { return pair.first; });
  if (found == file.partitions.end() || found->second == kHiveNull) return std::nullopt;
  return found->second;
}

ShardColumn::ShardColumn(const std::string& name)
    : null_detail_("column \"" + name + "\": it is null, so the row has no index to go to"),
      not_utf8_detail_("column \"" + name + "\": the value is not UTF-8") {}

ShardColumn ShardColumn::OfPartition(const std::string& name, const SourceFile& file) {
  ShardColumn column(name);
  column.is_partition_ = true;
  column.partition_ = PartitionOf(file, name);
  return column;
}

void ShardColumn::Give(std::string_view value, SourceRow* row) const {
  if (!IsUtf8(value)) return SetFault(RejectRule::kShardValueNotUtf8, not_utf8_detail_, row);
  row->shard_value = value;
  row->has_shard_value = true;
}

bool ShardColumn::Read(const arrow::Array* column, std::span<SourceRow> rows,
                       std::string* text) const {
  if (is_partition_) {
    for (SourceRow& row : rows) {
      if (partition_.has_value()) {
        Give(*partition_, &row);
      } else {
        SetFault(RejectRule::kShardValueMissing, null_detail_, &row);
      }
    }
    return false;
  }
  CHECK(column != nullptr);
  const bool is_text = IsString(ValueType(*column->type()));
  if (!is_text) text->reserve(rows.size() * kMadeValueBytesMax);
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto at = static_cast<int64_t>(i);
    if (IsNullAt(*column, at)) {
      SetFault(RejectRule::kShardValueMissing, null_detail_, &rows[i]);
    } else if (is_text) {
      Give(TextAt(*column, at), &rows[i]);
    } else {
      const size_t begin = text->size();
      AppendPlainText(*column, at, text);
      Give(std::string_view(*text).substr(begin), &rows[i]);
    }
  }
  return is_text;
}

}  // namespace vecload::source
