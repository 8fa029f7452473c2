#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include <arrow/type_fwd.h>

#include "auth/credentials.h"
#include "vecload/status.h"

namespace arrow::fs {
class FileSystem;
}
namespace arrow::io {
class RandomAccessFile;
}

namespace vecload::source {

// A file system and a path in it.
struct Place {
  std::shared_ptr<arrow::fs::FileSystem> filesystem;
  std::string path;  // S3: BUCKET/KEY
  bool is_s3 = false;

  [[nodiscard]] std::string Uri(const std::string& of_path) const {
    return is_s3 ? "s3://" + of_path : of_path;
  }
};

// Where files are: this machine or S3. Opens one S3 client a bucket, when it is first asked for.
// Thread-safe.
class Storage {
 public:
  // Both may be empty: see SourceOptions.
  Storage(std::string s3_profile, std::string s3_region)
      : s3_profile_(std::move(s3_profile)), s3_region_(std::move(s3_region)) {}

  // `location`: a local path, file:///PATH or s3://BUCKET[/KEY]. kInvalidArgument: another scheme.
  Result<Place> Locate(const std::string& location);

  // kMap maps a local file into memory, for formats that are read in place.
  enum class Access { kRead, kMap };
  Result<std::shared_ptr<arrow::io::RandomAccessFile>> Open(const std::string& uri, Access access);

 private:
  Result<std::shared_ptr<arrow::fs::FileSystem>> S3For(const std::string& bucket);

  const std::string s3_profile_;
  const std::string s3_region_;
  std::mutex mutex_;
  std::shared_ptr<arrow::fs::FileSystem> local_;
  std::optional<auth::AwsSettings> settings_;
  std::map<std::string, std::shared_ptr<arrow::fs::FileSystem>> s3_;
};

}  // namespace vecload::source
