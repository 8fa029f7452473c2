#include "server/service.h"

#include <utility>

namespace vecload::server {
namespace {

constexpr char kAccount[] = "000000000000";

}  // namespace

std::string Service::BucketArn(const std::string& bucket) const {
  return "arn:aws:s3vectors:" + parts_.region + ":" + kAccount + ":bucket/" + bucket;
}

std::string Service::IndexArn(const IndexName& index) const {
  return BucketArn(index.bucket) + "/index/" + index.index;
}

bool Service::IsHere(const wire::BucketTarget& bucket) const {
  return bucket.arn.empty() || bucket.arn == BucketArn(bucket.name);
}

bool Service::IsHere(const wire::IndexTarget& index) const {
  return index.arn.empty() || index.arn == IndexArn(index.name());
}

bool Service::IsHere(const wire::ResourceTarget& resource) const {
  return resource.arn ==
         (resource.index.empty() ? BucketArn(resource.bucket) : IndexArn(resource.name()));
}

Result<std::shared_ptr<store::Index>> Service::Find(const wire::IndexTarget& index) const {
  if (!IsHere(index)) return Status::NotFound(index.arn + " is not on this server");
  return store().FindIndex(index.name());
}

wire::WireError BucketNotFound() {
  return wire::MakeError("NotFoundException", "The specified vector bucket could not be found");
}

wire::WireError IndexNotFound() {
  return wire::MakeError("NotFoundException", "The specified index could not be found");
}

wire::WireError NotFound(const wire::ResourceTarget& resource) {
  return resource.index.empty() ? BucketNotFound() : IndexNotFound();
}

wire::WireError Conflict(std::string message) {
  return wire::MakeError("ConflictException", std::move(message));
}

wire::WireError TooManyRequests() {
  return wire::MakeError("TooManyRequestsException",
                         "The request rate of this index is too high. Reduce your request rate");
}

wire::WireError InvalidToken() {
  return wire::ValidationError("The specified nextToken is not valid", "nextToken");
}

wire::WireError InvalidRecord(size_t number, const wire::PutVectorsRequest::Entry& entry,
                              std::string_view member, const std::string& rule) {
  wire::WireError error =
      wire::ValidationError("Invalid record for key '" + std::string(entry.key) + "': " + rule);
  error.fields.push_back({"vectors[" + std::to_string(number) + "]." + std::string(member), rule});
  return error;
}

wire::WireError Failure(const Status& status, wire::WireError not_found) {
  if (status.code() == Code::kNotFound) return not_found;
  if (status.code() == Code::kConflict) return Conflict(status.message());
  if (status.code() == Code::kInvalidArgument) return wire::ValidationError(status.message());
  if (status.code() == Code::kQuota) {
    return wire::MakeError("ServiceQuotaExceededException", status.message());
  }
  // Whoever runs this server also reads its answers: what failed on the disk is for them to know.
  return wire::MakeError("InternalServerException", status.ToString());
}

}  // namespace vecload::server
