#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "load/append_file.h"
#include "load/coverage.h"
#include "vecload/source.h"
#include "vecload/status.h"

namespace vecload::load {

// One line of a rejects file, with its line feed: {"file":…,"row":…,"key":…,"rule":…,"message":…};
// key_base64 in place of key where the key is not UTF-8; neither where the row has no key.
std::string RejectLine(const Reject& reject, const SourceFile& file);

// Sets the key of `reject`: as it is, or in base64 where it is not UTF-8.
void SetRejectKey(std::string_view key, Reject* reject);

// Appends rejected rows as JSON Lines. Not thread-safe.
class RejectsFile {
 public:
  // Makes the file, or cuts it to its first `keep_bytes`: what a journal vouches for. kIo, naming
  // it, where it cannot be written, or is shorter. An empty path gives a file that takes lines and
  // keeps none.
  static Result<std::unique_ptr<RejectsFile>> Open(const std::string& path, uint64_t keep_bytes);
  // The same with a file that is open.
  static Result<std::unique_ptr<RejectsFile>> Open(const std::string& path, uint64_t keep_bytes,
                                                   std::unique_ptr<AppendFile> file);

  // Writes the lines whole, or cuts off what it wrote of them and returns kIo.
  Status Append(std::span<const Reject> rejects, const Manifest& manifest);
  // Makes what was appended survive a power cut.
  Status Sync();
  // Of the lines that were appended whole, earlier runs' included.
  [[nodiscard]] uint64_t size() const { return size_; }

 private:
  RejectsFile(std::string path, std::unique_ptr<AppendFile> file)
      : path_(std::move(path)), file_(std::move(file)) {}
  Status Keep(uint64_t bytes);

  std::string path_;
  std::unique_ptr<AppendFile> file_;  // null: lines are taken and not kept
  uint64_t size_ = 0;
  bool synced_ = true;
};

// Whether rejects written there can be cut back and gone on with: a regular file, or none yet.
bool IsResumable(const std::string& path);

}  // namespace vecload::load
