#include "server/operations.h"

namespace vecload::server {

Answer PutVectorBucketPolicy(const Service& service,
                             const wire::PutVectorBucketPolicyRequest& request) {
  if (!service.IsHere(request.bucket)) return BucketNotFound();
  const Status status =
      service.store().ChangeBucket(request.bucket.name, [&](store::Bucket* bucket) {
        bucket->policy = request.policy;
        return Status::Ok();
      });
  if (!status.ok()) return Failure(status, BucketNotFound());
  return std::string(wire::kEmptyReply);
}

}  // namespace vecload::server
