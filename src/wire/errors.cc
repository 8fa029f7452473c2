#include "wire/errors.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <span>

#include "base/json_text.h"
#include "wire/json_reader.h"

namespace vecload::wire {
namespace {

struct ErrorRow {
  std::string_view aws_code;
  int http_status;
  Code code;
  std::string_view advice;  // what the user can do; empty where the message says it all
};

constexpr std::string_view kSlowDown =
    "lower --rate-vectors or --rate-requests, or try again later";
constexpr std::string_view kTryLater = "try again later";
constexpr std::string_view kCheckKeys =
    "check the credentials: AWS_PROFILE, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, "
    "AWS_SESSION_TOKEN";
constexpr std::string_view kCheckClock = "set this machine's clock";
constexpr std::string_view kCheckKms =
    "check the index's KMS key: it must exist, be enabled and be for encryption";

// The errors of botocore's model s3vectors/2025-07-15, then those that AWS's front ends answer
// with before a service sees the call.
constexpr ErrorRow kErrors[] = {
    {"AccessDeniedException", 403, Code::kDenied,
     "grant the s3vectors permissions of this call, or choose another AWS_PROFILE"},
    {"ConflictException", 409, Code::kConflict, ""},
    {"InternalServerException", 500, Code::kUnavailable, kTryLater},
    {"KmsDisabledException", 400, Code::kDenied, kCheckKms},
    {"KmsInvalidKeyUsageException", 400, Code::kDenied, kCheckKms},
    {"KmsInvalidStateException", 400, Code::kDenied, kCheckKms},
    {"KmsNotFoundException", 400, Code::kDenied, kCheckKms},
    {"NotFoundException", 404, Code::kNotFound,
     "check the names and the region; create what is missing"},
    {"RequestTimeoutException", 408, Code::kUnavailable, kTryLater},
    {"ServiceQuotaExceededException", 402, Code::kQuota,
     "ask AWS for a higher quota, or use another index or bucket"},
    {"ServiceUnavailableException", 503, Code::kUnavailable, kTryLater},
    {"TooManyRequestsException", 429, Code::kThrottled, kSlowDown},
    {"ValidationException", 400, Code::kInvalidArgument, ""},

    {"SerializationException", 400, Code::kInvalidArgument, ""},
    {"UnknownOperationException", 404, Code::kInvalidArgument,
     "this endpoint does not know the call; check --endpoint-url"},
    {"UnrecognizedClientException", 403, Code::kDenied, kCheckKeys},
    {"InvalidClientTokenId", 403, Code::kDenied, kCheckKeys},
    {"InvalidAccessKeyId", 403, Code::kDenied, kCheckKeys},
    {"InvalidSignatureException", 403, Code::kDenied, kCheckKeys},
    {"SignatureDoesNotMatch", 403, Code::kDenied, kCheckKeys},
    {"IncompleteSignatureException", 403, Code::kDenied, kCheckKeys},
    {"MissingAuthenticationTokenException", 403, Code::kDenied, kCheckKeys},
    {"MissingAuthenticationToken", 403, Code::kDenied, kCheckKeys},
    {"OptInRequired", 403, Code::kDenied, "enable the region for this account"},
    {"ExpiredTokenException", 403, Code::kDenied, "log in again: the session token has expired"},
    {"ExpiredToken", 403, Code::kDenied, "log in again: the session token has expired"},
    {"RequestTimeTooSkewed", 403, Code::kDenied, kCheckClock},
    {"RequestExpired", 403, Code::kDenied, kCheckClock},
    {"ThrottlingException", 429, Code::kThrottled, kSlowDown},
    {"Throttling", 429, Code::kThrottled, kSlowDown},
    {"SlowDown", 503, Code::kThrottled, kSlowDown},
    {"RequestThrottled", 429, Code::kThrottled, kSlowDown},
    {"RequestTimeout", 408, Code::kUnavailable, kTryLater},
    {"InternalFailure", 500, Code::kUnavailable, kTryLater},
    {"InternalError", 500, Code::kUnavailable, kTryLater},
    {"ServiceUnavailable", 503, Code::kUnavailable, kTryLater},
};

const ErrorRow* FindRow(std::string_view aws_code) {
  const auto* row = std::ranges::find(kErrors, aws_code, &ErrorRow::aws_code);
  return row == std::end(kErrors) ? nullptr : row;
}

// For codes that the table does not know, and for answers of proxies, which have none.
ErrorRow RowOfStatus(int http_status) {
  switch (http_status) {
    case 401:
    case 403:
      return {"", http_status, Code::kDenied, kCheckKeys};
    case 402:
      return {"", http_status, Code::kQuota, ""};
    case 404:
      return {"", http_status, Code::kNotFound, "check --endpoint-url"};
    case 408:
      return {"", http_status, Code::kUnavailable, kTryLater};
    case 409:
      return {"", http_status, Code::kConflict, ""};
    case 429:
      return {"", http_status, Code::kThrottled, kSlowDown};
    default:
      break;
  }
  if (http_status >= 500) return {"", http_status, Code::kUnavailable, kTryLater};
  if (http_status >= 400) return {"", http_status, Code::kInvalidArgument, ""};
  // Redirects and other things that no S3 Vectors endpoint answers.
  return {"", http_status, Code::kInvalidArgument,
          "this is not an S3 Vectors endpoint; check --endpoint-url"};
}

// "com.amazon.s3vectors#NotFoundException:http://…" -> "NotFoundException".
std::string_view BareCode(std::string_view code) {
  code = code.substr(0, code.find(':'));
  if (const size_t hash = code.rfind('#'); hash != code.npos) code.remove_prefix(hash + 1);
  while (!code.empty() && code.back() == ' ') code.remove_suffix(1);
  while (!code.empty() && code.front() == ' ') code.remove_prefix(1);
  return code;
}

// The number after "vectors[" or "/vectors/"; the path may begin with either. What is deleted is
// named by "keys".
std::optional<size_t> RecordNumber(std::string_view path) {
  if (path.starts_with('/')) path.remove_prefix(1);
  const std::string_view list = path.starts_with("keys") ? "keys" : "vectors";
  if (!path.starts_with(list)) return std::nullopt;
  path.remove_prefix(list.size());
  if (path.empty() || (path[0] != '[' && path[0] != '/' && path[0] != '.')) return std::nullopt;
  const char close = path[0] == '[' ? ']' : path[0];
  path.remove_prefix(1);
  size_t number = 0;
  const auto [end, error] = std::from_chars(path.data(), path.data() + path.size(), number);
  if (error != std::errc()) return std::nullopt;
  const bool whole = end == path.data() + path.size() ? close != ']' : *end == close;
  return whole ? std::optional(number) : std::nullopt;
}

void ReadField(Reader* reader, Reader::Value value, FieldError* field) {
  reader->Object(value, "/fieldList", [&](std::string_view name, Reader::Value member) {
    if (name == "path") return reader->String(member, "/fieldList/path", &field->path);
    if (name == "message") return reader->String(member, "/fieldList/message", &field->message);
    reader->Ignore(member);
  });
}

}  // namespace

WireError MakeError(std::string_view aws_code, std::string message) {
  const ErrorRow* row = FindRow(aws_code);
  return {row == nullptr ? 400 : row->http_status, std::string(aws_code), std::move(message), {}};
}

WireError ValidationError(std::string message, std::string path) {
  WireError error = MakeError("ValidationException", std::move(message));
  if (!path.empty()) error.fields.push_back({std::move(path), error.message});
  return error;
}

WireError SerializationError(std::string message) {
  return MakeError("SerializationException", std::move(message));
}

std::string EncodeError(const WireError& error) {
  JsonWriter json;
  json.BeginObject().Key("message").String(error.message);
  if (!error.fields.empty()) {
    json.Key("fieldList").BeginArray();
    for (const FieldError& field : error.fields) {
      json.BeginObject().Key("path").String(field.path);
      json.Key("message").String(field.message).EndObject();
    }
    json.EndArray();
  }
  return json.EndObject().Take();
}

WireError DecodeError(int http_status, std::string_view error_type_header, std::string_view body) {
  WireError error;
  error.http_status = http_status;
  std::string body_code;
  Reader reader(body);
  reader.Document([&](std::string_view name, Reader::Value value) {
    if (name == "message" || name == "Message") {
      return reader.String(value, "/message", &error.message);
    }
    if (name == "__type" || name == "code" || name == "Code") {
      return reader.String(value, "/code", &body_code);
    }
    if (name != "fieldList") return reader.Ignore(value);
    reader.Array(value, "/fieldList", [&](size_t, Reader::Value element) {
      ReadField(&reader, element, &error.fields.emplace_back());
    });
  });
  if (reader.failed()) {
    // A proxy's page or a cut body: as much of it as helps a reader, if it is text at all.
    constexpr size_t kShown = 200;
    error.fields.clear();
    error.message = std::string(body.substr(0, kShown));
    if (!IsUtf8(error.message)) error.message.clear();
    body_code.clear();
  }
  error.aws_code = BareCode(error_type_header.empty() ? body_code : error_type_header);
  return error;
}

Status ToStatus(const WireError& error, std::string_view operation, std::string_view request_id) {
  const ErrorRow* known = FindRow(error.aws_code);
  const ErrorRow row = known != nullptr ? *known : RowOfStatus(error.http_status);
  std::string text = std::string(operation) + ": " + std::to_string(error.http_status);
  if (!error.aws_code.empty()) text += " " + error.aws_code;
  if (!error.message.empty()) text += ": " + error.message;
  if (!row.advice.empty()) text += "; " + std::string(row.advice);
  return {row.code, std::move(text),
          ServiceError{error.http_status, error.aws_code, std::string(request_id)}};
}

std::vector<size_t> NamedRecords(const std::vector<FieldError>& fields) {
  std::vector<size_t> numbers;
  for (const FieldError& field : fields) {
    if (const auto number = RecordNumber(field.path)) numbers.push_back(*number);
  }
  std::ranges::sort(numbers);
  numbers.erase(std::ranges::unique(numbers).begin(), numbers.end());
  return numbers;
}

}  // namespace vecload::wire
