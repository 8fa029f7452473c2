#include "search/flat_index.h"

#include <sys/mman.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <future>
#include <iterator>
#include <limits>
#include <new>
#include <thread>
#include <tuple>
#include <utility>

#include "base/check.h"
#include "search/filter.h"
#include "search/kernels.h"

namespace vecload::search {
namespace {

constexpr size_t kChunkBytes = 4 << 20;
constexpr size_t kHugePageBytes = 2 << 20;
constexpr size_t kRowBytes = kRowFloats * sizeof(float);

// A thread costs some 50 us; 16 MiB are read in about 1 ms.
constexpr size_t kChunksPerThreadMin = 4;
constexpr size_t kThreadsMax = 8;  // memory gives no more than a few cores can take

size_t ThreadsMax() {
  static const size_t threads =
      std::clamp<size_t>(std::thread::hardware_concurrency(), 1, kThreadsMax);
  return threads;
}

size_t RoundUp(size_t floats) { return (floats + kRowFloats - 1) / kRowFloats * kRowFloats; }

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

FlatIndex::Floats FlatIndex::Allocate(size_t bytes, size_t alignment) {
  Floats floats(static_cast<float*>(std::aligned_alloc(alignment, bytes)));
  if (floats == nullptr) throw std::bad_alloc();
  return floats;
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
  if (slot == chunks_.size() * chunk_rows_) {
    chunks_.push_back(Allocate(kChunkBytes, kHugePageBytes));
    // A scan is a fifth faster over huge pages. Not the first chunk's, which would make the many
    // small indexes of a server large. It is advice: a refusal changes nothing.
    if (slot > 0) madvise(chunks_.back().get(), kChunkBytes, MADV_HUGEPAGE);
  }
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

bool FlatIndex::IsNearer(const Candidate& a, const Candidate& b) const {
  if (a.first != b.first) return a.first < b.first;
  return keys_[a.second] < keys_[b.second];
}

std::vector<FlatIndex::Candidate> FlatIndex::NearestOf(const Search& search, const float* query,
                                                       size_t begin, size_t end) const {
  const auto nearer = [this](const Candidate& a, const Candidate& b) { return IsNearer(a, b); };
  std::vector<Candidate> heap;  // the farthest of the nearest on top
  heap.reserve(std::min(search.count_max, end - begin) + 1);
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
  for (size_t row = begin; row < end; row += chunk_rows_) {
    const RowBlock block{Row(row), stride_, std::min(chunk_rows_, end - row)};
    if (metric_ == DistanceMetric::kCosine) {
      DotProducts(query, block, results.data());
    } else {
      SquaredDistances(query, block, results.data());
    }
    for (size_t i = 0; i < block.count; ++i) {
      consider({DistanceOf(results[i], query, row + i), static_cast<uint32_t>(row + i)});
    }
  }
  std::sort_heap(heap.begin(), heap.end(), nearer);
  return heap;
}

std::vector<Match> FlatIndex::Nearest(const Search& search) const {
  if (search.count_max == 0) return {};
  const Floats query = Allocate(stride_ * sizeof(float), kRowBytes);
  FillRow(search.query, query.get());

  // Parts of whole chunks, one for each thread.
  const size_t parts = std::clamp<size_t>(chunks_.size() / kChunksPerThreadMin, 1, ThreadsMax());
  const size_t part_rows = (chunks_.size() + parts - 1) / parts * chunk_rows_;
  std::vector<std::future<std::vector<Candidate>>> others;
  for (size_t begin = part_rows; begin < size(); begin += part_rows) {
    // Where there is no thread to be had, get() does the work.
    others.push_back(std::async(std::launch::async | std::launch::deferred, [&, begin] {
      return NearestOf(search, query.get(), begin, std::min(begin + part_rows, size()));
    }));
  }
  std::vector<Candidate> nearest = NearestOf(search, query.get(), 0, std::min(part_rows, size()));
  for (auto& other : others) {
    std::vector<Candidate> merged;
    std::ranges::merge(nearest, other.get(), std::back_inserter(merged),
                       [this](const auto& a, const auto& b) { return IsNearer(a, b); });
    merged.resize(std::min(merged.size(), search.count_max));
    nearest = std::move(merged);
  }
  std::vector<Match> matches;
  matches.reserve(nearest.size());
  for (const auto& [distance, slot] : nearest) matches.push_back({keys_[slot], distance});
  return matches;
}

}  // namespace vecload::search
