// Goal: metadata is judged and counted as the service does, to the byte. Method: the limits probed
// on the live service as examples (longest value accepted, and one more), and each type rule.

#include "wire/metadata.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace vecload::wire {
namespace {

const std::vector<std::string> kBulk = {"bulk"};

struct Outcome {
  MetadataFault fault;
  std::string text;
  uint32_t bytes = 0;
  uint32_t filterable_bytes = 0;
  uint32_t keys = 0;
};

Outcome Read(const std::string& json) {
  MetadataMeter meter(kBulk);
  Outcome outcome;
  outcome.fault = ReadMetadata(json, &meter, &outcome.text);
  outcome.bytes = meter.bytes();
  outcome.filterable_bytes = meter.filterable_bytes();
  outcome.keys = meter.keys();
  return outcome;
}

std::string OneString(const std::string& key, size_t length, const std::string& character = "x") {
  std::string json = "{\"" + key + "\":\"";
  for (size_t i = 0; i < length; ++i) json += character;
  return json + "\"}";
}

RejectRule RuleOf(const std::string& json) { return Read(json).fault.rule; }

TEST(Metadata, TheFilterableLimitIsByteExact) {
  // Longest values that the live service accepted.
  EXPECT_EQ(RuleOf(OneString("f", 2035)), RejectRule::kNone);
  EXPECT_EQ(Read(OneString("f", 2035)).filterable_bytes, 2048U);
  EXPECT_EQ(RuleOf(OneString("f", 2036)), RejectRule::kMetadataFilterableBytes);
  EXPECT_EQ(RuleOf(OneString("ffffffffff", 2026)), RejectRule::kNone);
  EXPECT_EQ(RuleOf(OneString("ffffffffff", 2027)), RejectRule::kMetadataFilterableBytes);
  EXPECT_EQ(RuleOf(OneString("f", 1017, "é")), RejectRule::kNone);
  EXPECT_EQ(RuleOf(OneString("f", 1018, "é")), RejectRule::kMetadataFilterableBytes);
  // Counted as the text that the escapes stand for.
  EXPECT_EQ(RuleOf(OneString("f", 2035, "\\n")), RejectRule::kNone);
  EXPECT_EQ(RuleOf(OneString("f", 2036, "\\n")), RejectRule::kMetadataFilterableBytes);
  EXPECT_EQ(Read(OneString("f", 2036)).fault.message,
            "Filterable metadata must have at most 2048 bytes");
}

TEST(Metadata, TheTotalLimitIsByteExact) {
  EXPECT_EQ(RuleOf(OneString("bulk", 40944)), RejectRule::kNone);
  EXPECT_EQ(Read(OneString("bulk", 40944)).bytes, 40960U);
  EXPECT_EQ(Read(OneString("bulk", 40944)).filterable_bytes, 4U);
  EXPECT_EQ(RuleOf(OneString("bulk", 40945)), RejectRule::kMetadataBytes);
  EXPECT_EQ(Read(OneString("bulk", 40945)).fault.message,
            "Metadata object must have at most 40960 bytes");
  EXPECT_EQ(RuleOf(OneString("bulk", 2'000'000)), RejectRule::kMetadataBytes);
}

TEST(Metadata, EveryTypeHasItsSize) {
  EXPECT_EQ(Read("{}").bytes, 4U);
  EXPECT_EQ(Read(R"({"a":"xyz"})").bytes, 4U + 8 + 1 + 3);
  EXPECT_EQ(Read(R"({"a":123456789.5})").bytes, 4U + 8 + 1 + 4);
  EXPECT_EQ(Read(R"({"a":true,"b":false})").bytes, 4U + 9 + 9);
  EXPECT_EQ(Read(R"({"a":["x","yz"]})").bytes, 4U + 9 + (4 + 1) + (4 + 2));
  EXPECT_EQ(Read(R"({"a":[1,2,3]})").bytes, 4U + 9 + 3 * 8);
  EXPECT_EQ(Read(R"({"":1})").bytes, 4U + 8 + 4);
  EXPECT_EQ(Read(R"({"a":1,"bulk":"xyz"})").filterable_bytes, 4U + 8 + 1 + 4);
  EXPECT_EQ(Read(R"({"a":1,"bulk":"xyz"})").bytes, 4U + 8 + 1 + 4 + 8 + 4 + 3);
}

TEST(Metadata, AtMostFiftyKeys) {
  const auto keys = [](int count) {
    std::string json = "{";
    for (int i = 0; i < count; ++i) json += (i > 0 ? ",\"k" : "\"k") + std::to_string(i) + "\":1";
    return json + "}";
  };
  EXPECT_EQ(RuleOf(keys(50)), RejectRule::kNone);
  EXPECT_EQ(Read(keys(50)).keys, 50U);
  EXPECT_EQ(RuleOf(keys(51)), RejectRule::kMetadataKeys);
  EXPECT_EQ(RuleOf(keys(50'000)), RejectRule::kMetadataKeys);
  EXPECT_EQ(Read(keys(51)).fault.message, "Metadata object must have at most 50 keys");
}

TEST(Metadata, ValuesOfOtherTypesAreRefusedInTheServicesWords) {
  const std::string values = "Metadata values must be strings, numbers, booleans, or arrays";
  const std::string arrays = "Metadata array values must be strings or numbers";
  const std::pair<std::string, std::string> cases[] = {
      {"null", values},
      {R"({"b":1})", values},
      {"{}", values},
      {"[true]", arrays},
      {"[null]", arrays},
      {"[[1]]", arrays},
      {R"([{"a":1}])", arrays},
      {"[]", "Empty arrays are not allowed in metadata"},
      {R"([1,"x"])", "Metadata array values must all be strings or all be numbers"}};
  for (const auto& [value, message] : cases) {
    for (const std::string key : {"a", "bulk"}) {
      const Outcome outcome =
          Read(std::string("{\"").append(key).append("\":").append(value) + "}");
      EXPECT_EQ(outcome.fault.rule, RejectRule::kMetadataType) << value;
      EXPECT_EQ(outcome.fault.message, message) << value;
      EXPECT_EQ(outcome.text, "") << value;
    }
  }
}

TEST(Metadata, AnyKeyNameIsTaken) {
  for (const std::string& key : {std::string(), std::string("$eq"), std::string("a.b"),
                                 std::string("ключ"), std::string(1024, 'k')}) {
    EXPECT_EQ(RuleOf("{\"" + key + "\":1}"), RejectRule::kNone) << key;
  }
}

TEST(Metadata, WhatIsNoJsonObjectIsNamedSo) {
  for (const std::string json : {"",
                                 " ",
                                 "null",
                                 "1",
                                 "\"x\"",
                                 "[1]",
                                 "{",
                                 "{]",
                                 "{\"a\":1",
                                 "{\"a\":1}}",
                                 "{\"a\":1} {}",
                                 "{\"a\" 1}",
                                 "{\"a\":1,}",
                                 "{a:1}",
                                 "{\"a\":tru}",
                                 "{\"a\":01}",
                                 "{\"a\":1e999}",
                                 "{\"a\":\"\xff\"}",
                                 R"({"a":"\ud800"})",
                                 R"({"\udc00":1})",
                                 R"({"a":["\ud800"]})",
                                 R"({"a":"\x"})",
                                 "{\"a\":\"b\nc\"}"}) {
    EXPECT_EQ(RuleOf(json), RejectRule::kMetadataJson) << json;
  }
}

TEST(Metadata, TextIsCanonicalAndNumbersStayAsWritten) {
  EXPECT_EQ(
      Read(" { \"b\" : 1.50 , \"a\" : [ 1e2 , -0.0 , 12345678901234567890 ] , \"c\" : true } ")
          .text,
      R"({"b":1.50,"a":[1e2,-0.0,12345678901234567890],"c":true})");
  EXPECT_EQ(Read(R"({"\u0061":"\u00e9\/\u0001\"\ud83d\ude00"})").text, R"({"a":"é/\u0001\"😀"})");
}

TEST(Metadata, AKeyGivenTwiceCountsOnceAndTheLaterValueWins) {
  const Outcome outcome = Read(R"({"a":"long text","b":1,"\u0061":"x"})");
  EXPECT_EQ(outcome.fault.rule, RejectRule::kNone);
  EXPECT_EQ(outcome.text, R"({"a":"x","b":1})");
  EXPECT_EQ(outcome.keys, 2U);
  EXPECT_EQ(outcome.bytes, 4U + 8 + 1 + 1 + 8 + 1 + 4);
}

TEST(Metadata, AppendsAndLeavesNothingBehindOnAFault) {
  MetadataMeter meter({});
  std::string out = "before";
  EXPECT_EQ(ReadMetadata(R"({"a":1})", &meter, &out).rule, RejectRule::kNone);
  EXPECT_EQ(out, R"(before{"a":1})");
  EXPECT_NE(ReadMetadata(OneString("f", 3000), &meter, &out).rule, RejectRule::kNone);
  EXPECT_EQ(out, R"(before{"a":1})");
}

}  // namespace
}  // namespace vecload::wire
