// std::condition_variable::wait, which GCC 12's libstdc++ has as of GLIBCXX_3.4.30 while Amazon
// Linux 2023 (EMR, Glue) ends at 3.4.29. It is the one symbol that is newer; ld's --wrap leads all
// calls of our own code here. That of libstdc++ does the same.
#include <pthread.h>

#include <condition_variable>
#include <mutex>

// The linker makes the name.
// NOLINTNEXTLINE(bugprone-reserved-identifier,readability-identifier-naming)
extern "C" void __wrap__ZNSt18condition_variable4waitERSt11unique_lockISt5mutexE(
    std::condition_variable* condition, std::unique_lock<std::mutex>* lock) {
  pthread_cond_wait(condition->native_handle(), lock->mutex()->native_handle());
}
