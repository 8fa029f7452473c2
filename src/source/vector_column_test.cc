// Goal: every type of the vector column gives the same floats, float32 without a copy, and nulls
// and slices stay where they are. Method: arrays built by Arrow, sliced, and read back.
#include "source/vector_column.h"

#include <bit>
#include <cmath>
#include <cstring>

#include <arrow/builder.h>
#include <arrow/extension/fixed_shape_tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "source/testing_files.h"

namespace vecload::source {
namespace {

using ::testing::ElementsAre;
using testing::FromJson;
using ::testing::IsEmpty;

struct Vectors {
  std::vector<SourceRow> rows;
  std::vector<float> converted;
  bool in_column = false;

  [[nodiscard]] std::vector<float> At(size_t i) const {
    return {rows[i].vector.begin(), rows[i].vector.end()};
  }
};

Vectors Read(const arrow::Array& column) {
  static const VectorColumn reader("v");
  Vectors vectors;
  vectors.rows.resize(static_cast<size_t>(column.length()));
  vectors.in_column = reader.Read(column, vectors.rows, &vectors.converted);
  return vectors;
}

TEST(VectorColumn, ReadsEveryElementTypeInEveryList) {
  for (const auto& element : {arrow::float16(), arrow::float32(), arrow::float64(), arrow::int8(),
                              arrow::int16(), arrow::int32(), arrow::int64(), arrow::uint8(),
                              arrow::uint16(), arrow::uint32(), arrow::uint64()}) {
    for (const auto& type :
         {arrow::fixed_size_list(element, 2), arrow::list(element), arrow::large_list(element)}) {
      SCOPED_TRACE(type->ToString());
      const auto whole = FromJson(type, "[[9, 9], [1, 2], null, [3, 4], [5, 6]]");
      const auto column = whole->Slice(1, 3);
      const Vectors vectors = Read(*column);
      EXPECT_THAT(vectors.At(0), ElementsAre(1, 2));
      EXPECT_THAT(vectors.At(1), IsEmpty());
      EXPECT_THAT(vectors.At(2), ElementsAre(3, 4));
      EXPECT_EQ(vectors.rows[0].fault, RejectRule::kNone);
      EXPECT_EQ(vectors.rows[1].fault, RejectRule::kVectorMissing);
      EXPECT_EQ(vectors.rows[1].fault_detail, "column \"v\": the vector is null");
      EXPECT_EQ(vectors.in_column, element->id() == arrow::Type::FLOAT);
    }
  }
}

TEST(VectorColumn, Float32IsNotCopied) {
  const auto column = FromJson(arrow::fixed_size_list(arrow::float32(), 2), "[[1, 2], [3, 4]]");
  const auto& list = static_cast<const arrow::FixedSizeListArray&>(*column);
  const auto& values = static_cast<const arrow::FloatArray&>(*list.values());
  const Vectors vectors = Read(*column->Slice(1, 1));
  EXPECT_EQ(vectors.rows[0].vector.data(), values.raw_values() + 2);
  EXPECT_TRUE(vectors.converted.empty());
}

TEST(VectorColumn, ANullElementIsAFaultOfItsRowAlone) {
  for (const auto& element : {arrow::float32(), arrow::float64()}) {
    const auto column = FromJson(arrow::list(element), "[[1, 2], [3, null], [5, 6]]");
    const Vectors vectors = Read(*column);
    EXPECT_THAT(vectors.At(0), ElementsAre(1, 2));
    EXPECT_EQ(vectors.rows[1].fault, RejectRule::kVectorMissing);
    EXPECT_EQ(vectors.rows[1].fault_detail, "column \"v\": an element of the vector is null");
    EXPECT_THAT(vectors.At(2), ElementsAre(5, 6));
  }
}

TEST(VectorColumn, LengthsMayDiffer) {
  const auto column = FromJson(arrow::list(arrow::int64()), "[[1], [], [2, 3]]");
  const Vectors vectors = Read(*column);
  EXPECT_THAT(vectors.At(0), ElementsAre(1));
  EXPECT_THAT(vectors.At(1), IsEmpty());
  EXPECT_THAT(vectors.At(2), ElementsAre(2, 3));
  EXPECT_EQ(vectors.rows[1].fault, RejectRule::kNone);
}

TEST(VectorColumn, RoundsToTheNearestFloat32) {
  // 2^24 + 1 lies between two floats; the tie goes to the even one. 1e39 has none.
  const auto doubles = FromJson(arrow::list(arrow::float64()), "[[0.1, 1e39, -1e39, 16777217]]");
  const Vectors vectors = Read(*doubles);
  EXPECT_EQ(vectors.At(0)[0], 0.1f);
  EXPECT_EQ(vectors.At(0)[1], HUGE_VALF);
  EXPECT_EQ(vectors.At(0)[2], -HUGE_VALF);
  EXPECT_EQ(vectors.At(0)[3], 16777216.0f);
  const auto integers = FromJson(arrow::list(arrow::uint64()), "[[18446744073709551615]]");
  EXPECT_EQ(Read(*integers).At(0)[0], 0x1p64f);
}

TEST(VectorColumn, EveryHalfBecomesTheFloatOfItsValue) {
  arrow::ListBuilder builder(arrow::default_memory_pool(),
                             std::make_shared<arrow::HalfFloatBuilder>());
  auto& halves = static_cast<arrow::HalfFloatBuilder&>(*builder.value_builder());
  ASSERT_TRUE(builder.Append().ok());
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    ASSERT_TRUE(halves.Append(static_cast<uint16_t>(bits)).ok());
  }
  const auto column = builder.Finish().ValueOrDie();
  const Vectors vectors = Read(*column);
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const int exponent = static_cast<int>(bits >> 10 & 31);
    const auto fraction = static_cast<float>(bits & 1023);
    float expected =
        exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
    if (exponent == 31) expected = fraction == 0 ? HUGE_VALF : NAN;
    if ((bits & 0x8000) != 0) expected = -expected;
    const float found = vectors.rows[0].vector[bits];
    if (std::isnan(expected)) {
      ASSERT_TRUE(std::isnan(found)) << bits;
    } else {
      ASSERT_EQ(std::bit_cast<uint32_t>(found), std::bit_cast<uint32_t>(expected)) << bits;
    }
  }
}

TEST(VectorColumn, ReadsBytesAsLittleEndianFloats) {
  const float floats[] = {1.5f, -2.0f};
  const std::string bytes(reinterpret_cast<const char*>(floats), sizeof(floats));
  arrow::BinaryBuilder binary;
  ASSERT_TRUE(binary.Append("x").ok());  // puts the next value at an odd address
  ASSERT_TRUE(binary.Append(bytes).ok());
  ASSERT_TRUE(binary.AppendNull().ok());
  const auto column = binary.Finish().ValueOrDie();
  const Vectors vectors = Read(*column);
  EXPECT_EQ(vectors.rows[0].fault, RejectRule::kVectorDimension);
  EXPECT_THAT(vectors.At(1), ElementsAre(1.5f, -2.0f));
  EXPECT_EQ(vectors.rows[2].fault, RejectRule::kVectorMissing);

  arrow::FixedSizeBinaryBuilder fixed(arrow::fixed_size_binary(8));
  ASSERT_TRUE(fixed.Append(bytes).ok());
  EXPECT_THAT(Read(*fixed.Finish().ValueOrDie()).At(0), ElementsAre(1.5f, -2.0f));
}

TEST(VectorColumn, ReadsATensorOfOneAxis) {
  const auto type = arrow::extension::fixed_shape_tensor(arrow::float32(), {2});
  const auto storage = FromJson(arrow::fixed_size_list(arrow::float32(), 2), "[[1, 2], [3, 4]]");
  const auto column = arrow::ExtensionType::WrapArray(type, storage);
  EXPECT_EQ(VectorFitOf(*type), VectorFit::kFloats);
  EXPECT_EQ(DimensionOf(*type), 2u);
  EXPECT_THAT(Read(*column->Slice(1, 1)).At(0), ElementsAre(3, 4));
}

TEST(VectorColumn, ACandidateIsAListOfFloatsOrOfAFixedNumberOfIntegers) {
  EXPECT_EQ(VectorFitOf(*arrow::list(arrow::float16())), VectorFit::kFloats);
  EXPECT_EQ(VectorFitOf(*arrow::fixed_size_list(arrow::int8(), 8)), VectorFit::kFixedIntegers);
  EXPECT_EQ(VectorFitOf(*arrow::list(arrow::int8())), VectorFit::kWhenNamed);
  EXPECT_EQ(VectorFitOf(*arrow::binary()), VectorFit::kWhenNamed);
  EXPECT_EQ(VectorFitOf(*arrow::fixed_size_binary(12)), VectorFit::kWhenNamed);
  EXPECT_EQ(VectorFitOf(*arrow::fixed_size_binary(10)), VectorFit::kNone);
  EXPECT_EQ(VectorFitOf(*arrow::list(arrow::utf8())), VectorFit::kNone);
  EXPECT_EQ(VectorFitOf(*arrow::float32()), VectorFit::kNone);
  EXPECT_EQ(DimensionOf(*arrow::list(arrow::float32())), std::nullopt);
  EXPECT_EQ(DimensionOf(*arrow::fixed_size_binary(12)), 3u);
}

}  // namespace
}  // namespace vecload::source
