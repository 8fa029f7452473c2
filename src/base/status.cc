#include "vecload/status.h"

namespace vecload {

std::string_view CodeName(Code code) {
  switch (code) {
    case Code::kOk:
      return "ok";
    case Code::kInvalidArgument:
      return "invalid_argument";
    case Code::kNotFound:
      return "not_found";
    case Code::kConflict:
      return "conflict";
    case Code::kDenied:
      return "denied";
    case Code::kThrottled:
      return "throttled";
    case Code::kUnavailable:
      return "unavailable";
    case Code::kQuota:
      return "quota";
    case Code::kCorrupt:
      return "corrupt";
    case Code::kIo:
      return "io";
    case Code::kCancelled:
      return "cancelled";
    case Code::kInternal:
      return "internal";
  }
  return "internal";
}

Status::Status(Code code, std::string message) {
  if (code != Code::kOk) {
    state_ = std::make_shared<const State>(State{code, std::move(message), std::nullopt});
  }
}

Status::Status(Code code, std::string message, ServiceError service) {
  if (code != Code::kOk) {
    state_ = std::make_shared<const State>(State{code, std::move(message), std::move(service)});
  }
}

Status Status::InvalidArgument(std::string m) { return {Code::kInvalidArgument, std::move(m)}; }
Status Status::NotFound(std::string m) { return {Code::kNotFound, std::move(m)}; }
Status Status::Conflict(std::string m) { return {Code::kConflict, std::move(m)}; }
Status Status::Denied(std::string m) { return {Code::kDenied, std::move(m)}; }
Status Status::Throttled(std::string m) { return {Code::kThrottled, std::move(m)}; }
Status Status::Unavailable(std::string m) { return {Code::kUnavailable, std::move(m)}; }
Status Status::Quota(std::string m) { return {Code::kQuota, std::move(m)}; }
Status Status::Corrupt(std::string m) { return {Code::kCorrupt, std::move(m)}; }
Status Status::Io(std::string m) { return {Code::kIo, std::move(m)}; }
Status Status::Cancelled(std::string m) { return {Code::kCancelled, std::move(m)}; }
Status Status::Internal(std::string m) { return {Code::kInternal, std::move(m)}; }

Code Status::code() const { return state_ == nullptr ? Code::kOk : state_->code; }

const std::string& Status::message() const {
  static const std::string empty;
  return state_ == nullptr ? empty : state_->message;
}

const ServiceError* Status::service() const {
  return state_ != nullptr && state_->service.has_value() ? &*state_->service : nullptr;
}

std::string Status::ToString() const {
  if (ok()) return "ok";
  return std::string(CodeName(code())) + ": " + message();
}

Status Status::WithContext(std::string_view context) const {
  if (ok()) return *this;
  Status result = *this;
  result.state_ = std::make_shared<const State>(
      State{state_->code, std::string(context) + ": " + state_->message, state_->service});
  return result;
}

}  // namespace vecload
