#pragma once

#include <atomic>

namespace vecload::cli {

// From now on the first SIGINT or SIGTERM sets the flag that is returned, and the second one ends
// the process at once with kExitStopped: whoever asks twice does not want to wait.
const std::atomic<bool>* StopOnSignal();

// Holds SIGINT and SIGTERM back from every thread started afterwards; call before there are any.
void HoldBackSignals();
// Raises SIGTERM for the process once its stdin ends, as it does when a program that holds the
// other end of the pipe dies, however it dies.
void StopAtEndOfStdin();
// Waits for one of them, then gives both their usual effect back, so that a second one kills.
void WaitForSignal();

}  // namespace vecload::cli
