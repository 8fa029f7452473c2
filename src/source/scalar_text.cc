#include "source/scalar_text.h"

#include <cmath>
#include <cstdlib>
#include <type_traits>

#include <arrow/array.h>
#include <arrow/extension_type.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <arrow/util/decimal.h>

#include "base/json_text.h"
#include "source/number_text.h"
#include "source/time_text.h"

namespace vecload::source {
namespace {

using arrow::Type;

// By the service's size model every number counts four bytes and a bool none (service limits:
// MetadataMeter).
constexpr ScalarOutcome kNumber{4};
constexpr ScalarOutcome kNotFinite{0, RejectRule::kMetadataType,
                                   "NaN or infinite, which JSON has no number for"};
constexpr ScalarOutcome kNotUtf8{0, RejectRule::kMetadataType, "the text is not UTF-8"};
constexpr ScalarOutcome kOutsideYears{0, RejectRule::kMetadataType,
                                      "a time outside of the years 0000 to 9999"};
constexpr ScalarOutcome kInexactInteger{
    0, RejectRule::kMetadataIntegerRange,
    "an integer that a double cannot hold exactly; store it as text"};
constexpr ScalarOutcome kInexactDecimal{
    0, RejectRule::kMetadataIntegerRange,
    "a decimal of more digits than a double holds; store it as text"};

template <typename ArrayType>
const ArrayType& As(const arrow::Array& column) {
  return static_cast<const ArrayType&>(column);
}

template <typename Integer>
void AppendWide(Integer value, std::string* out) {
  using Wide = std::conditional_t<std::is_signed_v<Integer>, int64_t, uint64_t>;
  AppendInteger(static_cast<Wide>(value), out);
}

int64_t UnitsPerSecond(arrow::TimeUnit::type unit) {
  switch (unit) {
    case arrow::TimeUnit::SECOND:
      return 1;
    case arrow::TimeUnit::MILLI:
      return 1'000;
    case arrow::TimeUnit::MICRO:
      return 1'000'000;
    case arrow::TimeUnit::NANO:
      break;
  }
  return 1'000'000'000;
}

ScalarOutcome AppendText(std::string_view text, std::string* out) {
  if (!IsUtf8(text)) return kNotUtf8;
  AppendJsonString(text, out);
  return {static_cast<uint32_t>(text.size())};
}

template <typename ArrayType>
ScalarOutcome AppendIntegerOf(const arrow::Array& column, int64_t row, std::string* out) {
  const auto value = As<ArrayType>(column).Value(row);
  using Wide = std::conditional_t<std::is_signed_v<decltype(value)>, int64_t, uint64_t>;
  if (!DoubleHolds(static_cast<Wide>(value))) return kInexactInteger;
  AppendInteger(static_cast<Wide>(value), out);
  return kNumber;
}

template <typename DecimalType, typename ArrayType>
ScalarOutcome AppendDecimalOf(const arrow::Array& column, int64_t row, std::string* out) {
  const DecimalType value(As<ArrayType>(column).GetValue(row));
  const int32_t scale = static_cast<const arrow::DecimalType&>(*column.type()).scale();
  const size_t begin = out->size();
  AppendDecimal(value.ToIntegerString(), scale, out);
  if (!DoubleHoldsDecimal(std::string_view(*out).substr(begin))) {
    return scale <= 0 ? kInexactInteger : kInexactDecimal;
  }
  return kNumber;
}

ScalarOutcome AppendFloating(const arrow::Array& column, int64_t row, std::string* out) {
  if (column.type_id() == Type::FLOAT) {
    const float value = As<arrow::FloatArray>(column).Value(row);
    if (!std::isfinite(value)) return kNotFinite;
    AppendFloat(value, out);
  } else if (column.type_id() == Type::DOUBLE) {
    const double value = As<arrow::DoubleArray>(column).Value(row);
    if (!std::isfinite(value)) return kNotFinite;
    AppendDouble(value, out);
  } else {
    const uint16_t bits = As<arrow::HalfFloatArray>(column).Value(row);
    if (!std::isfinite(HalfToDouble(bits))) return kNotFinite;
    AppendHalf(bits, out);
  }
  return kNumber;
}

// Dates and times: text between quotes.
ScalarOutcome AppendTemporal(const arrow::Array& column, int64_t row, std::string* out) {
  const size_t begin = out->size();
  out->push_back('"');
  bool representable = false;
  switch (column.type_id()) {
    case Type::DATE32:
      representable = AppendDate(As<arrow::Date32Array>(column).Value(row), out);
      break;
    case Type::DATE64: {
      const int64_t value = As<arrow::Date64Array>(column).Value(row);
      const int64_t day = 86'400'000;
      representable = AppendDate(value / day - (value % day < 0 ? 1 : 0), out);
      break;
    }
    case Type::TIMESTAMP:
      representable = AppendTimestamp(
          As<arrow::TimestampArray>(column).Value(row),
          UnitsPerSecond(static_cast<const arrow::TimestampType&>(*column.type()).unit()), out);
      break;
    default: {
      const auto units = UnitsPerSecond(static_cast<const arrow::TimeType&>(*column.type()).unit());
      const int64_t value = column.type_id() == Type::TIME32
                                ? As<arrow::Time32Array>(column).Value(row)
                                : As<arrow::Time64Array>(column).Value(row);
      representable = AppendTime(value, units, out);
    }
  }
  if (!representable) return kOutsideYears;
  out->push_back('"');
  return {static_cast<uint32_t>(out->size() - begin - 2)};
}

ScalarOutcome AppendExtension(const arrow::Array& column, int64_t row, std::string* out) {
  const arrow::Array& storage = *As<arrow::ExtensionArray>(column).storage();
  if (storage.type_id() != Type::FIXED_SIZE_BINARY) return AppendScalar(storage, row, out);
  out->push_back('"');
  AppendUuid(As<arrow::FixedSizeBinaryArray>(storage).GetView(row), out);
  out->push_back('"');
  return {36};
}

ScalarOutcome AppendNumber(const arrow::Array& column, int64_t row, std::string* out) {
  switch (column.type_id()) {
    case Type::INT8:
      return AppendIntegerOf<arrow::Int8Array>(column, row, out);
    case Type::INT16:
      return AppendIntegerOf<arrow::Int16Array>(column, row, out);
    case Type::INT32:
      return AppendIntegerOf<arrow::Int32Array>(column, row, out);
    case Type::INT64:
      return AppendIntegerOf<arrow::Int64Array>(column, row, out);
    case Type::UINT8:
      return AppendIntegerOf<arrow::UInt8Array>(column, row, out);
    case Type::UINT16:
      return AppendIntegerOf<arrow::UInt16Array>(column, row, out);
    case Type::UINT32:
      return AppendIntegerOf<arrow::UInt32Array>(column, row, out);
    case Type::UINT64:
      return AppendIntegerOf<arrow::UInt64Array>(column, row, out);
    case Type::DECIMAL32:
      return AppendDecimalOf<arrow::Decimal32, arrow::Decimal32Array>(column, row, out);
    case Type::DECIMAL64:
      return AppendDecimalOf<arrow::Decimal64, arrow::Decimal64Array>(column, row, out);
    case Type::DECIMAL128:
      return AppendDecimalOf<arrow::Decimal128, arrow::Decimal128Array>(column, row, out);
    case Type::DECIMAL256:
      return AppendDecimalOf<arrow::Decimal256, arrow::Decimal256Array>(column, row, out);
    default:
      return AppendFloating(column, row, out);
  }
}

}  // namespace

ScalarKind ScalarKindOf(const arrow::DataType& type) {
  switch (type.id()) {
    case Type::NA:
      return ScalarKind::kNull;
    case Type::BOOL:
      return ScalarKind::kBool;
    case Type::STRING:
    case Type::LARGE_STRING:
    case Type::STRING_VIEW:
    case Type::DATE32:
    case Type::DATE64:
    case Type::TIMESTAMP:
    case Type::TIME32:
    case Type::TIME64:
      return ScalarKind::kString;
    case Type::DICTIONARY:
      return ScalarKindOf(*static_cast<const arrow::DictionaryType&>(type).value_type());
    case Type::EXTENSION: {
      const auto& extension = static_cast<const arrow::ExtensionType&>(type);
      if (extension.extension_name() == "arrow.uuid") return ScalarKind::kString;
      if (extension.extension_name() == "arrow.json") return ScalarKind::kString;
      return ScalarKind::kUnsupported;
    }
    case Type::DECIMAL32:
    case Type::DECIMAL64:
    case Type::DECIMAL128:
    case Type::DECIMAL256: {
      // A scale is any integer; beyond the most digits there are it would only be zeros.
      const int32_t scale = static_cast<const arrow::DecimalType&>(type).scale();
      return std::abs(int64_t{scale}) <= 76 ? ScalarKind::kNumber : ScalarKind::kUnsupported;
    }
    default:
      return arrow::is_numeric(type.id()) ? ScalarKind::kNumber : ScalarKind::kUnsupported;
  }
}

bool IsNullAt(const arrow::Array& column, int64_t row) {
  if (column.IsNull(row)) return true;
  if (column.type_id() != Type::DICTIONARY) return false;
  const auto& dictionary = As<arrow::DictionaryArray>(column);
  return IsNullAt(*dictionary.dictionary(), dictionary.GetValueIndex(row));
}

std::string_view TextAt(const arrow::Array& column, int64_t row) {
  switch (column.type_id()) {
    case Type::STRING:
    case Type::BINARY:
      return As<arrow::BinaryArray>(column).GetView(row);
    case Type::LARGE_STRING:
    case Type::LARGE_BINARY:
      return As<arrow::LargeBinaryArray>(column).GetView(row);
    case Type::STRING_VIEW:
    case Type::BINARY_VIEW:
      return As<arrow::BinaryViewArray>(column).GetView(row);
    case Type::FIXED_SIZE_BINARY:
      return As<arrow::FixedSizeBinaryArray>(column).GetView(row);
    case Type::EXTENSION:
      return TextAt(*As<arrow::ExtensionArray>(column).storage(), row);
    case Type::DICTIONARY: {
      const auto& dictionary = As<arrow::DictionaryArray>(column);
      return TextAt(*dictionary.dictionary(), dictionary.GetValueIndex(row));
    }
    default:
      return {};
  }
}

void AppendPlainText(const arrow::Array& column, int64_t row, std::string* out) {
  switch (column.type_id()) {
    case Type::BOOL:
      out->append(As<arrow::BooleanArray>(column).Value(row) ? "true" : "false");
      return;
    case Type::INT8:
      return AppendWide(As<arrow::Int8Array>(column).Value(row), out);
    case Type::INT16:
      return AppendWide(As<arrow::Int16Array>(column).Value(row), out);
    case Type::INT32:
      return AppendWide(As<arrow::Int32Array>(column).Value(row), out);
    case Type::INT64:
      return AppendWide(As<arrow::Int64Array>(column).Value(row), out);
    case Type::UINT8:
      return AppendWide(As<arrow::UInt8Array>(column).Value(row), out);
    case Type::UINT16:
      return AppendWide(As<arrow::UInt16Array>(column).Value(row), out);
    case Type::UINT32:
      return AppendWide(As<arrow::UInt32Array>(column).Value(row), out);
    case Type::UINT64:
      return AppendWide(As<arrow::UInt64Array>(column).Value(row), out);
    case Type::DICTIONARY: {
      const auto& dictionary = As<arrow::DictionaryArray>(column);
      return AppendPlainText(*dictionary.dictionary(), dictionary.GetValueIndex(row), out);
    }
    default:
      AppendUuid(TextAt(column, row), out);
  }
}

void AppendUuid(std::string_view bytes, std::string* out) {
  constexpr char kHex[] = "0123456789abcdef";
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out->push_back('-');
    const auto byte = static_cast<uint8_t>(bytes[i]);
    out->push_back(kHex[byte >> 4]);
    out->push_back(kHex[byte & 15]);
  }
}

ScalarOutcome AppendScalar(const arrow::Array& column, int64_t row, std::string* out) {
  switch (column.type_id()) {
    case Type::STRING:
    case Type::LARGE_STRING:
    case Type::STRING_VIEW:
      return AppendText(TextAt(column, row), out);
    case Type::BOOL:
      out->append(As<arrow::BooleanArray>(column).Value(row) ? "true" : "false");
      return {0};
    case Type::DATE32:
    case Type::DATE64:
    case Type::TIMESTAMP:
    case Type::TIME32:
    case Type::TIME64:
      return AppendTemporal(column, row, out);
    case Type::EXTENSION:
      return AppendExtension(column, row, out);
    case Type::DICTIONARY: {
      const auto& dictionary = As<arrow::DictionaryArray>(column);
      return AppendScalar(*dictionary.dictionary(), dictionary.GetValueIndex(row), out);
    }
    default:
      return AppendNumber(column, row, out);
  }
}

}  // namespace vecload::source
