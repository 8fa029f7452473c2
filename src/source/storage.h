#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include <arrow/type_fwd.h>

#include "auth/credentials.h"
#include "vecload/source.h"
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

// Where files are: this machine or S3. Opens one S3 client a bucket, when it is first asked for,
// and again where the options' own keys have changed since. Thread-safe.
class Storage {
 public:
  // Of the options those for S3 count.
  explicit Storage(const SourceOptions& options)
      : s3_profile_(options.s3_profile), s3_region_(options.s3_region), s3_keys_(options.s3_keys) {}

  // `location`: a local path, file:///PATH or s3://BUCKET[/KEY]. kInvalidArgument: another scheme.
  Result<Place> Locate(const std::string& location);

  // kMap maps a local file into memory, for formats that are read in place.
  enum class Access { kRead, kMap };
  Result<std::shared_ptr<arrow::io::RandomAccessFile>> Open(const std::string& uri, Access access);

 private:
  using Keys = std::shared_ptr<const auth::Credentials>;
  struct S3 {
    std::shared_ptr<arrow::fs::FileSystem> filesystem;
    Keys keys;  // null: those of the chain, which the file system renews by itself
  };
  using File = std::shared_ptr<arrow::io::RandomAccessFile>;

  Result<S3> S3For(const std::string& bucket);
  // Called with mutex_ held.
  Status PrepareS3();
  Result<File> OpenOnS3(const std::string& uri);
  // Asks for newer keys than *keys, which were refused; null where there are none.
  Result<File> OpenWithNewerKeys(const std::string& uri, Keys* keys);

  const std::string s3_profile_;
  const std::string s3_region_;
  const AwsKeysCallback s3_keys_;
  std::mutex mutex_;
  std::shared_ptr<arrow::fs::FileSystem> local_;
  std::optional<auth::AwsSettings> settings_;
  std::shared_ptr<auth::CredentialProvider> provider_;  // of s3_keys_
  std::map<std::string, S3> s3_;
};

}  // namespace vecload::source
