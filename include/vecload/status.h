#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace vecload {

/// What the caller can do about a failure; the values of the public C++ and Python errors alike.
enum class Code {
  kOk,
  kInvalidArgument,  ///< The request or the input is wrong; the same again fails the same.
  kNotFound,         ///< A file, bucket, index or key does not exist.
  kConflict,         ///< It exists already, or its state forbids the call.
  kDenied,           ///< Credentials or permissions are missing or refused.
  kThrottled,        ///< Slow down, then try again (429).
  kUnavailable,      ///< Try again later: 5xx, time-outs, broken connections.
  kQuota,            ///< An account or service quota is exhausted (402).
  kCorrupt,          ///< Data on disk or on the wire is damaged.
  kIo,               ///< The local machine failed: disk full, permission, descriptor.
  kCancelled,        ///< Stopped by the user or by a deadline that the user set.
  kInternal,         ///< A defect of vecload.
};

/// Returns the code's name in snake_case, e.g. "invalid_argument".
std::string_view CodeName(Code code);

/// What a service said when it refused a call; empty strings where it said nothing.
struct ServiceError {
  int http_status = 0;
  std::string aws_code;    ///< E.g. "TooManyRequestsException".
  std::string request_id;  ///< x-amzn-RequestId, for AWS support.
};

/// The outcome of an operation: success, or a code and a message that says what failed, on what,
/// and what to do about it. Cheap to move; a success holds no memory. Immutable but for
/// assignment; const access is thread-safe.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Code code, std::string message);
  Status(Code code, std::string message, ServiceError service);

  static Status Ok() { return Status(); }
  static Status InvalidArgument(std::string message);
  static Status NotFound(std::string message);
  static Status Conflict(std::string message);
  static Status Denied(std::string message);
  static Status Throttled(std::string message);
  static Status Unavailable(std::string message);
  static Status Quota(std::string message);
  static Status Corrupt(std::string message);
  static Status Io(std::string message);
  static Status Cancelled(std::string message);
  static Status Internal(std::string message);

  [[nodiscard]] bool ok() const { return state_ == nullptr; }
  [[nodiscard]] Code code() const;
  [[nodiscard]] const std::string& message() const;
  /// Returns what the service answered, or nullptr where no service was involved.
  [[nodiscard]] const ServiceError* service() const;
  /// Returns "code: message", or "ok".
  [[nodiscard]] std::string ToString() const;
  /// Returns the same failure with `context` and ": " before its message.
  [[nodiscard]] Status WithContext(std::string_view context) const;

 private:
  struct State {
    Code code;
    std::string message;
    std::optional<ServiceError> service;
  };
  std::shared_ptr<const State> state_;
};

/// A value, or the Status that says why there is none. Reading the value is allowed only after
/// ok() returned true.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<1>, std::move(value)) {}        // NOLINT: implicit
  Result(Status status) : state_(std::in_place_index<0>, std::move(status)) {  // NOLINT: implicit
    if (std::get<0>(state_).ok()) state_.template emplace<0>(Code::kInternal, "ok without a value");
  }

  [[nodiscard]] bool ok() const { return state_.index() == 1; }
  /// Returns the failure, or an ok Status.
  [[nodiscard]] Status status() const { return ok() ? Status() : std::get<0>(state_); }

  T& operator*() & { return std::get<1>(state_); }
  const T& operator*() const& { return std::get<1>(state_); }
  // By value: a reference into a temporary would dangle in `for (x : *Call())`.
  T operator*() && { return std::get<1>(std::move(state_)); }
  T* operator->() { return &std::get<1>(state_); }
  const T* operator->() const { return &std::get<1>(state_); }

 private:
  std::variant<Status, T> state_;
};

}  // namespace vecload

#define VECLOAD_CONCAT_INNER(a, b) a##b
#define VECLOAD_CONCAT(a, b) VECLOAD_CONCAT_INNER(a, b)

/// Returns from the calling function with the Status of `expr` unless it is ok.
#define VECLOAD_RETURN_IF_ERROR(expr)                \
  do {                                               \
    ::vecload::Status vecload_status = (expr);       \
    if (!vecload_status.ok()) return vecload_status; \
  } while (false)

/// Assigns the value of the Result `expr` to `lhs`, or returns its Status.
#define VECLOAD_ASSIGN_OR_RETURN(lhs, expr) \
  VECLOAD_ASSIGN_OR_RETURN_IMPL(VECLOAD_CONCAT(vecload_result_, __LINE__), lhs, expr)
#define VECLOAD_ASSIGN_OR_RETURN_IMPL(result, lhs, expr) \
  auto result = (expr);                                  \
  if (!result.ok()) return result.status();              \
  lhs = *std::move(result)
