#include "source/vector_column.h"

#include <bit>
#include <cstring>
#include <utility>

#include <arrow/array.h>
#include <arrow/extension_type.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <arrow/util/float16.h>

namespace vecload::source {
namespace {

using arrow::Type;

static_assert(std::endian::native == std::endian::little,
              "vectors given as bytes are little-endian float32");

const arrow::DataType& Storage(const arrow::DataType& type) {
  // NOLINTNEXTLINE(bugprone-return-const-ref-from-parameter): part of a type the caller holds
  if (type.id() != Type::EXTENSION) return type;
  return *static_cast<const arrow::ExtensionType&>(type).storage_type();
}

// Where each row's elements stand in the child of a list array.
struct Range {
  int64_t begin = 0;
  int64_t length = 0;
};

template <typename ArrayType>
std::vector<Range> RangesOf(const arrow::Array& column) {
  const auto& list = static_cast<const ArrayType&>(column);
  std::vector<Range> ranges(static_cast<size_t>(list.length()));
  for (int64_t i = 0; i < list.length(); ++i) {
    if (list.IsNull(i)) continue;
    ranges[static_cast<size_t>(i)] = {list.value_offset(i), list.value_length(i)};
  }
  return ranges;
}

bool AnyNull(const arrow::Array& elements, Range range) {
  for (int64_t i = range.begin; i < range.begin + range.length; ++i) {
    if (elements.IsNull(i)) return true;
  }
  return false;
}

// A double out of range becomes an infinity, which the checks on the row then refuse.
template <typename ArrayType>
void Convert(const arrow::Array& elements, Range range, float* out) {
  const auto* values = static_cast<const ArrayType&>(elements).raw_values() + range.begin;
  for (int64_t i = 0; i < range.length; ++i) out[i] = static_cast<float>(values[i]);
}

void ConvertHalves(const arrow::Array& elements, Range range, float* out) {
  const uint16_t* values =
      static_cast<const arrow::HalfFloatArray&>(elements).raw_values() + range.begin;
  for (int64_t i = 0; i < range.length; ++i)
    out[i] = arrow::util::Float16::FromBits(values[i]).ToFloat();
}

using Converter = void (*)(const arrow::Array&, Range, float*);

Converter ConverterOf(Type::type type) {
  switch (type) {
    case Type::HALF_FLOAT:
      return ConvertHalves;
    case Type::DOUBLE:
      return Convert<arrow::DoubleArray>;
    case Type::INT8:
      return Convert<arrow::Int8Array>;
    case Type::INT16:
      return Convert<arrow::Int16Array>;
    case Type::INT32:
      return Convert<arrow::Int32Array>;
    case Type::INT64:
      return Convert<arrow::Int64Array>;
    case Type::UINT8:
      return Convert<arrow::UInt8Array>;
    case Type::UINT16:
      return Convert<arrow::UInt16Array>;
    case Type::UINT32:
      return Convert<arrow::UInt32Array>;
    default:
      return Convert<arrow::UInt64Array>;
  }
}

void SetFault(RejectRule fault, const std::string& detail, SourceRow* row) {
  if (row->fault != RejectRule::kNone) return;
  row->fault = fault;
  row->fault_detail = detail;
}

}  // namespace

VectorFit VectorFitOf(const arrow::DataType& type) {
  const arrow::DataType& storage = Storage(type);
  if (arrow::is_list(storage.id())) {
    const auto element = storage.field(0)->type()->id();
    if (arrow::is_floating(element)) return VectorFit::kFloats;
    if (!arrow::is_integer(element)) return VectorFit::kNone;
    return DimensionOf(type).value_or(0) >= 2 ? VectorFit::kFixedIntegers : VectorFit::kWhenNamed;
  }
  if (type.id() == Type::BINARY || type.id() == Type::LARGE_BINARY) return VectorFit::kWhenNamed;
  if (type.id() == Type::FIXED_SIZE_BINARY && DimensionOf(type)) return VectorFit::kWhenNamed;
  return VectorFit::kNone;
}

std::optional<uint32_t> DimensionOf(const arrow::DataType& type) {
  const arrow::DataType& storage = Storage(type);
  if (storage.id() == Type::FIXED_SIZE_LIST) {
    return static_cast<uint32_t>(static_cast<const arrow::FixedSizeListType&>(storage).list_size());
  }
  if (storage.id() == Type::FIXED_SIZE_BINARY) {
    const int bytes = static_cast<const arrow::FixedSizeBinaryType&>(storage).byte_width();
    if (bytes > 0 && bytes % 4 == 0) return static_cast<uint32_t>(bytes / 4);
  }
  return std::nullopt;
}

VectorColumn::VectorColumn(const std::string& name)
    : null_detail_("column \"" + name + "\": the vector is null"),
      null_element_detail_("column \"" + name + "\": an element of the vector is null"),
      bytes_detail_("column \"" + name + "\": the bytes are not a whole number of float32 values") {
}

bool VectorColumn::Read(const arrow::Array& column, std::span<SourceRow> rows,
                        std::vector<float>* converted) const {
  switch (column.type_id()) {
    case Type::NA:  // one file of several, all of whose vectors are null
      for (SourceRow& row : rows) SetFault(RejectRule::kVectorMissing, null_detail_, &row);
      return false;
    case Type::EXTENSION:
      return Read(*static_cast<const arrow::ExtensionArray&>(column).storage(), rows, converted);
    case Type::BINARY:
      ReadBytes<arrow::BinaryArray>(column, rows, converted);
      return false;
    case Type::LARGE_BINARY:
      ReadBytes<arrow::LargeBinaryArray>(column, rows, converted);
      return false;
    case Type::FIXED_SIZE_BINARY:
      ReadBytes<arrow::FixedSizeBinaryArray>(column, rows, converted);
      return false;
    default:
      return ReadList(column, rows, converted);
  }
}

bool VectorColumn::ReadList(const arrow::Array& column, std::span<SourceRow> rows,
                            std::vector<float>* converted) const {
  std::vector<Range> ranges;
  const arrow::Array* elements = nullptr;
  if (column.type_id() == Type::LIST) {
    ranges = RangesOf<arrow::ListArray>(column);
    elements = static_cast<const arrow::ListArray&>(column).values().get();
  } else if (column.type_id() == Type::LARGE_LIST) {
    ranges = RangesOf<arrow::LargeListArray>(column);
    elements = static_cast<const arrow::LargeListArray&>(column).values().get();
  } else {
    ranges = RangesOf<arrow::FixedSizeListArray>(column);
    elements = static_cast<const arrow::FixedSizeListArray&>(column).values().get();
  }
  const bool some_nulls = elements->null_count() > 0;
  size_t total = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (column.IsNull(static_cast<int64_t>(i))) {
      SetFault(RejectRule::kVectorMissing, null_detail_, &rows[i]);
    } else if (some_nulls && AnyNull(*elements, ranges[i])) {
      SetFault(RejectRule::kVectorMissing, null_element_detail_, &rows[i]);
      ranges[i] = {};
    }
    total += static_cast<size_t>(ranges[i].length);
  }
  if (elements->type_id() == Type::FLOAT) {
    const float* values = static_cast<const arrow::FloatArray*>(elements)->raw_values();
    for (size_t i = 0; i < rows.size(); ++i) {
      if (ranges[i].length == 0) continue;
      rows[i].vector = {values + ranges[i].begin, static_cast<size_t>(ranges[i].length)};
    }
    return true;
  }
  converted->resize(total);
  float* next = converted->data();
  const Converter convert = ConverterOf(elements->type_id());
  for (size_t i = 0; i < rows.size(); ++i) {
    if (ranges[i].length == 0) continue;
    convert(*elements, ranges[i], next);
    rows[i].vector = {next, static_cast<size_t>(ranges[i].length)};
    next += ranges[i].length;
  }
  return false;
}

template <typename ArrayType>
void VectorColumn::ReadBytes(const arrow::Array& column, std::span<SourceRow> rows,
                             std::vector<float>* converted) const {
  const auto& bytes = static_cast<const ArrayType&>(column);
  std::vector<size_t> lengths(rows.size());
  size_t total = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto at = static_cast<int64_t>(i);
    if (bytes.IsNull(at)) {
      SetFault(RejectRule::kVectorMissing, null_detail_, &rows[i]);
    } else if (bytes.GetView(at).size() % sizeof(float) != 0) {
      SetFault(RejectRule::kVectorDimension, bytes_detail_, &rows[i]);
    } else {
      lengths[i] = bytes.GetView(at).size() / sizeof(float);
    }
    total += lengths[i];
  }
  // Copied, since bytes may stand at any address and floats may not.
  converted->resize(total);
  float* next = converted->data();
  for (size_t i = 0; i < rows.size(); ++i) {
    if (lengths[i] == 0) continue;
    std::memcpy(next, bytes.GetView(static_cast<int64_t>(i)).data(), lengths[i] * sizeof(float));
    rows[i].vector = {next, lengths[i]};
    next += lengths[i];
  }
}

}  // namespace vecload::source
