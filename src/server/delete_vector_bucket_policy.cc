#include "server/operations.h"

namespace vecload::server {

// A bucket without a policy is fine too: the operation is idempotent.
Answer DeleteVectorBucketPolicy(const Service& service,
                                const wire::DeleteVectorBucketPolicyRequest& request) {
  if (!service.IsHere(request.bucket)) return BucketNotFound();
  const Status status =
      service.store().ChangeBucket(request.bucket.name, [](store::Bucket* bucket) {
        bucket->policy.clear();
        return Status::Ok();
      });
  if (!status.ok()) return Failure(status, BucketNotFound());
  return std::string(wire::kEmptyReply);
}

}  // namespace vecload::server
