#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>
#include <arrow/result.h>
#include <arrow/status.h>

#include "source/data_file.h"

namespace vecload::source::testing {

// A file in memory of which every request is written down; they wait while they are held back.
class FarFile : public arrow::io::RandomAccessFile {
 public:
  explicit FarFile(std::string bytes) : bytes_(std::move(bytes)) {}

  void HoldBack() {
    const std::lock_guard lock(mutex_);
    held_back_ = true;
  }
  void LetGo() {
    const std::lock_guard lock(mutex_);
    held_back_ = false;
    changed_.notify_all();
  }
  // Waits until so many requests have come in all.
  void AwaitRequests(size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return requests_.size() >= count; });
  }
  // The next request of this byte fails; the same one later does not.
  void FailOnceAt(int64_t position) {
    const std::lock_guard lock(mutex_);
    failing_.push_back(position);
  }
  [[nodiscard]] std::vector<ByteRange> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  [[nodiscard]] int64_t bytes_requested() const {
    int64_t bytes = 0;
    for (const ByteRange& request : requests()) bytes += request.bytes;
    return bytes;
  }
  [[nodiscard]] int64_t bytes_at_once_max() const {
    const std::lock_guard lock(mutex_);
    return bytes_at_once_max_;
  }

  arrow::Result<int64_t> ReadAt(int64_t position, int64_t bytes, void* out) override {
    std::unique_lock lock(mutex_);
    requests_.push_back({.offset = position, .bytes = bytes});
    bytes_at_once_ += bytes;
    bytes_at_once_max_ = std::max(bytes_at_once_max_, bytes_at_once_);
    changed_.notify_all();
    changed_.wait(lock, [&] { return !held_back_; });
    bytes_at_once_ -= bytes;
    const auto failing = std::ranges::find_if(
        failing_, [&](int64_t at) { return at >= position && at < position + bytes; });
    if (failing != failing_.end()) {
      failing_.erase(failing);
      return arrow::Status::IOError("AWS Error SLOW_DOWN");
    }
    const auto there = std::max<int64_t>(0, static_cast<int64_t>(bytes_.size()) - position);
    const int64_t got = std::min(bytes, there);
    std::memcpy(out, bytes_.data() + position, static_cast<size_t>(got));
    return got;
  }
  arrow::Result<std::shared_ptr<arrow::Buffer>> ReadAt(int64_t position, int64_t bytes) override {
    ARROW_ASSIGN_OR_RAISE(auto buffer, arrow::AllocateResizableBuffer(bytes));
    ARROW_ASSIGN_OR_RAISE(const int64_t got, ReadAt(position, bytes, buffer->mutable_data()));
    ARROW_RETURN_NOT_OK(buffer->Resize(got));
    return std::shared_ptr<arrow::Buffer>(std::move(buffer));
  }
  arrow::Result<int64_t> GetSize() override { return static_cast<int64_t>(bytes_.size()); }
  arrow::Status Close() override { return arrow::Status::OK(); }
  [[nodiscard]] bool closed() const override { return false; }
  arrow::Result<int64_t> Tell() const override { return arrow::Status::NotImplemented("Tell"); }
  arrow::Status Seek(int64_t) override { return arrow::Status::NotImplemented("Seek"); }
  arrow::Result<int64_t> Read(int64_t, void*) override {
    return arrow::Status::NotImplemented("Read");
  }
  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(int64_t) override {
    return arrow::Status::NotImplemented("Read");
  }

 private:
  const std::string bytes_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool held_back_ = false;
  std::vector<int64_t> failing_;
  std::vector<ByteRange> requests_;
  int64_t bytes_at_once_ = 0;
  int64_t bytes_at_once_max_ = 0;
};

}  // namespace vecload::source::testing
