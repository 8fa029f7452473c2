// Goal: flat objects are read as they stand, and nothing else is. Method: JSON by hand.

#include "wire/flat_object.h"

#include <gtest/gtest.h>

namespace vecload::wire {
namespace {

using Members = std::map<std::string, FlatValue>;

TEST(ReadFlatObject, ReadsNumbersAndStrings) {
  const auto members = ReadFlatObject(R"( {"a":1,"b":-2.5e3,"c":"x\"\u00e4","d":null,"a":3} )");
  ASSERT_TRUE(members.ok());
  EXPECT_EQ(*members, (Members{{"a", 3.0}, {"b", -2500.0}, {"c", std::string("x\"ä")}}));
  const auto nothing = ReadFlatObject("");
  ASSERT_TRUE(nothing.ok());
  EXPECT_TRUE(nothing->empty());
}

TEST(ReadFlatObject, RefusesAllElse) {
  for (const char* body : {R"({"a":[1]})", R"({"a":{}})", R"({"a":true})", R"({"a":1)", "[1]", "1",
                           R"({"a":1e999})", R"({"a":"\ud800"})", R"({"a":1}{})"}) {
    EXPECT_FALSE(ReadFlatObject(body).ok()) << body;
  }
}

}  // namespace
}  // namespace vecload::wire
