#include "server/counters.h"

#include <string>

namespace vecload::server {

void Counters::CountRequest(std::string_view operation, size_t body_bytes) {
  const std::lock_guard lock(mutex_);
  ++requests_[operation.empty() ? "unknown" : operation];
  bytes_received_ += body_bytes;
}

void Counters::CountReply(const http::ServerReply& reply) {
  const std::lock_guard lock(mutex_);
  bytes_sent_ += reply.reply.body.size();
  if (reply.reply.status >= 400) ++errors_[reply.reply.status];
}

void Counters::CountThrottled() {
  const std::lock_guard lock(mutex_);
  ++throttled_;
}

void Counters::CountRefused() {
  const std::lock_guard lock(mutex_);
  ++refused_;
}

void Counters::Forget() {
  const std::lock_guard lock(mutex_);
  requests_.clear();
  errors_.clear();
  throttled_ = refused_ = bytes_received_ = bytes_sent_ = 0;
}

void Counters::WriteAnswered(JsonWriter* json) const {
  const std::lock_guard lock(mutex_);
  json->Key("requests").BeginObject();
  for (const auto& [operation, count] : requests_) json->Key(operation).Uint(count);
  json->EndObject().Key("errors").BeginObject();
  for (const auto& [status, count] : errors_) json->Key(std::to_string(status)).Uint(count);
  json->EndObject();
}

void Counters::WriteTo(JsonWriter* json) const {
  const std::lock_guard lock(mutex_);
  json->Key("requests").BeginObject();
  for (const auto& [operation, count] : requests_) json->Key(operation).Uint(count);
  json->EndObject();
  json->Key("throttled").Uint(throttled_).Key("refused").Uint(refused_);
  json->Key("bytes_received").Uint(bytes_received_).Key("bytes_sent").Uint(bytes_sent_);
}

}  // namespace vecload::server
