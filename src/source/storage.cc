#include "source/storage.h"

#include <arrow/filesystem/localfs.h>
#include <arrow/io/file.h>

#include "auth/s3_options.h"
#include "source/arrow_status.h"

namespace vecload::source {

Result<Place> Storage::Locate(const std::string& location) {
  Place place;
  const size_t scheme = location.find("://");
  if (location.starts_with("s3://")) {
    place.is_s3 = true;
    place.path = location.substr(5);
    const std::string bucket = place.path.substr(0, place.path.find('/'));
    if (bucket.empty()) {
      return Status::InvalidArgument("source \"" + location +
                                     "\": an S3 source is s3://BUCKET/KEY");
    }
    VECLOAD_ASSIGN_OR_RETURN(place.filesystem, S3For(bucket));
    return place;
  }
  if (location.starts_with("file:///")) {
    place.path = location.substr(7);
  } else if (scheme != std::string::npos && location.find('/') == scheme + 1) {
    return Status::InvalidArgument("source \"" + location +
                                   "\": only local paths, file:///PATH and s3://BUCKET/KEY are "
                                   "read; copy the files to one of these");
  } else {
    place.path = location;
  }
  const std::lock_guard lock(mutex_);
  if (local_ == nullptr) local_ = std::make_shared<arrow::fs::LocalFileSystem>();
  place.filesystem = local_;
  return place;
}

Result<std::shared_ptr<arrow::fs::FileSystem>> Storage::S3For(const std::string& bucket) {
  const std::lock_guard lock(mutex_);
  if (const auto found = s3_.find(bucket); found != s3_.end()) return found->second;
  if (!settings_) {
    VECLOAD_ASSIGN_OR_RETURN(settings_, auth::ReadAwsSettings(s3_profile_, s3_region_, ""));
  }
  VECLOAD_ASSIGN_OR_RETURN(auto filesystem, auth::MakeS3FileSystem(*settings_, bucket));
  s3_.emplace(bucket, filesystem);
  return filesystem;
}

Result<std::shared_ptr<arrow::io::RandomAccessFile>> Storage::Open(const std::string& uri,
                                                                   Access access) {
  VECLOAD_ASSIGN_OR_RETURN(const Place place, Locate(uri));
  if (access == Access::kMap && !place.is_s3) {
    VECLOAD_ASSIGN_OR_RETURN(
        auto mapped,
        FromArrow(arrow::io::MemoryMappedFile::Open(place.path, arrow::io::FileMode::READ), uri));
    return std::shared_ptr<arrow::io::RandomAccessFile>(std::move(mapped));
  }
  return FromArrow(place.filesystem->OpenInputFile(place.path), uri);
}

}  // namespace vecload::source
