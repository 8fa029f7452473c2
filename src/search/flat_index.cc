#include "search/flat_index.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <new>
#include <tuple>
#include <utility>

#include "base/check.h"
#include "search/filter.h"
#include "search/kernels.h"

namespace vecload::search {
namespace {

constexpr size_t kChunkBytes = 4 << 20;

size_t RoundUp(size_t floats) { return (floats + kRowFloats - 1) / kRowFloats * kRowFloats; }

hwy::AlignedFreeUniquePtr<float[]> AllocateFloats(size_t count) {
  auto floats = hwy::AllocateAligned<float>(count);
  if (floats == nullptr) throw std::bad_alloc();
  return floats;
}

double EuclideanDistance(const float* a, const float* b, size_t count) {
  double sum = 0;
  for (size_t i = 0; i < count; ++i) {
    const double difference = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    sum += difference * difference;
  }
  return std::sqrt(sum);
}

}  // namespace

FlatIndex::FlatIndex(uint32_t dimension, DistanceMetric metric)
    : dimension_(dimension),
      metric_(metric),
      stride_(RoundUp(dimension)),
      chunk_rows_(kChunkBytes / (stride_ * sizeof(float))),
      slots_(0, SlotHash{&keys_}, SlotEqual{&keys_}) {
  CHECK(dimension > 0 && chunk_rows_ > 0);
}

float* FlatIndex::Row(size_t slot) {
  return chunks_[slot / chunk_rows_].get() + slot % chunk_rows_ * stride_;
}

const float* FlatIndex::Row(size_t slot) const {
  return chunks_[slot / chunk_rows_].get() + slot % chunk_rows_ * stride_;
}

void FlatIndex::FillRow(std::span<const float> vector, float* row) const {
  CHECK(vector.size() == dimension_);
  std::memcpy(row, vector.data(), vector.size_bytes());
  std::fill(row + dimension_, row + stride_, 0.0F);
  if (metric_ != DistanceMetric::kCosine) return;
  // In double, since the squares of finite floats may overflow or vanish in float.
  double squares = 0;
  for (const float value : vector) squares += static_cast<double>(value) * value;
  const double scale = squares > 0 ? 1 / std::sqrt(squares) : 0;
  for (size_t i = 0; i < dimension_; ++i) row[i] = static_cast<float>(row[i] * scale);
}

void FlatIndex::Put(std::string_view key, std::span<const float> vector,
                    std::string packed_fields) {
  const auto found = slots_.find(key);
  if (found != slots_.end()) {
    FillRow(vector, Row(*found));
    fields_[*found] = std::move(packed_fields);
    return;
  }
  const size_t slot = keys_.size();
  CHECK(slot < std::numeric_limits<uint32_t>::max());
  if (slot == chunks_.size() * chunk_rows_)
    chunks_.push_back(AllocateFloats(chunk_rows_ * stride_));
  FillRow(vector, Row(slot));
  keys_.emplace_back(key);
  fields_.push_back(std::move(packed_fields));
  slots_.insert(static_cast<uint32_t>(slot));
}

bool FlatIndex::Erase(std::string_view key) {
  const auto found = slots_.find(key);
  if (found == slots_.end()) return false;
  const uint32_t slot = *found;
  slots_.erase(found);
  // The last vector moves into the hole, so that the slots in use stay without gaps.
  const auto last = static_cast<uint32_t>(keys_.size() - 1);
  if (slot != last) {
    slots_.erase(slots_.find(last));
    std::memcpy(Row(slot), Row(last), stride_ * sizeof(float));
    keys_[slot] = std::move(keys_[last]);
    fields_[slot] = std::move(fields_[last]);
    slots_.insert(slot);
  }
  keys_.pop_back();
  fields_.pop_back();
  if (keys_.size() + 2 * chunk_rows_ <= chunks_.size() * chunk_rows_) chunks_.pop_back();
  return true;
}

float FlatIndex::DistanceOf(float kernel_result, const float* query, size_t slot) const {
  if (metric_ == DistanceMetric::kCosine) return std::clamp(1 - kernel_result, 0.0F, 2.0F);
  // Squares near the ends of float's range have lost their digits, or overflowed.
  if (kernel_result > 1e-30F && kernel_result < 1e37F) return std::sqrt(kernel_result);
  const double exact = EuclideanDistance(query, Row(slot), dimension_);
  return static_cast<float>(std::min<double>(exact, std::numeric_limits<float>::max()));
}

std::vector<Match> FlatIndex::Nearest(const Search& search) const {
  if (search.count_max == 0) return {};
  const auto query = AllocateFloats(stride_);
  FillRow(search.query, query.get());

  using Candidate = std::pair<float, uint32_t>;
  const auto nearer = [this](const Candidate& a, const Candidate& b) {
    if (a.first != b.first) return a.first < b.first;
    return keys_[a.second] < keys_[b.second];
  };
  std::vector<Candidate> heap;  // the farthest of the nearest on top
  heap.reserve(std::min(search.count_max, size()) + 1);
  const auto consider = [&](Candidate candidate) {
    if (heap.size() == search.count_max && candidate.first > heap.front().first) return;
    if (search.after != nullptr && std::tie(candidate.first, keys_[candidate.second]) <=
                                       std::tie(search.after->distance, search.after->key)) {
      return;
    }
    // Last, since it costs most: of the vectors that are near enough only.
    if (search.filter != nullptr && !Matches(*search.filter, fields_[candidate.second])) return;
    heap.push_back(candidate);
    std::push_heap(heap.begin(), heap.end(), nearer);
    if (heap.size() <= search.count_max) return;
    std::pop_heap(heap.begin(), heap.end(), nearer);
    heap.pop_back();
  };

  std::vector<float> results(chunk_rows_);
  for (size_t begin = 0; begin < size(); begin += chunk_rows_) {
    const RowBlock block{Row(begin), stride_, std::min(chunk_rows_, size() - begin)};
    if (metric_ == DistanceMetric::kCosine) {
      DotProducts(query.get(), block, results.data());
    } else {
      SquaredDistances(query.get(), block, results.data());
    }
    for (size_t i = 0; i < block.count; ++i) {
      consider({DistanceOf(results[i], query.get(), begin + i), static_cast<uint32_t>(begin + i)});
    }
  }
  std::sort_heap(heap.begin(), heap.end(), nearer);
  std::vector<Match> matches;
  matches.reserve(heap.size());
  for (const auto& [distance, slot] : heap) matches.push_back({keys_[slot], distance});
  return matches;
}

}  // namespace vecload::search
