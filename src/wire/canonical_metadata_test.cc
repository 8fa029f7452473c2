// Goal: two texts have the same canonical bytes exactly where they mean the same metadata.
// Method: pairs of texts, those that mean the same and those that nearly do.
#include "wire/canonical_metadata.h"

#include <gtest/gtest.h>

namespace vecload::wire {
namespace {

std::string Canonical(std::string_view json, bool as_float32 = false) {
  std::string out;
  AppendCanonicalMetadata(json, as_float32, &out);
  return out;
}

TEST(CanonicalMetadata, IsTheSameHoweverTheSameThingIsWritten) {
  EXPECT_EQ(Canonical(""), Canonical(" { } "));
  EXPECT_EQ(Canonical(R"({"b":1,"a":"x"})"), Canonical(R"({ "a": "\u0078", "b": 1.0e0 })"));
  EXPECT_EQ(Canonical(R"({"a":-0.0,"l":[1,2]})"), Canonical(R"({"l":[1.0,2],"a":0})"));
  EXPECT_EQ(Canonical(R"({"a":1,"a":2})"), Canonical(R"({"a":2})"));
}

TEST(CanonicalMetadata, DiffersWhereTheMeaningDoes) {
  const auto differ = [](std::string_view left, std::string_view right) {
    EXPECT_NE(Canonical(left), Canonical(right)) << left << " and " << right;
  };
  differ(R"({"a":1})", R"({"a":"1"})");
  differ(R"({"a":true})", R"({"a":false})");
  differ(R"({"a":[1,2]})", R"({"a":[2,1]})");
  differ(R"({"a":["b","c"]})", R"({"a":["bc"]})");
  differ(R"({"a":"b","c":"d"})", R"({"a":"d","c":"b"})");
  differ(R"({"a":1})", "");
  differ("{broken", "{broken too");
  differ("{broken", "");
}

TEST(CanonicalMetadata, ComparesNumbersAsFloat32WhereAsked) {
  constexpr std::string_view kDouble = R"({"a":0.1})";
  constexpr std::string_view kFloat = R"({"a":0.10000000149011612})";
  EXPECT_NE(Canonical(kDouble), Canonical(kFloat));
  EXPECT_EQ(Canonical(kDouble, true), Canonical(kFloat, true));
}

}  // namespace
}  // namespace vecload::wire
