#include "search/filter.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "base/check.h"

namespace vecload::search {
namespace {

// A field: length of the name, name, length of the values, values. A value: its kind, then a byte,
// a double, or a length and a text. Numbers are in the machine's order: nothing of this is kept.
enum class Kind : char { kBool, kNumber, kText };

template <typename T>
void Append(T value, std::string* bytes) {
  bytes->append(reinterpret_cast<const char*>(&value), sizeof value);
}

void AppendText(std::string_view text, std::string* bytes) {
  Append(static_cast<uint32_t>(text.size()), bytes);
  *bytes += text;
}

void AppendValue(const ScalarView& value, std::string* bytes) {
  if (const auto* flag = std::get_if<bool>(&value)) {
    Append(Kind::kBool, bytes);
    Append(*flag, bytes);
  } else if (const auto* number = std::get_if<double>(&value)) {
    Append(Kind::kNumber, bytes);
    Append(*number, bytes);
  } else {
    Append(Kind::kText, bytes);
    AppendText(std::get<std::string_view>(value), bytes);
  }
}

template <typename T>
T Take(std::string_view* bytes) {
  T value;
  CHECK(bytes->copy(reinterpret_cast<char*>(&value), sizeof value) == sizeof value);
  bytes->remove_prefix(sizeof value);
  return value;
}

std::string_view TakeText(std::string_view* bytes) {
  const auto size = Take<uint32_t>(bytes);
  CHECK(size <= bytes->size());
  const std::string_view text = bytes->substr(0, size);
  bytes->remove_prefix(size);
  return text;
}

ScalarView TakeValue(std::string_view* bytes) {
  switch (Take<Kind>(bytes)) {
    case Kind::kBool:
      return Take<bool>(bytes);
    case Kind::kNumber:
      return Take<double>(bytes);
    case Kind::kText:
      break;
  }
  return TakeText(bytes);
}

// The packed values of the field, or nullopt where there is none of that name.
std::optional<std::string_view> FindField(std::string_view packed, std::string_view name) {
  while (!packed.empty()) {
    const std::string_view found = TakeText(&packed);
    const std::string_view values = TakeText(&packed);
    if (found == name) return values;
  }
  return std::nullopt;
}

ScalarView ViewOf(const Scalar& scalar) {
  return std::visit([](const auto& value) -> ScalarView { return value; }, scalar);
}

bool CompareNumbers(Filter::Op op, const ScalarView& value, const Scalar& operand) {
  const auto* left = std::get_if<double>(&value);
  const auto* right = std::get_if<double>(&operand);
  if (left == nullptr || right == nullptr) return false;
  if (op == Filter::Op::kGreater) return *left > *right;
  if (op == Filter::Op::kGreaterOrEqual) return *left >= *right;
  if (op == Filter::Op::kLess) return *left < *right;
  return *left <= *right;
}

bool StartsWith(const ScalarView& value, const Scalar& operand) {
  const auto* text = std::get_if<std::string_view>(&value);
  const auto* prefix = std::get_if<std::string>(&operand);
  return text != nullptr && prefix != nullptr && text->starts_with(*prefix);
}

bool ValueSatisfies(const Filter& filter, const ScalarView& value) {
  switch (filter.op) {
    case Filter::Op::kEqual:
    case Filter::Op::kNotEqual:
      return value == ViewOf(filter.operands[0]);
    case Filter::Op::kIn:
    case Filter::Op::kNotIn:
      return std::ranges::binary_search(filter.operands, value, std::less<>(), ViewOf);
    case Filter::Op::kStartsWith:
      return StartsWith(value, filter.operands[0]);
    default:
      return CompareNumbers(filter.op, value, filter.operands[0]);
  }
}

bool OneValueSatisfies(const Filter& filter, std::string_view values) {
  while (!values.empty()) {
    if (ValueSatisfies(filter, TakeValue(&values))) return true;
  }
  return false;
}

bool ConditionHolds(const Filter& filter, std::string_view packed) {
  const auto field = FindField(packed, filter.name);
  if (filter.op == Filter::Op::kExists) {
    return field.has_value() == std::get<bool>(filter.operands[0]);
  }
  const bool negated = filter.op == Filter::Op::kNotEqual || filter.op == Filter::Op::kNotIn;
  return (field && OneValueSatisfies(filter, *field)) != negated;
}

}  // namespace

std::string PackFields(std::span<const Field> fields) {
  std::string packed;
  std::string values;
  for (const Field& field : fields) {
    values.clear();
    for (const ScalarView& value : field.values) AppendValue(value, &values);
    AppendText(field.name, &packed);
    AppendText(values, &packed);
  }
  packed.shrink_to_fit();
  return packed;
}

bool Matches(const Filter& filter, std::string_view packed) {
  const auto holds = [packed](const Filter& child) { return Matches(child, packed); };
  if (filter.op == Filter::Op::kAnd) return std::ranges::all_of(filter.children, holds);
  if (filter.op == Filter::Op::kOr) return std::ranges::any_of(filter.children, holds);
  return ConditionHolds(filter, packed);
}

}  // namespace vecload::search
