#pragma once

#include <cstdint>

namespace vecload {

// The most memory that this process has had resident so far.
uint64_t PeakMemoryBytes();

}  // namespace vecload
