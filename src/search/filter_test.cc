// Goal: a filter holds for exactly the records that its language says. Method: one condition at a
// time on fields of each type; tests/conformance/filter_test.py compares whole filters with a plain
// reference.
#include "search/filter.h"

#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "search/flat_index.h"

namespace vecload::search {
namespace {

using Op = Filter::Op;

const std::vector<ScalarView> kText = {std::string_view("hello")};
const std::vector<ScalarView> kNumber = {2.5};
const std::vector<ScalarView> kFlag = {true};
const std::vector<ScalarView> kTexts = {std::string_view("red"), std::string_view("green")};
const std::vector<ScalarView> kNumbers = {1.0, 10.0};

std::string Packed() {
  const std::vector<Field> fields = {{"text", kText},
                                     {"number", kNumber},
                                     {"flag", kFlag},
                                     {"texts", kTexts},
                                     {"numbers", kNumbers}};
  return PackFields(fields);
}

bool Holds(Op op, const std::string& name, std::vector<Scalar> operands) {
  return Matches({.op = op, .name = name, .operands = std::move(operands), .children = {}},
                 Packed());
}

TEST(FilterMatches, EqualityIsOfValueAndType) {
  EXPECT_TRUE(Holds(Op::kEqual, "text", {"hello"}));
  EXPECT_FALSE(Holds(Op::kEqual, "text", {"hell"}));
  EXPECT_TRUE(Holds(Op::kEqual, "number", {2.5}));
  EXPECT_FALSE(Holds(Op::kEqual, "number", {"2.5"}));
  EXPECT_TRUE(Holds(Op::kEqual, "flag", {true}));
  EXPECT_FALSE(Holds(Op::kEqual, "flag", {1.0}));
  EXPECT_FALSE(Holds(Op::kEqual, "none", {true}));
}

TEST(FilterMatches, OneElementOfAListIsEnough) {
  EXPECT_TRUE(Holds(Op::kEqual, "texts", {"green"}));
  EXPECT_FALSE(Holds(Op::kEqual, "texts", {"blue"}));
  EXPECT_TRUE(Holds(Op::kGreater, "numbers", {9.0}));
  EXPECT_TRUE(Holds(Op::kLess, "numbers", {2.0}));
  EXPECT_FALSE(Holds(Op::kGreater, "numbers", {10.0}));
  EXPECT_TRUE(Holds(Op::kIn, "texts", {"blue", "red"}));
  EXPECT_TRUE(Holds(Op::kStartsWith, "texts", {"gr"}));
}

TEST(FilterMatches, NegationsAreTheOppositeForAbsentFieldsToo) {
  EXPECT_FALSE(Holds(Op::kNotEqual, "texts", {"green"}));
  EXPECT_TRUE(Holds(Op::kNotEqual, "texts", {"blue"}));
  EXPECT_TRUE(Holds(Op::kNotEqual, "none", {"blue"}));
  EXPECT_FALSE(Holds(Op::kNotIn, "number", {1.0, 2.5}));
  EXPECT_TRUE(Holds(Op::kNotIn, "number", {1.0, 2.0}));
  EXPECT_TRUE(Holds(Op::kNotIn, "none", {1.0}));
}

TEST(FilterMatches, OrderIsOfNumbersOnly) {
  EXPECT_TRUE(Holds(Op::kGreaterOrEqual, "number", {2.5}));
  EXPECT_TRUE(Holds(Op::kLessOrEqual, "number", {2.5}));
  EXPECT_FALSE(Holds(Op::kLess, "number", {2.5}));
  EXPECT_FALSE(Holds(Op::kGreater, "text", {0.0}));
  EXPECT_FALSE(Holds(Op::kLess, "flag", {5.0}));
  EXPECT_FALSE(Holds(Op::kLess, "none", {5.0}));
}

TEST(FilterMatches, ExistenceAndPrefix) {
  EXPECT_TRUE(Holds(Op::kExists, "flag", {true}));
  EXPECT_FALSE(Holds(Op::kExists, "flag", {false}));
  EXPECT_TRUE(Holds(Op::kExists, "none", {false}));
  EXPECT_TRUE(Holds(Op::kStartsWith, "text", {""}));
  EXPECT_TRUE(Holds(Op::kStartsWith, "text", {"hello"}));
  EXPECT_FALSE(Holds(Op::kStartsWith, "text", {"hello!"}));
  EXPECT_FALSE(Holds(Op::kStartsWith, "number", {""}));
}

TEST(FilterMatches, JoinsConditions) {
  const Filter yes{.op = Op::kExists, .name = "text", .operands = {true}, .children = {}};
  const Filter no{.op = Op::kExists, .name = "text", .operands = {false}, .children = {}};
  const auto join = [](Op op, std::vector<Filter> children) {
    return Matches({.op = op, .name = {}, .operands = {}, .children = std::move(children)},
                   Packed());
  };
  EXPECT_TRUE(join(Op::kAnd, {yes, yes}));
  EXPECT_FALSE(join(Op::kAnd, {yes, no}));
  EXPECT_TRUE(join(Op::kOr, {no, yes}));
  EXPECT_FALSE(join(Op::kOr, {no, no}));
}

TEST(FilterMatches, NoFieldsAreARecordToo) {
  EXPECT_TRUE(Matches({.op = Op::kNotEqual, .name = "a", .operands = {1.0}, .children = {}}, ""));
  EXPECT_FALSE(Matches({.op = Op::kEqual, .name = "a", .operands = {1.0}, .children = {}}, ""));
}

TEST(FilteredSearch, FollowsReplacementAndErasure) {
  const auto tagged = [](double tag) {
    const std::vector<ScalarView> values = {tag};
    const std::vector<Field> fields = {{"tag", values}};
    return PackFields(fields);
  };
  FlatIndex index(1, DistanceMetric::kEuclidean);
  for (int i = 0; i < 100; ++i) {
    const float data[] = {static_cast<float>(i)};
    index.Put("k" + std::to_string(i), data, tagged(i % 2));
  }
  const Filter odd{.op = Op::kEqual, .name = "tag", .operands = {1.0}, .children = {}};
  const float query[] = {0};
  const auto keys = [&](size_t count) {
    std::vector<std::string> found;
    for (const Match& match :
         index.Nearest({.query = query, .count_max = count, .after = nullptr, .filter = &odd})) {
      found.push_back(match.key);
    }
    return found;
  };
  EXPECT_EQ(keys(3), (std::vector<std::string>{"k1", "k3", "k5"}));
  const float one[] = {1};
  index.Put("k1", one, tagged(0));
  index.Put("k2", one, tagged(1));
  EXPECT_TRUE(index.Erase("k3"));  // the last vector, k99, moves into its place
  EXPECT_EQ(keys(2), (std::vector<std::string>{"k2", "k5"}));
  EXPECT_EQ(keys(1000).size(), 49U);
  EXPECT_EQ(keys(1000).back(), "k99");
}

}  // namespace
}  // namespace vecload::search
