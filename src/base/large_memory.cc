#include "base/large_memory.h"

#include <sys/mman.h>

#include <new>

namespace vecload {
namespace {

constexpr size_t kHugePageBytes = size_t{2} << 20;

}  // namespace

LargeMemory AllocateLargeMemory(size_t bytes) {
  const bool is_large = bytes >= kHugePageBytes;
  void* memory = nullptr;
  if (!is_large) {
    memory = std::malloc(bytes);
  } else if (posix_memalign(&memory, kHugePageBytes, bytes) != 0) {
    memory = nullptr;
  }
  if (memory == nullptr) throw std::bad_alloc();
  // The rest behind the last whole huge page stays of small ones: untouched, it takes no room. A
  // system without huge pages refuses, and nothing is lost.
  if (is_large) madvise(memory, bytes / kHugePageBytes * kHugePageBytes, MADV_HUGEPAGE);
  return LargeMemory(static_cast<char*>(memory));
}

}  // namespace vecload
