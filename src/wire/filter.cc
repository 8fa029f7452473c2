#include "wire/filter.h"

#include <algorithm>
#include <utility>

#include <simdjson.h>

#include "wire/json_reader.h"
#include "wire/limits.h"

namespace vecload::wire {
namespace {

namespace ondemand = simdjson::ondemand;
using Op = Filter::Op;

enum class Operand { kScalar, kNumber, kText, kBool, kList };

struct Operator {
  std::string_view name;
  Op op;
  Operand operand;
};
constexpr Operator kOperators[] = {
    {"$eq", Op::kEqual, Operand::kScalar},    {"$ne", Op::kNotEqual, Operand::kScalar},
    {"$gt", Op::kGreater, Operand::kNumber},  {"$gte", Op::kGreaterOrEqual, Operand::kNumber},
    {"$lt", Op::kLess, Operand::kNumber},     {"$lte", Op::kLessOrEqual, Operand::kNumber},
    {"$in", Op::kIn, Operand::kList},         {"$nin", Op::kNotIn, Operand::kList},
    {"$exists", Op::kExists, Operand::kBool}, {"$startsWith", Op::kStartsWith, Operand::kText},
};

// Each function returns false where what it reads is no part of a valid filter.
class FilterParser {
 public:
  explicit FilterParser(const FilterRules& rules) : rules_(rules) {}

  bool Read(std::string_view json, Filter* out) {
    const simdjson::padded_string padded(json);
    ondemand::document document;
    ondemand::object object;
    const char* rest = nullptr;
    return !parser_.iterate(padded).get(document) && !document.get_object().get(object) &&
           ReadFilter(object, 1, out) &&
           document.current_location().get(rest) == simdjson::OUT_OF_BOUNDS;
  }

 private:
  // The members of one object, joined by AND; at least one.
  bool ReadFilter(ondemand::object object, int depth, Filter* out) {
    if (depth > kJsonDepthMax) return false;
    for (auto result : object) {
      ondemand::field field;
      std::string_view name;
      if (std::move(result).get(field) || field.unescaped_key().get(name)) return false;
      if (!ReadMember(name, field.value(), depth, out)) return false;
    }
    if (out->children.empty()) return false;
    if (out->children.size() == 1) *out = Filter(std::move(out->children[0]));
    return true;
  }

  bool ReadMember(std::string_view name, ondemand::value value, int depth, Filter* parent) {
    if (name == "$and" || name == "$or") {
      Filter& joined = parent->children.emplace_back();
      joined.op = name == "$and" ? Op::kAnd : Op::kOr;
      return ReadFilters(value, depth, &joined);
    }
    // A key that begins like an operator is taken for a misspelt one, as the service does.
    if (name.starts_with('$')) return false;
    if (std::ranges::find(rules_.non_filterable_keys, name) != rules_.non_filterable_keys.end()) {
      return false;
    }
    ondemand::json_type type;
    if (value.type().get(type)) return false;
    const std::string key(name);
    if (type == ondemand::json_type::object) return ReadConditions(key, value, parent);
    return ReadCondition(key, kOperators[0], value, parent);
  }

  bool ReadFilters(ondemand::value value, int depth, Filter* joined) {
    ondemand::array array;
    if (value.get_array().get(array)) return false;
    for (auto result : array) {
      ondemand::object object;
      if (std::move(result).get_object().get(object)) return false;
      if (!ReadFilter(object, depth + 1, &joined->children.emplace_back())) return false;
    }
    return !joined->children.empty();
  }

  // {"$gte": 1, "$lt": 5}: all of them must hold.
  bool ReadConditions(const std::string& key, ondemand::value value, Filter* parent) {
    ondemand::object object;
    if (value.get_object().get(object)) return false;
    size_t count = 0;
    for (auto result : object) {
      ondemand::field field;
      std::string_view name;
      if (std::move(result).get(field) || field.unescaped_key().get(name)) return false;
      const auto* found = std::ranges::find(kOperators, name, &Operator::name);
      if (found == std::end(kOperators)) return false;
      if (!ReadCondition(key, *found, field.value(), parent)) return false;
      ++count;
    }
    return count > 0;
  }

  bool ReadCondition(const std::string& key, const Operator& as, ondemand::value value,
                     Filter* parent) {
    if (++conditions_ > kFilterConditionsMax) return false;
    if (as.op == Op::kStartsWith && !rules_.starts_with) return false;
    Filter& condition = parent->children.emplace_back();
    condition.op = as.op;
    condition.name = key;
    if (as.operand == Operand::kList) return ReadList(value, &condition.operands);
    const Scalar& operand = condition.operands.emplace_back();
    if (!ReadScalar(value, &condition.operands.back())) return false;
    switch (as.operand) {
      case Operand::kNumber:
        return std::holds_alternative<double>(operand);
      case Operand::kText:
        return std::holds_alternative<std::string>(operand);
      case Operand::kBool:
        return std::holds_alternative<bool>(operand);
      default:
        return true;
    }
  }

  static bool ReadList(ondemand::value value, std::vector<Scalar>* out) {
    ondemand::array array;
    if (value.get_array().get(array)) return false;
    for (auto result : array) {
      ondemand::value element;
      if (std::move(result).get(element) || !ReadScalar(element, &out->emplace_back())) {
        return false;
      }
    }
    std::ranges::sort(*out);
    return !out->empty();
  }

  static bool ReadScalar(ondemand::value value, Scalar* out) {
    ondemand::json_type type;
    if (value.type().get(type)) return false;
    switch (type) {
      case ondemand::json_type::string: {
        std::string_view text;
        if (value.get_string().get(text)) return false;
        out->emplace<std::string>(text);
        return true;
      }
      case ondemand::json_type::number:
        return !value.get_double().get(out->emplace<double>());
      case ondemand::json_type::boolean:
        return !value.get_bool().get(out->emplace<bool>());
      default:
        return false;
    }
  }

  const FilterRules& rules_;
  ondemand::parser parser_;
  size_t conditions_ = 0;
};

}  // namespace

std::optional<Filter> ParseFilter(std::string_view json, const FilterRules& rules) {
  Filter filter;
  if (json.empty() || !FilterParser(rules).Read(json, &filter)) return std::nullopt;
  return filter;
}

}  // namespace vecload::wire
