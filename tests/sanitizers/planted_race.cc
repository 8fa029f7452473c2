// Goal: prove that the TSan preset catches a data race. Method: two threads write one int
// without a lock; the ctest tsan_works passes only if ThreadSanitizer reports it.

#include <thread>

namespace {
int shared_count = 0;
void Count() {
  for (int i = 0; i < 100'000; ++i) ++shared_count;
}
}  // namespace

int main() {
  std::thread first(Count);
  std::thread second(Count);
  first.join();
  second.join();
  return shared_count == 0 ? 1 : 0;
}
