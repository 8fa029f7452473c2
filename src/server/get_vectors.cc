#include "server/operations.h"

namespace vecload::server {

Answer GetVectors(const Service& service, const wire::GetVectorsRequest& request) {
  const auto index = service.Find(request.index);
  if (!index.ok()) return Failure(index.status(), IndexNotFound());
  auto records = (*index)->Get(request.keys,
                               {.data = request.return_data, .metadata = request.return_metadata});
  if (!records.ok()) return Failure(records.status(), IndexNotFound());
  return wire::Encode(wire::GetVectorsReply{*std::move(records)});
}

}  // namespace vecload::server
