#include <sys/resource.h>

#include <algorithm>

#include "cli/app.h"

namespace {

// Shells allow 1,024 open files, which the connections of a server or of many shards alone may
// need; the system allows more.
void RaiseFileLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  constexpr rlim_t kEnough = 16'384;
  if (limit.rlim_cur >= kEnough) return;
  limit.rlim_cur = std::min(limit.rlim_max, kEnough);
  (void)setrlimit(RLIMIT_NOFILE, &limit);  // else with the files that there are
}

}  // namespace

int main(int argc, char** argv) {
  RaiseFileLimit();
  return vecload::cli::Run(argc, argv);
}
