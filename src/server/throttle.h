#pragma once

#include <map>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "pace/token_bucket.h"

namespace vecload::server {

// The service's write limits, for each index on its own: vectors and requests in a second, with a
// second's worth of burst. 0: unlimited. Thread-safe.
class Throttle {
 public:
  struct Limits {
    double vectors_per_s = 0;
    double requests_per_s = 0;
  };
  Throttle(Limits limits, const Clock& clock) : limits_(limits), clock_(clock) {}

  // Whether a request that writes `vectors` vectors to the index may pass; if so it is counted.
  bool Admit(const std::string& index_arn, size_t vectors);
  // The index was deleted.
  void Forget(const std::string& index_arn);

 private:
  struct Buckets {
    pace::TokenBucket vectors;
    pace::TokenBucket requests;
  };

  const Limits limits_;
  const Clock& clock_;
  std::mutex mutex_;
  std::map<std::string, Buckets> buckets_;
};

}  // namespace vecload::server
