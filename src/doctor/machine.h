#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "vecload/doctor.h"

// What this machine is and can do.
namespace vecload::doctor {

Check CheckVersion();
Check CheckProcessor();
Check CheckMemory();

// Encodes and hashes bodies as a load does, as many at once as it, for `time`; against what
// one index takes.
Check CheckSpeed(uint32_t dimension, Duration time);

}  // namespace vecload::doctor
