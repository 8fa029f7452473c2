// Goal: every value of a metadata object is handed over as what it is, and a text that is no
// metadata is refused. Method: members are written down as text and compared.
#include "wire/metadata_values.h"

#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace vecload::wire {
namespace {

// "key=string:x ..." of what was handed over, or "refused".
std::string Values(std::string_view json) {
  using Kind = MetadataValue::Kind;
  std::string text;
  const bool read = ReadMetadataValues(json, [&](std::string_view key, const MetadataValue& value) {
    text += fmt::format("{}=", key);
    if (value.kind == Kind::kString) text += fmt::format("string:{} ", value.text);
    if (value.kind == Kind::kNumber) text += fmt::format("number:{} ", value.number);
    if (value.kind == Kind::kBool) text += fmt::format("bool:{} ", value.flag);
    for (const double number : value.numbers) text += fmt::format("n{} ", number);
    for (const std::string_view item : value.texts) text += fmt::format("t{} ", item);
  });
  return read ? text : "refused";
}

TEST(MetadataValues, ComeAsWhatTheyAre) {
  EXPECT_EQ(Values(R"({"s":"\u00e9\n", "n":1.50, "b":true, "l":[1,2], "t":["x","y"]})"),
            "s=string:\u00e9\n n=number:1.5 b=bool:true l=n1 n2 t=tx ty ");
  EXPECT_EQ(Values(R"({"a.b":-0.0,"":1e300})"), "a.b=number:-0 =number:1e+300 ");
}

TEST(MetadataValues, NothingIsAnEmptyObject) {
  EXPECT_EQ(Values(""), "");
  EXPECT_EQ(Values(" { } "), "");
}

TEST(MetadataValues, RefusesWhatIsNoMetadata) {
  for (const char* json : {"[]", "{", R"({"a":null})", R"({"a":{"b":1}})", R"({"a":[]})",
                           R"({"a":[1,"x"]})", R"({"a":[true]})", R"({"a":[[1]]})", "{} x"}) {
    EXPECT_EQ(Values(json), "refused") << json;
  }
}

}  // namespace
}  // namespace vecload::wire
