#pragma once

#include <cstdint>
#include <string_view>

namespace vecload::journal {

// A 64-bit checksum against damage on disk, not against forgery. Its values are stored, so it never
// changes within a schema version. Well mixed, so that the sum of many of them stands for the set.
class Checksum {
 public:
  Checksum& Add(uint64_t word) {
    value_ = Mix(value_ ^ word);
    return *this;
  }
  // With its length, so that "ab", "c" and "a", "bc" differ.
  Checksum& Add(std::string_view text) {
    uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    return Add(hash).Add(text.size());
  }
  [[nodiscard]] uint64_t value() const { return value_; }

 private:
  // The finalizer of splitmix64 (Steele, Lea, Flood 2014); a bijection.
  static uint64_t Mix(uint64_t x) {
    x += 0x9e3779b97f4a7c15;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
  }

  uint64_t value_ = 0;
};

}  // namespace vecload::journal
