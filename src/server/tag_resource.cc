#include <algorithm>

#include "server/operations.h"
#include "wire/limits.h"

namespace vecload::server {

Answer TagResource(const Service& service, const wire::TagResourceRequest& request) {
  if (!service.IsHere(request.resource)) return NotFound(request.resource);
  const Status status = service.store().ChangeTags(request.resource.name(), [&](store::Tags* tags) {
    for (const auto& [key, value] : request.tags) {
      const auto same = std::ranges::find(*tags, key, &store::Tags::value_type::first);
      if (same != tags->end()) {
        same->second = value;
      } else {
        tags->emplace_back(key, value);
      }
    }
    if (tags->size() <= wire::kTagsMax) return Status::Ok();
    return Status::InvalidArgument("Too many tags specified");
  });
  if (!status.ok()) return Failure(status, NotFound(request.resource));
  return std::string(wire::kEmptyReply);
}

}  // namespace vecload::server
