#include "source/arrow_status.h"

#include <cerrno>
#include <utility>

#include <arrow/util/io_util.h>

namespace vecload::source {
namespace {

bool Contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// Arrow tells S3's failures apart only in the text of an IOError ("AWS Error ACCESS_DENIED ...").
Code CodeOfS3Message(std::string_view text) {
  for (const auto* denied :
       {"ACCESS_DENIED", "INVALID_ACCESS_KEY_ID", "SIGNATURE_DOES_NOT_MATCH", "InvalidAccessKeyId",
        "SignatureDoesNotMatch", "HTTP status 403", "ExpiredToken", "UNRECOGNIZED_CLIENT"}) {
    if (Contains(text, denied)) return Code::kDenied;
  }
  for (const auto* absent : {"NO_SUCH_BUCKET", "NO_SUCH_KEY", "RESOURCE_NOT_FOUND"}) {
    if (Contains(text, absent)) return Code::kNotFound;
  }
  for (const auto* later : {"NETWORK_CONNECTION", "SLOW_DOWN", "SERVICE_UNAVAILABLE",
                            "REQUEST_TIMEOUT", "INTERNAL_FAILURE"}) {
    if (Contains(text, later)) return Code::kUnavailable;
  }
  return Code::kIo;
}

Code CodeOf(const arrow::Status& status) {
  const int error = arrow::internal::ErrnoFromStatus(status);
  if (error == ENOENT || error == ENOTDIR) return Code::kNotFound;
  if (error == EACCES || error == EPERM) return Code::kDenied;
  if (status.IsOutOfMemory() || error != 0) return Code::kIo;
  if (status.IsIOError() && Contains(status.message(), "AWS Error")) {
    return CodeOfS3Message(status.message());
  }
  if (status.IsCancelled()) return Code::kCancelled;
  // Arrow's IPC reader calls damage an IOError as well, its Parquet reader Invalid.
  return Code::kCorrupt;
}

}  // namespace

Status FromArrow(const arrow::Status& status, std::string_view what) {
  if (status.ok()) return Status::Ok();
  const Code code = CodeOf(status);
  std::string message = std::string(what) + ": " + status.message();
  if (code == Code::kDenied && Contains(message, "AWS Error")) {
    message +=
        " Check the credentials (--source-profile, AWS_PROFILE) and that they allow "
        "s3:GetObject and s3:ListBucket.";
  }
  return {code, std::move(message)};
}

}  // namespace vecload::source
