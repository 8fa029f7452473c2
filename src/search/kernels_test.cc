// Goal: the kernels of every instruction set that this machine has agree with a plain sum in
// float64. Method: each set is chosen in turn, as Highway's own tests do; random rows of every
// stride from 16 to 512 and of 4096, compared within the error that float32 sums can have.
#include "search/kernels.h"

#include <cmath>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <hwy/aligned_allocator.h>
#include <hwy/highway.h>

#include "base/random.h"

namespace vecload::search {
namespace {

constexpr size_t kRows = 9;

// The rounding errors that one sum collects, relative to the sum of its terms' magnitudes: four
// sums of four lanes or more side by side, then those together, then the term's own.
double Bound(size_t stride) { return (static_cast<double>(stride) / 16 + 8) * 0x1p-24; }

using Floats = hwy::AlignedFreeUniquePtr<float[]>;

Floats RandomFloats(Random* random, size_t count) {
  Floats floats = hwy::AllocateAligned<float>(count);
  for (size_t i = 0; i < count; ++i) floats[i] = static_cast<float>(random->Normal());
  return floats;
}

struct Exact {
  double dot = 0, dot_magnitude = 0, squares = 0;
};

Exact InFloat64(const float* query, const float* row, size_t stride) {
  Exact exact;
  for (size_t i = 0; i < stride; ++i) {
    const double q = query[i], r = row[i];
    exact.dot += q * r;
    exact.dot_magnitude += std::abs(q * r);
    exact.squares += (q - r) * (q - r);
  }
  return exact;
}

// Calls use(name) with each instruction set as the one that is dispatched to.
template <typename Use>
void WithEachTarget(const Use& use) {
  for (const int64_t target : hwy::SupportedAndGeneratedTargets()) {
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    SCOPED_TRACE(hwy::TargetName(target));
    use();
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().DeInit();
}

TEST(Kernels, EveryInstructionSetAgreesWithFloat64) {
  Random random(1);
  std::vector<size_t> strides = {4096};
  for (size_t stride = kRowFloats; stride <= 512; stride += kRowFloats) strides.push_back(stride);
  for (const size_t stride : strides) {
    SCOPED_TRACE(stride);
    const Floats query = RandomFloats(&random, stride);
    const Floats rows = RandomFloats(&random, kRows * stride);
    const RowBlock block{rows.get(), stride, kRows};
    WithEachTarget([&] {
      float dots[kRows], squares[kRows];
      DotProducts(query.get(), block, dots);
      SquaredDistances(query.get(), block, squares);
      for (size_t r = 0; r < kRows; ++r) {
        const Exact exact = InFloat64(query.get(), rows.get() + r * stride, stride);
        EXPECT_NEAR(dots[r], exact.dot, Bound(stride) * exact.dot_magnitude);
        EXPECT_NEAR(squares[r], exact.squares, Bound(stride) * exact.squares);
      }
    });
  }
}

// Otherwise the test above would look at one of them again and again: sums of 4, 8 and 16 lanes
// are rounded in a different order.
TEST(Kernels, TheInstructionSetsAreNotTheSame) {
  if (hwy::SupportedAndGeneratedTargets().size() < 2) GTEST_SKIP() << "there is one only";
  Random random(2);
  constexpr size_t kStride = 4096;
  const Floats query = RandomFloats(&random, kStride);
  const Floats rows = RandomFloats(&random, kRows * kStride);
  std::set<std::vector<float>> results;
  WithEachTarget([&] {
    std::vector<float> dots(kRows);
    DotProducts(query.get(), {rows.get(), kStride, kRows}, dots.data());
    results.insert(dots);
  });
  EXPECT_GT(results.size(), 1U);
}

}  // namespace
}  // namespace vecload::search
