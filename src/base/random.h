#pragma once

#include <cstdint>

namespace vecload {

// xoshiro256** seeded by splitmix64 (Blackman, Vigna 2018): the same numbers from the same seed
// on every machine, which std::mt19937 with the library's distributions does not promise.
class Random {
 public:
  explicit Random(uint64_t seed);
  uint64_t Next();
  // Uniform in [0, 1).
  double Uniform() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }
  // Uniform in [0, bound); bound > 0. The modulo bias is below 2^-32 for bounds under 2^32.
  uint64_t Below(uint64_t bound) { return Next() % bound; }
  // Normal with mean 0 and deviation 1 (Box-Muller).
  double Normal();

 private:
  uint64_t state_[4];
  double spare_ = 0;
  bool has_spare_ = false;
};

}  // namespace vecload
