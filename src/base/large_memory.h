#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>

namespace vecload {

struct FreeLargeMemory {
  void operator()(char* memory) const { std::free(memory); }
};
using LargeMemory = std::unique_ptr<char[], FreeLargeMemory>;

// Memory that is not zeroed. From some MB on it is of huge pages where the system has them: each is
// cleared and mapped at once, which the pages of 4 KB that it is made of would be one by one, and
// what lies in it does not crowd out the rest of the address cache.
LargeMemory AllocateLargeMemory(size_t bytes);

}  // namespace vecload
