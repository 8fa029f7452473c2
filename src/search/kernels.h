#pragma once

#include <cstddef>
#include <string_view>

namespace vecload::search {

// Rows are padded with zeros to a multiple of this many floats and start on its byte boundary, so
// that the kernels need no tail loop: one AVX-512 register, and a multiple of every narrower one.
inline constexpr size_t kRowFloats = 16;

// `count` rows of `stride` floats against one query of `stride` floats; one result a row. `query`
// and `rows` are aligned to kRowFloats floats; `stride` is a multiple of kRowFloats. Runs the
// widest instructions of the machine it finds itself on.
struct RowBlock {
  const float* rows = nullptr;
  size_t stride = 0;
  size_t count = 0;
};
void DotProducts(const float* query, const RowBlock& block, float* results);
void SquaredDistances(const float* query, const RowBlock& block, float* results);

// The instructions that these run with on this machine, as Highway names them: "AVX2".
std::string_view KernelTarget();

}  // namespace vecload::search
