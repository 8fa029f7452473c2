#include "server/operations.h"

namespace vecload::server {

Answer CreateVectorBucket(const Service& service, const wire::CreateVectorBucketRequest& request) {
  const bool given = !request.encryption.sse_type.empty();
  const Status status =
      service.store().CreateBucket({.name = request.name,
                                    .sse_type = given ? request.encryption.sse_type : "AES256",
                                    .kms_key_arn = request.encryption.kms_key_arn},
                                   request.tags);
  if (status.code() == Code::kConflict) {
    return Conflict("A vector bucket with the specified name already exists");
  }
  if (!status.ok()) return Failure(status, BucketNotFound());
  return wire::Encode(wire::CreateVectorBucketReply{service.BucketArn(request.name)});
}

}  // namespace vecload::server
