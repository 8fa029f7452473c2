#pragma once

#include <cstddef>
#include <functional>

#include "vecload/status.h"

namespace vecload::client {

// Calls `act` with each number below `count`, as many as `threads_max` of them at once, one of
// which on the calling thread. After a failure no further one is begun. Returns once all have
// ended, with the failure of the smallest number.
Status AtOnce(size_t count, size_t threads_max, const std::function<Status(size_t)>& act);

}  // namespace vecload::client
