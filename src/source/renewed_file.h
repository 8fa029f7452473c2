#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>

#include <arrow/io/interfaces.h>
#include <arrow/result.h>

namespace vecload::source {

// A far file that may have to be opened again while it is read, since the keys with which it was
// opened are refused. Thread-safe where the files are.
class RenewedFile : public arrow::io::RandomAccessFile {
 public:
  using File = std::shared_ptr<arrow::io::RandomAccessFile>;
  // The same file opened with other keys; null where there are none. Called by one thread at a
  // time.
  using OpenAgain = std::function<arrow::Result<File>()>;

  RenewedFile(File file, OpenAgain open_again);

  arrow::Status Close() override { return Current()->Close(); }
  [[nodiscard]] bool closed() const override { return Current()->closed(); }
  arrow::Result<int64_t> Tell() const override { return position_; }
  arrow::Status Seek(int64_t position) override;
  arrow::Result<int64_t> GetSize() override { return Current()->GetSize(); }
  arrow::Result<std::shared_ptr<const arrow::KeyValueMetadata>> ReadMetadata() override {
    return Current()->ReadMetadata();
  }

  arrow::Result<int64_t> ReadAt(int64_t position, int64_t bytes, void* out) override;
  arrow::Result<std::shared_ptr<arrow::Buffer>> ReadAt(int64_t position, int64_t bytes) override;
  arrow::Result<int64_t> Read(int64_t bytes, void* out) override;
  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(int64_t bytes) override;

 private:
  [[nodiscard]] File Current() const;
  // What took the place of `failed`, the file whose read was refused; `failed` itself where nothing
  // did.
  arrow::Result<File> Renew(const File& failed);
  template <typename T, typename ReadOf>
  arrow::Result<T> Reading(const ReadOf& read);

  const OpenAgain open_again_;
  mutable std::mutex mutex_;
  File file_;  // guarded by mutex_
  int64_t position_ = 0;
};

}  // namespace vecload::source
