#pragma once

#include <cstdint>
#include <cstdlib>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/filter.h"
#include "vecload/record.h"

namespace vecload::search {

// One neighbour. Neighbours are ordered by distance, and by key where distances are equal.
struct Match {
  std::string key;
  float distance = 0;
};

// The vectors of one index in memory, searched exactly: every query looks at every vector, of a
// large index on several threads. Not thread-safe: const calls may run together, anything else
// alone.
class FlatIndex {
 public:
  FlatIndex(uint32_t dimension, DistanceMetric metric);
  FlatIndex(const FlatIndex&) = delete;
  FlatIndex& operator=(const FlatIndex&) = delete;

  // Adds the vector, or replaces the one of that key. `vector` has the index's dimension and
  // finite elements; `packed_fields` (PackFields) is what filters are evaluated on.
  void Put(std::string_view key, std::span<const float> vector, std::string packed_fields = {});
  // Returns whether there was such a vector.
  bool Erase(std::string_view key);
  [[nodiscard]] size_t size() const { return keys_.size(); }

  struct Search {
    std::span<const float> query;  // of the index's dimension, finite
    size_t count_max = 10;
    const Match* after = nullptr;    // where set: only neighbours that come after this one
    const Filter* filter = nullptr;  // where set: only vectors whose fields satisfy it
  };
  // Returns the nearest neighbours in order. Cosine distance is 1 - cos, from 0 to 2; Euclidean
  // distance is the root, not the square.
  [[nodiscard]] std::vector<Match> Nearest(const Search& search) const;

 private:
  // Keys are looked up by text but stored once: the set holds slots.
  struct SlotHash {
    using is_transparent = void;
    const std::deque<std::string>* keys;
    size_t operator()(std::string_view key) const { return std::hash<std::string_view>()(key); }
    size_t operator()(uint32_t slot) const { return (*this)((*keys)[slot]); }
  };
  struct SlotEqual {
    using is_transparent = void;
    const std::deque<std::string>* keys;
    [[nodiscard]] std::string_view Key(std::string_view key) const { return key; }
    [[nodiscard]] std::string_view Key(uint32_t slot) const { return (*keys)[slot]; }
    template <typename A, typename B>
    bool operator()(const A& a, const B& b) const {
      return Key(a) == Key(b);
    }
  };

  struct Free {
    void operator()(float* floats) const { std::free(floats); }
  };
  using Floats = std::unique_ptr<float[], Free>;
  using Candidate = std::pair<float, uint32_t>;  // distance, slot

  static Floats Allocate(size_t bytes, size_t alignment);
  // The nearest of the slots from `begin` to `end`, in order. `begin` is the first of a chunk.
  [[nodiscard]] std::vector<Candidate> NearestOf(const Search& search, const float* query,
                                                 size_t begin, size_t end) const;
  // The order of neighbours.
  [[nodiscard]] bool IsNearer(const Candidate& a, const Candidate& b) const;

  [[nodiscard]] float* Row(size_t slot);
  [[nodiscard]] const float* Row(size_t slot) const;
  // Writes `vector` as the rows are kept: padded with zeros, and of length 1 under cosine.
  void FillRow(std::span<const float> vector, float* row) const;
  [[nodiscard]] float DistanceOf(float kernel_result, const float* query, size_t slot) const;

  const uint32_t dimension_;
  const DistanceMetric metric_;
  const size_t stride_;
  const size_t chunk_rows_;
  // Chunks, so that growing copies nothing. The slots in use are 0 to size() - 1.
  std::vector<Floats> chunks_;
  std::deque<std::string> keys_;
  std::deque<std::string> fields_;  // by slot, packed
  std::unordered_set<uint32_t, SlotHash, SlotEqual> slots_;
};

}  // namespace vecload::search
