#include "cli/signals.h"

#include <pthread.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <thread>

#include "cli/exit_code.h"

namespace vecload::cli {
namespace {

// Lock-free, so that a signal handler may touch it; global, since a handler has no other access.
std::atomic<bool> stop_requested{false};
std::atomic<bool> stderr_is_terminal{false};
static_assert(std::atomic<bool>::is_always_lock_free);

void OnStopSignal(int) {
  if (!stop_requested.exchange(true)) return;
  // Whatever stood on the last line, the shell's prompt gets one of its own.
  if (stderr_is_terminal) (void)!write(STDERR_FILENO, "\n", 1);
  _exit(kExitStopped);
}

sigset_t StopSignals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

}  // namespace

const std::atomic<bool>* StopOnSignal() {
  stderr_is_terminal = isatty(STDERR_FILENO) != 0;
  struct sigaction action = {};
  action.sa_handler = OnStopSignal;
  action.sa_flags = SA_RESTART;  // a write of the report must not fail half-way
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  return &stop_requested;
}

void HoldBackSignals() {
  const sigset_t set = StopSignals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

void StopAtEndOfStdin() {
  std::thread([] {
    char ignored[256];
    ssize_t read_bytes = 0;
    do {
      read_bytes = read(STDIN_FILENO, ignored, sizeof ignored);
    } while (read_bytes > 0 || (read_bytes < 0 && errno == EINTR));
    kill(getpid(), SIGTERM);
  }).detach();  // it may wait for as long as the process lives
}

void WaitForSignal() {
  const sigset_t set = StopSignals();
  int received = 0;
  while (sigwait(&set, &received) != 0) {
  }
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

}  // namespace vecload::cli
