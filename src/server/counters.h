#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string_view>

#include "base/json_text.h"
#include "http/server.h"

namespace vecload::server {

// What was asked and answered since the start or the last Forget. Thread-safe.
class Counters {
 public:
  // `operation` is a name that lives on; empty: no operation of this server.
  void CountRequest(std::string_view operation, size_t body_bytes);
  void CountReply(const http::ServerReply& reply);
  void CountThrottled();
  void CountRefused();
  void Forget();
  // "requests" and "errors" of an object that is open.
  void WriteAnswered(JsonWriter* json) const;
  // Adds its members to an object that is open.
  void WriteTo(JsonWriter* json) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string_view, uint64_t> requests_;
  std::map<int, uint64_t> errors_;  // by status
  uint64_t throttled_ = 0;          // by the model's limits
  uint64_t refused_ = 0;            // for their signature
  uint64_t bytes_received_ = 0;
  uint64_t bytes_sent_ = 0;
};

}  // namespace vecload::server
