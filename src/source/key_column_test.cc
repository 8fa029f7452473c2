// Goal: every type of the key column gives the text that the user would write.
// Method: arrays built by Arrow, sliced, and read back.
#include "source/key_column.h"

#include <arrow/builder.h>
#include <arrow/extension/uuid.h>
#include <gtest/gtest.h>

#include "source/testing_files.h"

namespace vecload::source {
namespace {

using testing::FromJson;

std::string Keys(const arrow::Array& column) {
  static const KeyColumn reader("k");
  std::vector<SourceRow> rows(static_cast<size_t>(column.length()));
  std::string made;
  reader.Read(column, rows, &made);
  std::string text;
  for (const SourceRow& row : rows) {
    text += row.fault == RejectRule::kNone ? std::string(row.key)
                                           : std::string(RejectRuleName(row.fault));
    text += '|';
  }
  return text;
}

TEST(KeyColumn, ReadsTextOfEveryKind) {
  for (const auto& type : {arrow::utf8(), arrow::large_utf8(), arrow::utf8_view(), arrow::binary(),
                           arrow::large_binary(), arrow::binary_view(),
                           arrow::dictionary(arrow::int8(), arrow::utf8())}) {
    SCOPED_TRACE(type->ToString());
    EXPECT_TRUE(CanBeKey(*type));
    const auto column =
        FromJson(type, R"(["no", "a", null, "", "a long key of thirty characters"])");
    EXPECT_EQ(Keys(*column->Slice(1)), "a|key_missing||a long key of thirty characters|");
  }
}

TEST(KeyColumn, ReadsIntegersAsDecimalText) {
  EXPECT_EQ(Keys(*FromJson(arrow::int64(), "[-9223372036854775808, 0, null, 9007199254740993]")),
            "-9223372036854775808|0|key_missing|9007199254740993|");
  EXPECT_EQ(Keys(*FromJson(arrow::uint64(), "[18446744073709551615]")), "18446744073709551615|");
  EXPECT_EQ(Keys(*FromJson(arrow::int8(), "[-128]")), "-128|");
  EXPECT_EQ(Keys(*FromJson(arrow::uint8(), "[255]")), "255|");
}

TEST(KeyColumn, ReadsUuidsInTheirCanonicalForm) {
  arrow::FixedSizeBinaryBuilder builder(arrow::fixed_size_binary(16));
  ASSERT_TRUE(
      builder.Append("\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89\xab\xcd\xef").ok());
  ASSERT_TRUE(builder.AppendNull().ok());
  const auto bytes = builder.Finish().ValueOrDie();
  EXPECT_EQ(Keys(*bytes), "01234567-89ab-cdef-0123-456789abcdef|key_missing|");
  const auto uuids = arrow::ExtensionType::WrapArray(arrow::extension::uuid(), bytes);
  EXPECT_TRUE(CanBeKey(*uuids->type()));
  EXPECT_EQ(Keys(*uuids), "01234567-89ab-cdef-0123-456789abcdef|key_missing|");
}

TEST(KeyColumn, BytesThatAreNotUtf8AreAFaultAndAreGivenAsTheyAre) {
  arrow::BinaryBuilder builder;
  ASSERT_TRUE(builder.Append("\xff\xfe").ok());
  const auto column = builder.Finish().ValueOrDie();
  std::vector<SourceRow> rows(1);
  std::string made;
  EXPECT_TRUE(KeyColumn("k").Read(*column, rows, &made));
  EXPECT_EQ(rows[0].fault, RejectRule::kKeyNotUtf8);
  EXPECT_EQ(rows[0].key, "\xff\xfe");
}

TEST(KeyColumn, NamesOfKeyColumns) {
  EXPECT_TRUE(IsKeyName("ID"));
  EXPECT_TRUE(IsKeyName("doc_id"));
  EXPECT_FALSE(IsKeyName("name"));
  EXPECT_FALSE(CanBeKey(*arrow::float64()));
  EXPECT_FALSE(CanBeKey(*arrow::boolean()));
}

}  // namespace
}  // namespace vecload::source
