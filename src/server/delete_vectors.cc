#include "server/operations.h"

namespace vecload::server {

Answer DeleteVectors(const Service& service, const wire::DeleteVectorsRequest& request) {
  const auto index = service.Find(request.index);
  if (!index.ok()) return Failure(index.status(), IndexNotFound());
  const std::string arn = service.IndexArn((*index)->info().name);
  if (!service.throttle().Admit(arn, request.keys.size())) return TooManyRequests();
  const Status status = (*index)->Delete(request.keys);
  if (!status.ok()) return Failure(status, IndexNotFound());
  return std::string(wire::kEmptyReply);
}

}  // namespace vecload::server
