#include "source/read_ahead.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <optional>
#include <utility>

#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>
#include <arrow/result.h>
#include <arrow/status.h>

#include "base/check.h"
#include "source/arrow_status.h"

namespace vecload::source {
namespace {

// Opening a file takes three requests one after the other, some 100 ms. Small files are read in
// less, so that many must be on their way; this many of 1 MB are 250 MB a second at 250 ms.
constexpr size_t kFilesAheadMax = 64;

}  // namespace

struct ReadAhead::Range {
  enum class State { kIdle, kUnderWay, kReady, kFailed };

  Reading* read = nullptr;
  ByteRange bytes;
  State state = State::kIdle;
  bool foreseen = false;  // to be fetched ahead, and not begun: counted in bytes_foreseen_
  Memory memory;
  int64_t unread = 0;
  uint64_t touched = 0;  // by which read in turn, from 1; 0: by none
  arrow::Status failure;
};

// One read of a file. Ranges never move.
struct ReadAhead::Reading {
  File* file = nullptr;
  std::vector<Range> ranges;      // in the order in which they are needed
  std::vector<Range*> by_offset;  // the same
  size_t next = 0;                // of `ranges`, to be fetched ahead
  bool finished = false;
};

struct ReadAhead::File : std::enable_shared_from_this<ReadAhead::File> {
  enum class State { kIdle, kOpening, kOpen, kFailed };

  State state = State::kIdle;
  int64_t size = 0;  // as it was planned
  Status failure;
  DataFile file;
  std::vector<std::unique_ptr<Reading>> reads;
};

// Arrow's view of one read. The position is of no use to Parquet's reader, which says where to
// read.
class ReadAhead::ViewFile : public arrow::io::RandomAccessFile {
 public:
  ViewFile(ReadAhead* owner, Reading* read, int64_t size)
      : owner_(owner), read_(read), size_(size) {}
  ~ViewFile() override { Finish(); }

  arrow::Status Close() override {
    Finish();
    return arrow::Status::OK();
  }
  [[nodiscard]] bool closed() const override { return read_ == nullptr; }
  arrow::Result<int64_t> Tell() const override { return position_; }
  arrow::Status Seek(int64_t position) override {
    position_ = position;
    return arrow::Status::OK();
  }
  arrow::Result<int64_t> GetSize() override { return size_; }

  arrow::Result<int64_t> ReadAt(int64_t position, int64_t bytes, void* out) override {
    if (read_ == nullptr) return arrow::Status::Invalid("the file is closed");
    if (position < 0 || bytes < 0 || position > size_) {
      return arrow::Status::IOError("a read at ", position, " of ", size_, " bytes");
    }
    return owner_->ReadAt(read_, position, std::min(bytes, size_ - position), out);
  }
  arrow::Result<std::shared_ptr<arrow::Buffer>> ReadAt(int64_t position, int64_t bytes) override {
    // A length that is damaged is not to be allocated.
    const int64_t there = std::clamp<int64_t>(size_ - position, 0, std::max<int64_t>(0, bytes));
    ARROW_ASSIGN_OR_RAISE(auto buffer, arrow::AllocateResizableBuffer(there));
    ARROW_ASSIGN_OR_RAISE(const int64_t got, ReadAt(position, there, buffer->mutable_data()));
    ARROW_RETURN_NOT_OK(buffer->Resize(got));
    return std::shared_ptr<arrow::Buffer>(std::move(buffer));
  }
  arrow::Result<int64_t> Read(int64_t bytes, void* out) override {
    ARROW_ASSIGN_OR_RAISE(const int64_t got, ReadAt(position_, bytes, out));
    position_ += got;
    return got;
  }
  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(int64_t bytes) override {
    ARROW_ASSIGN_OR_RAISE(auto buffer, ReadAt(position_, bytes));
    position_ += buffer->size();
    return buffer;
  }

 private:
  void Finish() {
    if (read_ == nullptr) return;
    const Lock lock(owner_->mutex_);
    owner_->Finish(std::exchange(read_, nullptr));
  }

  ReadAhead* owner_;
  Reading* read_;
  const int64_t size_;
  int64_t position_ = 0;
};

ReadAhead::ReadAhead(std::span<const uint64_t> file_bytes, Limits limits, OpenCallback open)
    : limits_(limits), open_(std::move(open)) {
  CHECK(limits.bytes_max / 2 >= limits.range_bytes_max);
  for (const uint64_t bytes : file_bytes) {
    files_.push_back(std::make_shared<File>());
    files_.back()->size = static_cast<int64_t>(bytes);
  }
  for (uint32_t i = 0; i < limits.threads; ++i) threads_.emplace_back([this] { Work(); });
}

ReadAhead::~ReadAhead() {
  {
    const Lock lock(mutex_);
    stopping_ = true;
    work_.notify_all();
  }
  threads_.clear();  // joins
}

void ReadAhead::Work() {
  Lock lock(mutex_);
  while (!stopping_) {
    if (IsOpeningUseful()) {
      Open(files_begun_, &lock);
    } else if (Range* range = NextRange(); range != nullptr) {
      Fetch(range, &lock);
    } else {
      work_.wait(lock);
    }
  }
}

bool ReadAhead::IsOpeningUseful() const {
  if (files_begun_ == files_.size() || files_begun_ >= entered_ + kFilesAheadMax) return false;
  // Twice the bound, so that the next file's ranges are known before there is room for them.
  return bytes_foreseen_ < static_cast<int64_t>(2 * limits_.bytes_max);
}

void ReadAhead::Open(size_t number, Lock* lock) {
  const std::shared_ptr<File> file = files_[number];
  file->state = File::State::kOpening;
  files_begun_ = number + 1;
  bytes_foreseen_ += file->size;
  work_.notify_one();
  lock->unlock();
  Result<Opened> opened = Guard("opening a file", [&] { return open_(number); });
  std::vector<std::unique_ptr<Reading>> reads;
  int64_t foreseen = 0;
  if (opened.ok()) {
    for (const std::vector<ByteRange>& ranges : opened->reads) {
      auto read = std::make_unique<Reading>();
      read->file = file.get();
      read->ranges.resize(ranges.size());
      for (size_t i = 0; i < ranges.size(); ++i) {
        Range& range = read->ranges[i];
        CHECK(static_cast<uint64_t>(ranges[i].bytes) <= limits_.range_bytes_max);
        range.read = read.get();
        range.bytes = ranges[i];
        range.foreseen = ranges[i].ahead;
        if (range.foreseen) foreseen += range.bytes.bytes;
        read->by_offset.push_back(&range);
      }
      std::ranges::sort(read->by_offset, {}, [](const Range* r) { return r->bytes.offset; });
      reads.push_back(std::move(read));
    }
  }
  lock->lock();
  bytes_foreseen_ += foreseen - file->size;
  if (opened.ok()) {
    file->file = std::move(opened->file);
    file->reads = std::move(reads);
  } else {
    file->failure = opened.status();
  }
  file->state = opened.ok() ? File::State::kOpen : File::State::kFailed;
  ready_.notify_all();
  work_.notify_one();
}

ReadAhead::Range* ReadAhead::NextRange() {
  for (; ahead_file_ < files_begun_; ++ahead_file_, ahead_read_ = 0) {
    const File& file = *files_[ahead_file_];
    if (file.state != File::State::kOpen) return nullptr;
    for (; ahead_read_ < file.reads.size(); ++ahead_read_) {
      Reading& read = *file.reads[ahead_read_];
      for (; !read.finished && read.next < read.ranges.size(); ++read.next) {
        Range& range = read.ranges[read.next];
        if (!range.foreseen) continue;
        // Room for one is kept for what is asked for before its turn.
        const auto bytes = static_cast<uint64_t>(range.bytes.bytes);
        if (bytes_used_ + bytes + limits_.range_bytes_max > limits_.bytes_max) return nullptr;
        ++read.next;
        return &range;
      }
    }
  }
  return nullptr;
}

void ReadAhead::Fetch(Range* range, Lock* lock) {
  const int64_t offset = range->bytes.offset;
  const int64_t bytes = range->bytes.bytes;
  const std::shared_ptr<File> file = range->read->file->shared_from_this();
  if (std::exchange(range->foreseen, false)) bytes_foreseen_ -= bytes;
  range->state = Range::State::kUnderWay;
  range->memory = TakeMemory(static_cast<uint64_t>(bytes));
  work_.notify_one();
  lock->unlock();
  arrow::Result<int64_t> got = 0;
  try {
    if (range->memory.bytes == nullptr) {
      range->memory.bytes = std::make_unique_for_overwrite<std::byte[]>(range->memory.size);
    }
    got = file->file.file->ReadAt(offset, bytes, range->memory.bytes.get());
  } catch (const std::bad_alloc&) {
    got = arrow::Status::OutOfMemory("out of memory");
  }
  arrow::Status failure = got.status();
  if (failure.ok() && *got < bytes) {
    failure = arrow::Status::IOError("the file ends before them: it was replaced or cut");
  }
  lock->lock();
  range->unread = bytes;
  range->touched = 0;
  range->state = Range::State::kReady;
  if (!failure.ok() || range->read->finished) Drop(range);
  if (!failure.ok()) {
    range->failure =
        failure.WithMessage("bytes ", offset, " to ", offset + bytes - 1, ": ", failure.message());
    range->state = Range::State::kFailed;
  }
  ready_.notify_all();
}

// The room must be there: bytes in use and these are within the bound.
ReadAhead::Memory ReadAhead::TakeMemory(uint64_t bytes) {
  Memory memory{nullptr, bytes};
  // Ranges are mostly of one length; pages that were touched once are cheaper than new ones.
  const auto fitting = std::ranges::find_if(
      spare_, [&](const Memory& spare) { return spare.size >= bytes && spare.size / 2 <= bytes; });
  if (fitting != spare_.end()) {
    memory = std::move(*fitting);
    spare_.erase(fitting);
    bytes_spare_ -= memory.size;
  }
  bytes_used_ += memory.size;
  while (!spare_.empty() && bytes_used_ + bytes_spare_ > limits_.bytes_max) {
    bytes_spare_ -= spare_.back().size;
    spare_.pop_back();
  }
  bytes_held_max_ = std::max(bytes_held_max_, bytes_used_ + bytes_spare_);
  return memory;
}

void ReadAhead::Drop(Range* range) {
  range->state = Range::State::kIdle;
  bytes_used_ -= range->memory.size;
  if (range->memory.bytes != nullptr) {
    bytes_spare_ += range->memory.size;
    spare_.push_back(std::move(range->memory));
  }
  range->memory = {};
  work_.notify_one();
}

void ReadAhead::Finish(Reading* read) {
  read->finished = true;
  for (Range& range : read->ranges) {
    if (std::exchange(range.foreseen, false)) bytes_foreseen_ -= range.bytes.bytes;
    if (range.state == Range::State::kReady) Drop(&range);
  }
  work_.notify_one();
}

Result<DataFile> ReadAhead::Enter(size_t number) {
  Lock lock(mutex_);
  CHECK(number < files_.size() && number >= entered_ && number <= entered_ + 1);
  if (number > entered_) {
    for (const auto& read : files_[entered_]->reads) Finish(read.get());
    files_[entered_].reset();  // whoever still fetches of it holds it until then
    entered_ = number;
    if (ahead_file_ < number) {
      ahead_file_ = number;
      ahead_read_ = 0;
    }
  }
  File& file = *files_[number];
  if (file.state == File::State::kIdle) Open(number, &lock);
  work_.notify_one();
  ready_.wait(lock, [&] { return file.state >= File::State::kOpen; });
  if (file.state == File::State::kFailed) return file.failure;
  return file.file;
}

std::shared_ptr<arrow::io::RandomAccessFile> ReadAhead::View(size_t read) {
  const Lock lock(mutex_);
  const File& file = *files_[entered_];
  CHECK(file.state == File::State::kOpen && read < file.reads.size());
  return std::make_shared<ViewFile>(this, file.reads[read].get(), file.file.size);
}

uint64_t ReadAhead::bytes_held_max() const {
  const Lock lock(mutex_);
  return bytes_held_max_;
}

arrow::Result<int64_t> ReadAhead::ReadAt(Reading* read, int64_t position, int64_t bytes,
                                         void* out) {
  int64_t done = 0;
  while (done < bytes) {
    ARROW_ASSIGN_OR_RAISE(const int64_t got, ReadOnce(read, position + done, bytes - done,
                                                      static_cast<std::byte*>(out) + done));
    if (got == 0) break;
    done += got;
  }
  return done;
}

// Reads what lies in one range, or between two.
arrow::Result<int64_t> ReadAhead::ReadOnce(Reading* read, int64_t position, int64_t bytes,
                                           void* out) {
  const auto after = std::ranges::upper_bound(read->by_offset, position, {},
                                              [](const Range* r) { return r->bytes.offset; });
  Range* range = after == read->by_offset.begin() ? nullptr : *std::prev(after);
  if (range == nullptr || range->bytes.offset + range->bytes.bytes <= position) {
    if (after != read->by_offset.end()) bytes = std::min(bytes, (*after)->bytes.offset - position);
    return read->file->file.file->ReadAt(position, bytes, out);
  }
  Lock lock(mutex_);
  ARROW_RETURN_NOT_OK(Await(range, &lock));
  lock.unlock();  // only this thread takes a range away that was fetched
  const int64_t begin = position - range->bytes.offset;
  bytes = std::min(bytes, range->bytes.bytes - begin);
  std::memcpy(out, range->memory.bytes.get() + begin, static_cast<size_t>(bytes));
  lock.lock();
  range->unread -= bytes;
  if (range->unread <= 0) Drop(range);
  return bytes;
}

arrow::Status ReadAhead::Await(Range* range, Lock* lock) {
  while (true) {
    switch (range->state) {
      case Range::State::kReady:
        range->touched = ++touches_;
        return arrow::Status::OK();
      case Range::State::kFailed:
        range->state = Range::State::kIdle;  // asked for again, it is fetched again
        return std::exchange(range->failure, arrow::Status::OK());
      case Range::State::kIdle:
        if (MakeRoom(static_cast<uint64_t>(range->bytes.bytes))) {
          Fetch(range, lock);
        } else {
          ready_.wait(*lock);
        }
        break;
      case Range::State::kUnderWay:
        ready_.wait(*lock);
        break;
    }
  }
}

// False where all that could make room is under way.
bool ReadAhead::MakeRoom(uint64_t bytes) {
  while (bytes_used_ + bytes > limits_.bytes_max) {
    Range* range = LeastUseful();
    if (range == nullptr) return false;
    Drop(range);
  }
  return true;
}

// Of what was fetched and not read, what is needed last; where all was begun, what nobody has read
// of for the longest time.
ReadAhead::Range* ReadAhead::LeastUseful() {
  Range* last = nullptr;
  Range* stale = nullptr;
  for (size_t i = entered_; i < files_begun_; ++i) {
    if (files_[i]->state != File::State::kOpen) continue;
    for (const auto& read : files_[i]->reads) {
      for (Range& range : read->ranges) {
        if (range.state != Range::State::kReady) continue;
        if (range.touched == 0) last = &range;
        if (stale == nullptr || range.touched < stale->touched) stale = &range;
      }
    }
  }
  return last != nullptr ? last : stale;
}

}  // namespace vecload::source
