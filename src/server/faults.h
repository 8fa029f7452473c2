#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "http/server.h"
#include "vecload/server.h"

namespace vecload::server {

// What befalls one request. A request that is answered with an error, or reset, has had no effect;
// one whose answer is cut short or lost has.
enum class Fault { kNone, kHttp503, kHttp429, kHttp500, kReset, kCut, kSlow, kLost };

inline constexpr size_t kFaultKinds = 8;

// `plan` in the form that ServerFaults::Parse reads; empty where nothing is ever struck.
std::string ToSpec(const ServerFaults& plan);

// The fault of the request of that number: nothing but the plan's seed and the number decide, so
// that a run can be had again.
Fault FaultOf(const ServerFaults& plan, uint64_t number);

// Stands before an operation and makes up failures. Strikes requests of vectors only (PutVectors,
// GetVectors, ListVectors, QueryVectors, DeleteVectors), which are numbered as they come; buckets
// and indexes stay easy to set up. Thread-safe.
class Faults {
 public:
  explicit Faults(const ServerFaults& plan) : plan_(plan) {}

  // From now on, from the plan's first request again.
  void SetPlan(const ServerFaults& plan);
  [[nodiscard]] ServerFaults plan() const;
  // How many requests each fault struck since the start or the last ForgetCounts, by its name.
  [[nodiscard]] std::map<std::string_view, uint64_t> counts() const;
  void ForgetCounts();

  using Answerer = std::function<http::ServerReply(http::ServerRequest&&)>;
  http::ServerReply Answer(http::ServerRequest&& request, const Answerer& answerer);

  // How long `slow` holds an answer back: longer than a healthy answer takes, shorter than tests.
  static constexpr Duration kSlow = std::chrono::milliseconds(200);

 private:
  Fault Next();

  mutable std::mutex mutex_;
  ServerFaults plan_;
  uint64_t requests_ = 0;
  std::array<uint64_t, kFaultKinds> counts_{};
};

}  // namespace vecload::server
