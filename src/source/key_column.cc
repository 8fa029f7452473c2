#include "source/key_column.h"

#include <algorithm>
#include <array>
#include <cctype>

#include <arrow/array.h>
#include <arrow/extension_type.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>

#include "base/json_text.h"
#include "source/scalar_text.h"

namespace vecload::source {
namespace {

using arrow::Type;

constexpr std::array<std::string_view, 14> kKeyNames = {
    "id",     "_id",         "key",      "_key",   "uuid",     "guid",      "pk",
    "doc_id", "document_id", "chunk_id", "row_id", "point_id", "vector_id", "primary_key"};

// The longest text of a key that is not text already: a UUID's. 20 digits and a sign are shorter.
constexpr size_t kMadeKeyBytesMax = 36;

bool IsUuid(const arrow::DataType& type) {
  if (type.id() == Type::EXTENSION) {
    return static_cast<const arrow::ExtensionType&>(type).extension_name() == "arrow.uuid";
  }
  return type.id() == Type::FIXED_SIZE_BINARY &&
         static_cast<const arrow::FixedSizeBinaryType&>(type).byte_width() == 16;
}

bool IsText(const arrow::DataType& type) {
  return arrow::is_base_binary_like(type.id()) || arrow::is_binary_view_like(type.id()) ||
         type.id() == Type::FIXED_SIZE_BINARY;
}

void SetFault(RejectRule fault, const std::string& detail, SourceRow* row) {
  if (row->fault != RejectRule::kNone) return;
  row->fault = fault;
  row->fault_detail = detail;
}

}  // namespace

bool CanBeKey(const arrow::DataType& type) {
  if (type.id() == Type::DICTIONARY) {
    return CanBeKey(*static_cast<const arrow::DictionaryType&>(type).value_type());
  }
  return IsText(type) || IsUuid(type) || arrow::is_integer(type.id());
}

bool IsKeyName(std::string_view name) {
  std::string lower(name);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return std::ranges::find(kKeyNames, lower) != kKeyNames.end();
}

KeyColumn::KeyColumn(const std::string& name)
    : null_detail_("column \"" + name + "\": the key is null"),
      not_utf8_detail_("column \"" + name + "\": the key is not UTF-8") {}

bool KeyColumn::Read(const arrow::Array& column, std::span<SourceRow> rows,
                     std::string* text) const {
  const arrow::DataType* type = column.type().get();
  if (type->id() == Type::DICTIONARY) {
    type = static_cast<const arrow::DictionaryType*>(type)->value_type().get();
  }
  const bool is_text = IsText(*type) && !IsUuid(*type);
  if (!is_text) text->reserve(rows.size() * kMadeKeyBytesMax);
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto at = static_cast<int64_t>(i);
    if (IsNullAt(column, at)) {
      SetFault(RejectRule::kKeyMissing, null_detail_, &rows[i]);
    } else if (is_text) {
      rows[i].key = TextAt(column, at);
      if (!IsUtf8(rows[i].key)) SetFault(RejectRule::kKeyNotUtf8, not_utf8_detail_, &rows[i]);
    } else {
      const size_t begin = text->size();
      AppendPlainText(column, at, text);
      rows[i].key = std::string_view(*text).substr(begin);
    }
  }
  return is_text;
}

}  // namespace vecload::source
