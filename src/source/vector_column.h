#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <arrow/type_fwd.h>

#include "vecload/source.h"

namespace vecload::source {

// How well a type fits as the vector column, from not at all to best. Only the best fit of a file
// is a candidate; bytes and lists of integers of any length are taken where they are named.
enum class VectorFit { kNone, kWhenNamed, kFixedIntegers, kFloats };
VectorFit VectorFitOf(const arrow::DataType& type);

// The length of the vectors where the type fixes it.
std::optional<uint32_t> DimensionOf(const arrow::DataType& type);

// Reads the vectors out of a column of one of these types:
//   fixed_size_list, list, large_list of float16, float32, float64 or any integer,
//   fixed_shape_tensor of these; binary, large_binary, fixed_size_binary of little-endian float32.
class VectorColumn {
 public:
  explicit VectorColumn(const std::string& name);

  // Sets `vector` of each row, and its fault where there is none yet. Returns whether the vectors
  // point into `column`: so it is for float32. All else is rounded to the nearest float32 and
  // stands in *converted, whose floats must not move afterwards.
  bool Read(const arrow::Array& column, std::span<SourceRow> rows,
            std::vector<float>* converted) const;

 private:
  bool ReadList(const arrow::Array& column, std::span<SourceRow> rows,
                std::vector<float>* converted) const;
  template <typename ArrayType>
  void ReadBytes(const arrow::Array& column, std::span<SourceRow> rows,
                 std::vector<float>* converted) const;

  // The details of faults; rows point at them.
  std::string null_detail_;
  std::string null_element_detail_;
  std::string bytes_detail_;
};

}  // namespace vecload::source
