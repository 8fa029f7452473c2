#include "source/storage.h"

#include <arrow/filesystem/localfs.h>
#include <arrow/io/file.h>

#include "auth/s3_options.h"
#include "source/arrow_status.h"
#include "source/renewed_file.h"

namespace vecload::source {
namespace {

using Keys = std::shared_ptr<const auth::Credentials>;

// Each reading makes a new set, of the same keys mostly.
bool Same(const Keys& left, const Keys& right) {
  if (left == nullptr || right == nullptr) return left == right;
  return left->access_key == right->access_key && left->secret_key == right->secret_key &&
         left->session_token == right->session_token;
}

}  // namespace

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
    VECLOAD_ASSIGN_OR_RETURN(const S3 found, S3For(bucket));
    place.filesystem = found.filesystem;
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

Status Storage::PrepareS3() {
  if (!settings_) {
    VECLOAD_ASSIGN_OR_RETURN(settings_, auth::ReadAwsSettings(s3_profile_, s3_region_, ""));
  }
  if (s3_keys_ && provider_ == nullptr) {
    VECLOAD_ASSIGN_OR_RETURN(provider_, auth::CredentialProvider::FromSource(s3_keys_));
  }
  return Status::Ok();
}

Result<Storage::S3> Storage::S3For(const std::string& bucket) {
  const std::lock_guard lock(mutex_);
  VECLOAD_RETURN_IF_ERROR(PrepareS3());
  const Keys keys = provider_ == nullptr ? nullptr : provider_->Current();
  S3& s3 = s3_[bucket];
  if (s3.filesystem != nullptr && Same(s3.keys, keys)) return s3;
  VECLOAD_ASSIGN_OR_RETURN(s3.filesystem, auth::MakeS3FileSystem(*settings_, bucket, keys.get()));
  s3.keys = keys;
  return s3;
}

Result<Storage::File> Storage::OpenOnS3(const std::string& uri) {
  const std::string path = uri.substr(5);
  VECLOAD_ASSIGN_OR_RETURN(const S3 s3, S3For(path.substr(0, path.find('/'))));
  auto opened = s3.filesystem->OpenInputFile(path);
  if (s3.keys == nullptr) return FromArrow(std::move(opened), uri);
  auto keys = std::make_shared<Keys>(s3.keys);
  if (!opened.ok()) {
    VECLOAD_ASSIGN_OR_RETURN(File again, OpenWithNewerKeys(uri, keys.get()));
    if (again == nullptr) return FromArrow(opened.status(), uri);
    opened = std::move(again);
  }
  const auto open_again = [this, uri, keys]() -> arrow::Result<File> {
    Result<File> again = OpenWithNewerKeys(uri, keys.get());
    if (!again.ok()) return arrow::Status::IOError(again.status().message());
    return *std::move(again);
  };
  return File(std::make_shared<RenewedFile>(*std::move(opened), open_again));
}

Result<Storage::File> Storage::OpenWithNewerKeys(const std::string& uri, Keys* keys) {
  // Its failure is no news: the keys stay as they are, and the service has said what it thinks.
  static_cast<void>(provider_->Refresh());
  const std::string path = uri.substr(5);
  VECLOAD_ASSIGN_OR_RETURN(const S3 s3, S3For(path.substr(0, path.find('/'))));
  if (Same(s3.keys, *keys)) return File();
  *keys = s3.keys;
  return FromArrow(s3.filesystem->OpenInputFile(path), uri);
}

Result<Storage::File> Storage::Open(const std::string& uri, Access access) {
  if (IsOnS3(uri)) return OpenOnS3(uri);
  VECLOAD_ASSIGN_OR_RETURN(const Place place, Locate(uri));
  if (access == Access::kMap) {
    VECLOAD_ASSIGN_OR_RETURN(
        auto mapped,
        FromArrow(arrow::io::MemoryMappedFile::Open(place.path, arrow::io::FileMode::READ), uri));
    return File(std::move(mapped));
  }
  return FromArrow(place.filesystem->OpenInputFile(place.path), uri);
}

}  // namespace vecload::source
