#include "pace/remedy.h"

#include <algorithm>
#include <array>

namespace vecload::pace {
namespace {

enum class Kind { kTransient, kOverload, kBadRecord, kExpired, kSkewed, kFinal };

struct Row {
  std::string_view aws_code;
  Kind kind;
};

// Names from botocore's s3vectors model, and those that AWS's front end gives for every service.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_S3VectorBuckets_PutVectors.html#API_S3VectorBuckets_PutVectors_Errors
constexpr std::array kByCode = {
    Row{"TooManyRequestsException", Kind::kOverload},
    Row{"ThrottlingException", Kind::kOverload},
    Row{"Throttling", Kind::kOverload},
    Row{"SlowDown", Kind::kOverload},
    Row{"ServiceUnavailableException", Kind::kOverload},
    Row{"ServiceUnavailable", Kind::kOverload},
    Row{"InternalServerException", Kind::kTransient},
    Row{"InternalFailure", Kind::kTransient},
    Row{"RequestTimeoutException", Kind::kTransient},
    Row{"RequestTimeout", Kind::kTransient},
    Row{"ValidationException", Kind::kBadRecord},
    Row{"SerializationException", Kind::kBadRecord},
    Row{"ExpiredToken", Kind::kExpired},
    Row{"ExpiredTokenException", Kind::kExpired},
    Row{"RequestTimeTooSkewed", Kind::kSkewed},
    Row{"RequestExpired", Kind::kSkewed},
    Row{"SignatureDoesNotMatch", Kind::kFinal},
    Row{"InvalidSignatureException", Kind::kFinal},
    Row{"UnrecognizedClientException", Kind::kFinal},
    Row{"InvalidClientTokenId", Kind::kFinal},
    Row{"AccessDeniedException", Kind::kFinal},
    Row{"AccessDenied", Kind::kFinal},
    Row{"NotFoundException", Kind::kFinal},
    Row{"ConflictException", Kind::kFinal},
    Row{"ServiceQuotaExceededException", Kind::kFinal},
    Row{"KmsDisabledException", Kind::kFinal},
    Row{"KmsInvalidKeyUsageException", Kind::kFinal},
    Row{"KmsInvalidStateException", Kind::kFinal},
    Row{"KmsNotFoundException", Kind::kFinal},
};

Kind ByStatus(int http_status, bool has_code) {
  switch (http_status) {
    case 429:
    case 503:
      return Kind::kOverload;
    case 408:
      return Kind::kTransient;
    case 413:
      return Kind::kBadRecord;  // too large for something in between: halves may pass
    case 400:
      // A code that is not in the table is nothing that smaller batches mend.
      return has_code ? Kind::kFinal : Kind::kBadRecord;
    default:
      return http_status >= 500 ? Kind::kTransient : Kind::kFinal;
  }
}

Kind KindOf(const ServiceError& error) {
  const auto* const row = std::ranges::find(kByCode, error.aws_code, &Row::aws_code);
  if (row != kByCode.end()) return row->kind;
  return ByStatus(error.http_status, !error.aws_code.empty());
}

}  // namespace

std::string_view RemedyName(Remedy remedy) {
  switch (remedy) {
    case Remedy::kDone:
      return "done";
    case Remedy::kRetry:
      return "retry";
    case Remedy::kRetrySlower:
      return "retry_slower";
    case Remedy::kRejectNamed:
      return "reject_named";
    case Remedy::kHalve:
      return "halve";
    case Remedy::kRefreshCredentials:
      return "refresh_credentials";
    case Remedy::kMendClock:
      return "mend_clock";
    case Remedy::kStop:
      return "stop";
  }
  return "stop";
}

Remedy DecideRemedy(const Status& status, const Attempt& attempt) {
  if (status.ok()) return Remedy::kDone;
  const ServiceError* const error = status.service();
  if (error == nullptr) {
    return status.code() == Code::kUnavailable ? Remedy::kRetry : Remedy::kStop;
  }
  switch (KindOf(*error)) {
    case Kind::kTransient:
      return Remedy::kRetry;
    case Kind::kOverload:
      return Remedy::kRetrySlower;
    case Kind::kBadRecord:
      return attempt.names_records ? Remedy::kRejectNamed : Remedy::kHalve;
    case Kind::kExpired:
      return attempt.refreshed ? Remedy::kStop : Remedy::kRefreshCredentials;
    case Kind::kSkewed:
      return attempt.clock_mended ? Remedy::kStop : Remedy::kMendClock;
    case Kind::kFinal:
      return Remedy::kStop;
  }
  return Remedy::kStop;
}

}  // namespace vecload::pace
