#pragma once

#include <map>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "pace/token_bucket.h"

namespace vecload::server {

// The service's write limits, for each index on its own: vectors and requests in a second, with so
// many seconds' worth of burst. 0: unlimited. Thread-safe.
class Throttle {
 public:
  struct Limits {
    double vectors_per_s = 0;
    double requests_per_s = 0;
    double burst_s = 1;

    friend bool operator==(const Limits&, const Limits&) = default;
  };
  Throttle(Limits limits, const Clock& clock) : clock_(clock), limits_(limits) {}

  // Whether a request that writes `vectors` vectors to the index may pass; if so it is counted.
  bool Admit(const std::string& index_arn, size_t vectors);
  // The index was deleted.
  void Forget(const std::string& index_arn);
  // From now on; every index has its whole burst again.
  void SetLimits(const Limits& limits);

 private:
  struct Buckets {
    pace::TokenBucket vectors;
    pace::TokenBucket requests;
  };

  const Clock& clock_;
  std::mutex mutex_;
  Limits limits_;
  std::map<std::string, Buckets> buckets_;
};

}  // namespace vecload::server
