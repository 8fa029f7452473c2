#pragma once

#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

// Conditions on the named values of a record. Here, since the module that reads them (wire) and the
// one that evaluates them (search) do not know each other.
namespace vecload {

using Scalar = std::variant<bool, double, std::string>;
using ScalarView = std::variant<bool, double, std::string_view>;

// A named value of a record. A list has any number of values; a single value is a list of one,
// since no condition tells them apart.
struct Field {
  std::string_view name;
  std::span<const ScalarView> values;
};

// A condition, or several joined. A value satisfies a condition only if it is of the operand's
// type; a field does if one of its values does. The two negations hold exactly where what they
// negate does not, so also for a record without the field.
struct Filter {
  enum class Op {
    kAnd,
    kOr,
    kEqual,
    kNotEqual,
    kGreater,
    kGreaterOrEqual,
    kLess,
    kLessOrEqual,
    kIn,
    kNotIn,
    kExists,
    kStartsWith,
  };
  Op op = Op::kAnd;
  std::string name;              // of the field; empty for kAnd and kOr
  std::vector<Scalar> operands;  // one, or for kIn and kNotIn one and more in ascending order
  std::vector<Filter> children;  // of kAnd and kOr: one and more
};

}  // namespace vecload
