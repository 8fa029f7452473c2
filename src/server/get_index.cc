#include "server/operations.h"

namespace vecload::server {

Answer GetIndex(const Service& service, const wire::GetIndexRequest& request) {
  if (!service.IsHere(request.index)) return IndexNotFound();
  auto index = service.store().GetIndex(request.index.name());
  if (!index.ok()) return Failure(index.status(), IndexNotFound());
  index->arn = service.IndexArn(index->name);
  return wire::Encode(wire::GetIndexReply{*std::move(index)});
}

}  // namespace vecload::server
