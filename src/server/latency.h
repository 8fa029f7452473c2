#pragma once

#include <cstddef>
#include <mutex>

#include "base/clock.h"
#include "base/random.h"
#include "vecload/server.h"

namespace vecload::server {

// How long answers are held back, as the model has it. Thread-safe.
class Latency {
 public:
  explicit Latency(const ServiceModel& model) : model_(model) {}

  // For an answer to a request that put so many bytes of float32; each is drawn anew.
  Duration Next(size_t data_bytes);
  // From now on.
  void SetModel(const ServiceModel& model);

 private:
  std::mutex mutex_;
  ServiceModel model_;
  Random random_{0};  // the same run twice
};

}  // namespace vecload::server
