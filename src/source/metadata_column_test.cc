// Goal: every type that S3 Vectors can hold becomes the JSON and the size that the service counts;
// what it cannot hold is refused before any row is read, or is one row's fault.
// Method: one column at a time, built by Arrow, written row by row.
#include "source/metadata_column.h"

#include <arrow/builder.h>
#include <arrow/extension/uuid.h>
#include <gtest/gtest.h>

#include "source/testing_files.h"

namespace vecload::source {
namespace {

using testing::FromJson;

struct Written {
  std::string text;  // the rows, or their faults, one after the other
  uint32_t bytes = 0;
  uint32_t filterable_bytes = 0;
  uint32_t keys = 0;
  std::string problem;
};

Written Write(const std::shared_ptr<arrow::Array>& values,
              const std::vector<std::string>& non_filterable = {}) {
  wire::MetadataMeter meter(non_filterable);
  const auto column = PlanMetadataColumn(*arrow::field("m", values->type()), meter);
  if (!column.ok()) return {.text = column.status().ToString(), .problem = {}};
  Written written;
  std::string out;
  MetadataRow row(&meter, &out);
  for (int64_t i = 0; i < values->length(); ++i) {
    out.clear();
    row.Begin();
    row.Add(*column, *values, i);
    row.End();
    if (row.fault() != RejectRule::kNone) {
      EXPECT_EQ(out, "");
      out = RejectRuleName(row.fault());
      written.problem = row.problem();
    }
    written.text += out + "|";
  }
  written.bytes = meter.bytes();
  written.filterable_bytes = meter.filterable_bytes();
  written.keys = meter.keys();
  return written;
}

std::string Text(const std::shared_ptr<arrow::DataType>& type, const std::string& json) {
  return Write(FromJson(type, json)).text;
}

TEST(MetadataColumn, WritesStrings) {
  for (const auto& type : {arrow::utf8(), arrow::large_utf8(), arrow::utf8_view(),
                           arrow::dictionary(arrow::int16(), arrow::utf8())}) {
    EXPECT_EQ(Text(type, R"(["a\"b", null, ""])"), R"({"m":"a\"b"}||{"m":""}|)");
  }
}

TEST(MetadataColumn, WritesNumbersAndBools) {
  EXPECT_EQ(Text(arrow::int32(), "[-5, null]"), R"({"m":-5}||)");
  EXPECT_EQ(Text(arrow::uint64(), "[9007199254740992]"), R"({"m":9007199254740992}|)");
  EXPECT_EQ(Text(arrow::float32(), "[0.1]"), R"({"m":0.1}|)");
  EXPECT_EQ(Text(arrow::float64(), "[0.1, 2020]"), R"({"m":0.1}|{"m":2020}|)");
  EXPECT_EQ(Text(arrow::float16(), "[0.1]"), R"({"m":0.1}|)");
  EXPECT_EQ(Text(arrow::boolean(), "[true, false, null]"), R"({"m":true}|{"m":false}||)");
  for (const auto& type : {arrow::decimal32(5, 2), arrow::decimal64(5, 2), arrow::decimal128(5, 2),
                           arrow::decimal256(5, 2)}) {
    EXPECT_EQ(Text(type, R"(["12.30", "-0.05"])"), R"({"m":12.30}|{"m":-0.05}|)");
  }
}

TEST(MetadataColumn, WritesDatesAndTimes) {
  EXPECT_EQ(Text(arrow::date32(), "[19782]"), R"({"m":"2024-02-29"}|)");
  EXPECT_EQ(Text(arrow::date64(), "[-86400000]"), R"({"m":"1969-12-31"}|)");
  EXPECT_EQ(Text(arrow::timestamp(arrow::TimeUnit::MILLI, "Europe/Berlin"), "[1709209800250]"),
            R"({"m":"2024-02-29T12:30:00.250Z"}|)");
  EXPECT_EQ(Text(arrow::timestamp(arrow::TimeUnit::SECOND), "[0]"),
            R"({"m":"1970-01-01T00:00:00Z"}|)");
  EXPECT_EQ(Text(arrow::time64(arrow::TimeUnit::MICRO), "[45000000000]"), R"({"m":"12:30:00"}|)");
  EXPECT_EQ(Text(arrow::timestamp(arrow::TimeUnit::SECOND), "[253402300800]"), "metadata_type|");
}

TEST(MetadataColumn, WritesUuids) {
  arrow::FixedSizeBinaryBuilder builder(arrow::fixed_size_binary(16));
  ASSERT_TRUE(builder.Append("0123456789abcdef").ok());
  const auto uuids =
      arrow::ExtensionType::WrapArray(arrow::extension::uuid(), builder.Finish().ValueOrDie());
  EXPECT_EQ(Write(uuids).text, R"({"m":"30313233-3435-3637-3839-616263646566"}|)");
}

TEST(MetadataColumn, WritesListsAndLeavesOutWhatIsEmpty) {
  for (const auto& type : {arrow::list(arrow::utf8()), arrow::large_list(arrow::utf8()),
                           arrow::list(arrow::dictionary(arrow::int8(), arrow::utf8()))}) {
    const auto values =
        FromJson(type, R"([["no"], ["a", "b"], [], null, [null], [null, "c", null]])");
    EXPECT_EQ(Write(values->Slice(1)).text, R"({"m":["a","b"]}||||{"m":["c"]}|)");
  }
  EXPECT_EQ(Text(arrow::fixed_size_list(arrow::int64(), 2), "[[1, 2], null, [3, 4]]"),
            R"({"m":[1,2]}||{"m":[3,4]}|)");
  EXPECT_EQ(Text(arrow::list(arrow::null()), "[[null], []]"), "||");
}

TEST(MetadataColumn, FlattensStructsWithDots) {
  const auto inner = arrow::struct_({arrow::field("c", arrow::boolean())});
  const auto type = arrow::struct_({arrow::field("a", arrow::int64()), arrow::field("b", inner)});
  const auto values = FromJson(
      type,
      R"([{"a": 9, "b": {"c": true}}, {"a": 1, "b": {"c": true}}, null, {"a": 2, "b": null}])");
  EXPECT_EQ(Write(values->Slice(1)).text, R"({"m.a":1,"m.b.c":true}||{"m.a":2}|)");
}

TEST(MetadataColumn, CountsAsTheServiceDoes) {
  // 4 + (8 + key + value); an array's elements count 4 more each.
  EXPECT_EQ(Write(FromJson(arrow::utf8(), R"(["\"ü"])")).bytes, 4u + 8 + 1 + 3);
  EXPECT_EQ(Write(FromJson(arrow::int8(), "[100]")).bytes, 4u + 8 + 1 + 4);
  EXPECT_EQ(Write(FromJson(arrow::boolean(), "[true]")).bytes, 4u + 8 + 1);
  EXPECT_EQ(Write(FromJson(arrow::list(arrow::utf8()), R"([["ab", "c"]])")).bytes,
            4u + 8 + 1 + (4 + 2) + (4 + 1));
  EXPECT_EQ(Write(FromJson(arrow::date32(), "[0]")).bytes, 4u + 8 + 1 + 10);
  const Written hidden = Write(FromJson(arrow::utf8(), R"(["abc"])"), {"m"});
  EXPECT_EQ(hidden.bytes, 4u + 8 + 1 + 3);
  EXPECT_EQ(hidden.filterable_bytes, 4u);
  EXPECT_EQ(hidden.keys, 1u);
}

TEST(MetadataColumn, WhatJsonOrADoubleCannotHoldIsAFaultOfTheRow) {
  const Written integer = Write(FromJson(arrow::int64(), "[1, 9007199254740993]"));
  EXPECT_EQ(integer.text, R"({"m":1}|metadata_integer_range|)");
  EXPECT_EQ(integer.problem,
            "column \"m\": an integer that a double cannot hold exactly; store it as text");
  EXPECT_EQ(Text(arrow::decimal128(38, 0), R"(["12345678901234567890123"])"),
            "metadata_integer_range|");
  EXPECT_EQ(Text(arrow::float64(), "[NaN, Inf, 1]"), R"(metadata_type|metadata_type|{"m":1}|)");
  EXPECT_EQ(Text(arrow::list(arrow::float32()), "[[1, NaN]]"), "metadata_type|");
  arrow::StringBuilder builder;
  ASSERT_TRUE(builder.Append("\xc3(").ok());
  EXPECT_EQ(Write(builder.Finish().ValueOrDie()).text, "metadata_type|");
}

TEST(MetadataColumn, RefusesTypesThatTheServiceHasNot) {
  const auto& text = arrow::utf8();
  for (const auto& type :
       {arrow::binary(), arrow::map(text, text), arrow::list(arrow::list(text)),
        arrow::list(arrow::boolean()), arrow::list(arrow::struct_({arrow::field("x", text)})),
        arrow::duration(arrow::TimeUnit::SECOND), arrow::decimal128(5, 100)}) {
    const wire::MetadataMeter meter({});
    const auto column = PlanMetadataColumn(*arrow::field("m", type), meter);
    ASSERT_FALSE(column.ok()) << type->ToString();
    EXPECT_EQ(column.status().code(), Code::kInvalidArgument);
    EXPECT_NE(column.status().message().find("\"m\" of type " + type->ToString()),
              std::string::npos);
    EXPECT_NE(column.status().message().find("--metadata-json"), std::string::npos);
  }
  const wire::MetadataMeter meter({});
  const auto nested = PlanMetadataColumn(
      *arrow::field("m", arrow::struct_({arrow::field("x", arrow::binary())})), meter);
  EXPECT_NE(nested.status().message().find("\"m.x\""), std::string::npos);
}

}  // namespace
}  // namespace vecload::source
