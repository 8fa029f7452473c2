// Goal: exactly the filters of the service's language are read, and metadata as fields for them.
// Method: JSON text in; the tree, or nothing, out. What a filter means is search/filter_test.cc's.
#include "wire/filter.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "wire/fields.h"

namespace vecload::wire {
namespace {

using testing::ElementsAre;
using Op = Filter::Op;

bool IsValid(const std::string& json) { return ParseFilter(json, {}).has_value(); }

TEST(ParseFilter, TakesTheLanguageOfTheService) {
  for (const char* json :
       {R"({"a":"x"})", R"({"a":-1.5e3})", R"({"a":false})", R"({"":""})", R"({"a.b c":1})",
        R"({"a":{"$eq":"x"}})", R"({"a":{"$ne":true}})", R"({"a":{"$gt":1,"$lte":2}})",
        R"({"a":{"$in":["x",1,true]}})", R"({"a":{"$nin":[1]}})", R"({"a":{"$exists":false}})",
        R"({"a":{"$startsWith":""}})", R"({"$and":[{"a":1}]})",
        R"({"$or":[{"a":1},{"$and":[{"b":2},{"c":3}]}],"d":4})", " { \"a\" : 1 } "}) {
    EXPECT_TRUE(IsValid(json)) << json;
  }
}

TEST(ParseFilter, RefusesWhatIsNotOfIt) {
  for (const char* json : {"",
                           "{",
                           "[]",
                           "1",
                           "{}",
                           R"({"a":null})",
                           R"({"a":[1]})",
                           R"({"a":{}})",
                           R"({"a":{"b":1}})",
                           R"({"a":{"$eg":1}})",
                           R"({"a":{"$eq":[1]}})",
                           R"({"a":{"$eq":{}}})",
                           R"({"a":{"$eq":null}})",
                           R"({"a":{"$gt":"1"}})",
                           R"({"a":{"$lte":true}})",
                           R"({"a":{"$in":[]}})",
                           R"({"a":{"$in":1}})",
                           R"({"a":{"$in":[[1]]}})",
                           R"({"a":{"$nin":[null]}})",
                           R"({"a":{"$exists":1}})",
                           R"({"a":{"$startsWith":1}})",
                           R"({"a":{"$and":[{"b":1}]}})",
                           R"({"$eq":1})",
                           R"({"$not":{"a":1}})",
                           R"({"$and":[]})",
                           R"({"$or":{}})",
                           R"({"$or":[1]})",
                           R"({"$and":[{}]})",
                           R"({"a":1} x)",
                           R"({"a":1e999})",
                           R"({"a":1,"b":{"$x":1}})"}) {
    EXPECT_FALSE(IsValid(json)) << json;
  }
}

TEST(ParseFilter, KeepsTheRulesOfTheIndex) {
  const std::vector<std::string> raw = {"raw"};
  EXPECT_FALSE(ParseFilter(R"({"$or":[{"a":1},{"raw":1}]})", {.non_filterable_keys = raw}));
  EXPECT_TRUE(ParseFilter(R"({"a":"raw"})", {.non_filterable_keys = raw}));
  EXPECT_FALSE(ParseFilter(R"({"a":{"$startsWith":"x"}})", {.starts_with = false}));
}

TEST(ParseFilter, HasBounds) {
  const auto conditions = [](int count) {
    std::string json = "{\"$or\":[";
    for (int i = 0; i < count; ++i)
      json += (i > 0 ? ",{\"a\":" : "{\"a\":") + std::to_string(i) + "}";
    return json + "]}";
  };
  EXPECT_TRUE(IsValid(conditions(100)));
  EXPECT_FALSE(IsValid(conditions(101)));
  const auto nested = [](int depth) {
    std::string json;
    for (int i = 0; i < depth; ++i) json += "{\"$and\":[";
    json += R"({"a":1})";
    for (int i = 0; i < depth; ++i) json += "]}";
    return json;
  };
  EXPECT_TRUE(IsValid(nested(60)));
  EXPECT_FALSE(IsValid(nested(100'000)));
}

TEST(ParseFilter, MakesATree) {
  const auto filter =
      ParseFilter(R"({"a":{"$gte":1,"$lt":5},"$or":[{"b":"x"},{"c":{"$in":[3,1]}}]})", {});
  ASSERT_TRUE(filter.has_value());
  EXPECT_EQ(filter->op, Op::kAnd);
  ASSERT_EQ(filter->children.size(), 3U);
  EXPECT_EQ(filter->children[0].op, Op::kGreaterOrEqual);
  EXPECT_EQ(filter->children[0].name, "a");
  EXPECT_EQ(filter->children[1].op, Op::kLess);
  const Filter& either = filter->children[2];
  EXPECT_EQ(either.op, Op::kOr);
  ASSERT_EQ(either.children.size(), 2U);
  EXPECT_EQ(either.children[0].op, Op::kEqual);
  EXPECT_EQ(either.children[1].op, Op::kIn);
  EXPECT_THAT(either.children[1].operands, ElementsAre(Scalar(1.0), Scalar(3.0))) << "sorted";
}

TEST(FieldReader, ReadsTypedValuesAndLeavesOutWhatCannotBeFiltered) {
  const std::vector<std::string> raw = {"raw"};
  FieldReader reader(raw);
  const auto fields =
      reader.Read(R"({"s":"a\"b","raw":[1],"n":-2.5,"t":true,"list":["x","y"],"numbers":[1,2]})");
  ASSERT_TRUE(fields.ok());
  ASSERT_EQ(fields->size(), 5U);
  EXPECT_EQ((*fields)[0].name, "s");
  EXPECT_THAT((*fields)[0].values, ElementsAre(ScalarView(std::string_view("a\"b"))));
  EXPECT_THAT((*fields)[1].values, ElementsAre(ScalarView(-2.5)));
  EXPECT_THAT((*fields)[2].values, ElementsAre(ScalarView(true)));
  EXPECT_THAT((*fields)[3].values,
              ElementsAre(ScalarView(std::string_view("x")), ScalarView(std::string_view("y"))));
  EXPECT_EQ((*fields)[4].values.size(), 2U);
  EXPECT_TRUE(reader.Read("")->empty());
  EXPECT_TRUE(reader.Read("{}")->empty());
  for (const char* damaged : {"{", "[]", R"({"a":null})", R"({"a":{"b":1}})"}) {
    EXPECT_EQ(reader.Read(damaged).status().code(), Code::kCorrupt) << damaged;
  }
}

}  // namespace
}  // namespace vecload::wire
