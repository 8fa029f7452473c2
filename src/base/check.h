#pragma once

#include <cstdio>
#include <cstdlib>

// For broken invariants only: never reachable from input, a file or the network. Always on, since
// a loader that goes on with broken books loses rows.
#define CHECK(condition)                                                                 \
  do {                                                                                   \
    if (!(condition)) [[unlikely]] {                                                     \
      std::fprintf(stderr, "%s:%d: CHECK failed: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                      \
    }                                                                                    \
  } while (false)
