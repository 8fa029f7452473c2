#include "search/kernels.h"

// Highway compiles the part below once for every instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "search/kernels.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace vecload::search::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::CappedTag<float, kRowFloats>;

struct DotStep {
  template <typename V>
  HWY_INLINE V operator()(V query, V row, V sum) const {
    return hn::MulAdd(query, row, sum);
  }
};

struct SquaredDistanceStep {
  template <typename V>
  HWY_INLINE V operator()(V query, V row, V sum) const {
    const V difference = hn::Sub(query, row);
    return hn::MulAdd(difference, difference, sum);
  }
};

// Four sums hide the latency of the multiply-add; they also keep the rounding error down, since
// each adds up only a 64th of the row (AVX-512).
template <typename Step>
HWY_INLINE void ForEachRow(const float* HWY_RESTRICT query, const RowBlock& block,
                           float* HWY_RESTRICT results, Step step) {
  const Floats floats;
  const size_t lanes = hn::Lanes(floats);
  const size_t stride = block.stride;
  for (size_t r = 0; r < block.count; ++r) {
    const float* HWY_RESTRICT row = block.rows + r * stride;
    auto sum0 = hn::Zero(floats);
    auto sum1 = hn::Zero(floats);
    auto sum2 = hn::Zero(floats);
    auto sum3 = hn::Zero(floats);
    size_t i = 0;
    for (; i + 4 * lanes <= stride; i += 4 * lanes) {
      sum0 = step(hn::Load(floats, query + i), hn::Load(floats, row + i), sum0);
      sum1 = step(hn::Load(floats, query + i + lanes), hn::Load(floats, row + i + lanes), sum1);
      sum2 = step(hn::Load(floats, query + i + 2 * lanes), hn::Load(floats, row + i + 2 * lanes),
                  sum2);
      sum3 = step(hn::Load(floats, query + i + 3 * lanes), hn::Load(floats, row + i + 3 * lanes),
                  sum3);
    }
    for (; i < stride; i += lanes) {
      sum0 = step(hn::Load(floats, query + i), hn::Load(floats, row + i), sum0);
    }
    const auto sum = hn::Add(hn::Add(sum0, sum1), hn::Add(sum2, sum3));
    results[r] = hn::GetLane(hn::SumOfLanes(floats, sum));
  }
}

void DotProductsHere(const float* query, const RowBlock& block, float* results) {
  ForEachRow(query, block, results, DotStep());
}

void SquaredDistancesHere(const float* query, const RowBlock& block, float* results) {
  ForEachRow(query, block, results, SquaredDistanceStep());
}

const char* TargetNameHere() { return hwy::TargetName(HWY_TARGET); }

}  // namespace vecload::search::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vecload::search {

HWY_EXPORT(DotProductsHere);
HWY_EXPORT(SquaredDistancesHere);
HWY_EXPORT(TargetNameHere);

std::string_view KernelTarget() { return HWY_DYNAMIC_DISPATCH(TargetNameHere)(); }

void DotProducts(const float* query, const RowBlock& block, float* results) {
  HWY_DYNAMIC_DISPATCH(DotProductsHere)(query, block, results);
}

void SquaredDistances(const float* query, const RowBlock& block, float* results) {
  HWY_DYNAMIC_DISPATCH(SquaredDistancesHere)(query, block, results);
}

}  // namespace vecload::search
#endif  // HWY_ONCE
