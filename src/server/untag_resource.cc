#include <algorithm>

#include "server/operations.h"

namespace vecload::server {

// Keys that the resource does not have are passed over.
Answer UntagResource(const Service& service, const wire::UntagResourceRequest& request) {
  if (!service.IsHere(request.resource)) return NotFound(request.resource);
  const Status status = service.store().ChangeTags(request.resource.name(), [&](store::Tags* tags) {
    std::erase_if(*tags, [&](const auto& tag) {
      return std::ranges::find(request.keys, tag.first) != request.keys.end();
    });
    return Status::Ok();
  });
  if (!status.ok()) return Failure(status, NotFound(request.resource));
  return std::string(wire::kEmptyReply);
}

}  // namespace vecload::server
