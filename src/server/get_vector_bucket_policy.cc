#include "server/operations.h"

namespace vecload::server {

Answer GetVectorBucketPolicy(const Service& service,
                             const wire::GetVectorBucketPolicyRequest& request) {
  if (!service.IsHere(request.bucket)) return BucketNotFound();
  auto bucket = service.store().GetBucket(request.bucket.name);
  if (!bucket.ok()) return Failure(bucket.status(), BucketNotFound());
  if (bucket->policy.empty()) {
    return wire::MakeError("NotFoundException",
                           "The specified vector bucket policy could not be found");
  }
  return wire::Encode(wire::GetVectorBucketPolicyReply{std::move(bucket->policy)});
}

}  // namespace vecload::server
