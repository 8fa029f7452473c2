#include "server/operations.h"

namespace vecload::server {

Answer ListTagsForResource(const Service& service,
                           const wire::ListTagsForResourceRequest& request) {
  if (!service.IsHere(request.resource)) return NotFound(request.resource);
  auto tags = service.store().GetTags(request.resource.name());
  if (!tags.ok()) return Failure(tags.status(), NotFound(request.resource));
  return wire::Encode(wire::ListTagsForResourceReply{*std::move(tags)});
}

}  // namespace vecload::server
