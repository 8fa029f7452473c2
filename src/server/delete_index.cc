#include "server/operations.h"

namespace vecload::server {

Answer DeleteIndex(const Service& service, const wire::DeleteIndexRequest& request) {
  if (!service.IsHere(request.index)) return IndexNotFound();
  const Status status = service.store().DeleteIndex(request.index.name());
  if (!status.ok()) return Failure(status, IndexNotFound());
  service.throttle().Forget(service.IndexArn(request.index.name()));
  return std::string(wire::kEmptyReply);
}

}  // namespace vecload::server
