#include "server/operations.h"

namespace vecload::server {

namespace {

// 2026-09-30T00:00Z: only indexes of older buckets can be set to CLASSIC (botocore's model).
constexpr double kClassicEndsAtS = 1'790'726'400;

}  // namespace

Answer UpdateIndexMode(const Service& service, const wire::UpdateIndexModeRequest& request) {
  if (!service.IsHere(request.index)) return IndexNotFound();
  const auto bucket = service.store().GetBucket(request.index.bucket);
  if (!bucket.ok()) return Failure(bucket.status(), IndexNotFound());
  const bool is_old = bucket->creation_time_s < kClassicEndsAtS;
  const Status status = service.store().ChangeIndex(request.index.name(), [&](IndexInfo* index) {
    if (request.mode == IndexMode::kClassic) {
      if (!is_old) {
        return Status::InvalidArgument(
            "CLASSIC is for indexes of vector buckets created before September 30, 2026");
      }
      if (!index->text_search.empty()) {
        return Status::InvalidArgument(
            "An index with text search configurations cannot be CLASSIC");
      }
    }
    index->mode = request.mode;
    return Status::Ok();
  });
  if (!status.ok()) return Failure(status, IndexNotFound());
  return std::string(wire::kEmptyReply);
}

}  // namespace vecload::server
