#include "client/at_once.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace vecload::client {

Status AtOnce(size_t count, size_t threads_max, const std::function<Status(size_t)>& act) {
  std::vector<Status> results(count);
  std::atomic<size_t> next{0};
  std::atomic<bool> failed{false};
  const auto work = [&] {
    for (size_t i = next++; i < count && !failed; i = next++) {
      results[i] = act(i);
      if (!results[i].ok()) failed = true;
    }
  };
  std::vector<std::thread> others;
  for (size_t i = 1; i < std::min(count, threads_max); ++i) others.emplace_back(work);
  work();
  for (std::thread& other : others) other.join();
  for (const Status& result : results) VECLOAD_RETURN_IF_ERROR(result);
  return Status::Ok();
}

}  // namespace vecload::client
