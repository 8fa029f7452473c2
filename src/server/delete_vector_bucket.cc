#include "server/operations.h"

namespace vecload::server {

Answer DeleteVectorBucket(const Service& service, const wire::DeleteVectorBucketRequest& request) {
  if (!service.IsHere(request.bucket)) return BucketNotFound();
  const Status status = service.store().DeleteBucket(request.bucket.name);
  if (status.code() == Code::kConflict) {
    return Conflict("The specified vector bucket is not empty");
  }
  if (!status.ok()) return Failure(status, BucketNotFound());
  return std::string(wire::kEmptyReply);
}

}  // namespace vecload::server
