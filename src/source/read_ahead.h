#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include <arrow/type_fwd.h>

#include "source/data_file.h"
#include "vecload/status.h"

namespace vecload::source {

// Fetches what will be read of files that are far away while the caller reads what comes before:
// opens them and fetches their ranges in order, several at once, on threads of its own. What it has
// fetched and is fetching stays within a bound, whatever is read in whatever order; what it did not
// foresee is fetched when it is asked for. One thread reads.
class ReadAhead {
 public:
  struct Limits {
    uint64_t bytes_max = 0;        // at least two ranges
    uint64_t range_bytes_max = 0;  // no range is longer
    uint32_t threads = 0;          // 0: nothing is fetched before it is asked for
  };
  // A file, and the ranges of each read of it, in the order in which they are needed.
  struct Opened {
    DataFile file;
    std::vector<std::vector<ByteRange>> reads;
  };
  // Called once a file, on any thread; begun in order, and several at once.
  using OpenCallback = std::function<Result<Opened>(size_t file)>;

  // `file_bytes` has the size of each file, which tells how many are worth opening early.
  ReadAhead(std::span<const uint64_t> file_bytes, Limits limits, OpenCallback open);
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;
  // Begins no further request and waits for those under way. No view may be left.
  ~ReadAhead();

  // The next file, once it is open: they are entered one after the other, from 0, and what was
  // fetched of the one before is dropped. No view of that may be left.
  Result<DataFile> Enter(size_t file);
  // The file that was entered, for one read of it: reads as the plain file would, and where
  // fetching has failed the read that needs those bytes says so.
  std::shared_ptr<arrow::io::RandomAccessFile> View(size_t read);

  // The most that was held at once, in fetched ranges, in those being fetched and in spare memory.
  [[nodiscard]] uint64_t bytes_held_max() const;

 private:
  struct Memory {
    std::unique_ptr<std::byte[]> bytes;
    uint64_t size = 0;
  };
  struct Range;
  struct Reading;
  struct File;
  class ViewFile;
  using Lock = std::unique_lock<std::mutex>;

  void Work();
  [[nodiscard]] bool IsOpeningUseful() const;
  void Open(size_t number, Lock* lock);
  Range* NextRange();
  void Fetch(Range* range, Lock* lock);
  arrow::Status Await(Range* range, Lock* lock);
  bool MakeRoom(uint64_t bytes);
  Range* LeastUseful();
  Memory TakeMemory(uint64_t bytes);
  void Drop(Range* range);
  void Finish(Reading* read);
  arrow::Result<int64_t> ReadAt(Reading* read, int64_t position, int64_t bytes, void* out);
  arrow::Result<int64_t> ReadOnce(Reading* read, int64_t position, int64_t bytes, void* out);

  const Limits limits_;
  const OpenCallback open_;

  mutable std::mutex mutex_;
  std::condition_variable work_;   // there may be something to do; a thread that finds it tells
                                   // the next, so that one is woken at a time
  std::condition_variable ready_;  // a file was opened or a range fetched
  std::vector<std::shared_ptr<File>> files_;
  size_t files_begun_ = 0;  // opened, or being opened
  size_t entered_ = 0;      // the file that is being read
  size_t ahead_file_ = 0;   // where fetching ahead has come to
  size_t ahead_read_ = 0;
  int64_t bytes_foreseen_ = 0;  // not begun, of files that are; a file not yet open counts whole
  uint64_t bytes_used_ = 0;     // by ranges fetched and being fetched
  uint64_t bytes_spare_ = 0;
  uint64_t bytes_held_max_ = 0;
  uint64_t touches_ = 0;
  std::vector<Memory> spare_;
  bool stopping_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace vecload::source
