#include "source/vector_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <arrow/io/interfaces.h>
#include <arrow/table.h>
#include <fmt/format.h>
#include <parquet/arrow/writer.h>
#include <parquet/file_writer.h>
#include <parquet/metadata.h>

#include "source/arrow_status.h"
#include "source/vector_columns.h"

namespace vecload::source {
namespace {

constexpr std::string_view kMagic = "PAR1";
constexpr uint64_t kTailBytes = 8;  // a footer's length and the magic

Status WriteFailed(const std::string& path, int error) {
  const bool is_full = error == ENOSPC || error == EDQUOT || error == EFBIG;
  return Status::Io(fmt::format("{}: cannot be written: {}{}", path, std::strerror(error),
                                is_full ? "; make room there" : ""));
}

// Writes from a place of the file on, where Parquet's writers believe to be in the file: so what
// they note of places is right. Keeps what went wrong, which they tell as they like.
class PlaceWriter final : public arrow::io::OutputStream {
 public:
  PlaceWriter(const std::string& path, int descriptor, uint64_t begin, bool claims_begin)
      : path_(path),
        descriptor_(descriptor),
        begin_(begin),
        position_(begin),
        claims_begin_(claims_begin) {}

  arrow::Status Close() override {
    closed_ = true;
    return arrow::Status::OK();
  }
  [[nodiscard]] bool closed() const override { return closed_; }
  [[nodiscard]] arrow::Result<int64_t> Tell() const override {
    // Parquet's writers refuse to begin anywhere but at the begin of a file.
    if (claims_begin_ && position_ == begin_) return 0;
    return static_cast<int64_t>(position_);
  }
  arrow::Status Write(const void* data, int64_t length) override {
    const char* from = static_cast<const char*>(data);
    auto left = static_cast<size_t>(length);
    while (left > 0 && failure_.ok()) {
      const ssize_t written = pwrite(descriptor_, from, left, static_cast<off_t>(position_));
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) {
        failure_ = WriteFailed(path_, written == 0 ? ENOSPC : errno);
        break;
      }
      from += written;
      left -= static_cast<size_t>(written);
      position_ += static_cast<uint64_t>(written);
    }
    return failure_.ok() ? arrow::Status::OK() : arrow::Status::IOError(failure_.message());
  }
  using arrow::io::OutputStream::Write;

  [[nodiscard]] uint64_t position() const { return position_; }
  [[nodiscard]] const Status& failure() const { return failure_; }

 private:
  const std::string& path_;
  int descriptor_;
  uint64_t begin_;
  uint64_t position_;
  bool claims_begin_;
  bool closed_ = false;
  Status failure_;
};

arrow::Status WriteRowGroup(const VectorColumns& columns, const arrow::Table& table,
                            const std::shared_ptr<PlaceWriter>& out) {
  const auto properties = parquet::ArrowWriterProperties::Builder().store_schema()->build();
  ARROW_ASSIGN_OR_RAISE(const auto writer,
                        parquet::arrow::FileWriter::Open(*columns.schema, RowGroupPool(), out,
                                                         columns.properties, properties));
  if (table.num_rows() > 0) ARROW_RETURN_NOT_OK(writer->WriteTable(table, table.num_rows()));
  return writer->Close();
}

using Footer = std::shared_ptr<parquet::FileMetaData>;

Status NotThere(const std::string& path, const RowGroupPlace& place) {
  return Status::Corrupt(
      fmt::format("{}: has not the row group that was written at bytes {} to {}; it was changed "
                  "meanwhile: begin again with --restart",
                  path, place.begin, place.end));
}

Status ReadAt(const std::string& path, int descriptor, uint64_t begin, std::span<char> out) {
  while (!out.empty()) {
    const ssize_t got = pread(descriptor, out.data(), out.size(), static_cast<off_t>(begin));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      return Status::Io(fmt::format("{}: cannot be read: {}", path, std::strerror(errno)));
    }
    if (got == 0) return Status::Corrupt(path + ": is shorter than what was written to it");
    out = out.subspan(static_cast<size_t>(got));
    begin += static_cast<uint64_t>(got);
  }
  return Status::Ok();
}

// The footer behind one row group.
Result<Footer> ReadFooter(const std::string& path, int descriptor, const RowGroupPlace& place) {
  std::array<char, kTailBytes> tail;
  if (place.end < place.begin + kTailBytes) return NotThere(path, place);
  VECLOAD_RETURN_IF_ERROR(ReadAt(path, descriptor, place.end - kTailBytes, tail));
  uint32_t length = 0;
  std::memcpy(&length, tail.data(), sizeof(length));
  if (std::string_view(tail.data() + sizeof(length), kMagic.size()) != kMagic ||
      length > place.end - place.begin - kTailBytes) {
    return NotThere(path, place);
  }
  std::string bytes(length, '\0');
  VECLOAD_RETURN_IF_ERROR(ReadAt(path, descriptor, place.end - kTailBytes - length, bytes));
  return Guard(path, [&]() -> Result<Footer> {
    Footer footer = parquet::FileMetaData::Make(bytes.data(), int64_t{length});
    if (static_cast<uint64_t>(footer->num_rows()) != place.rows) return NotThere(path, place);
    return footer;
  });
}

}  // namespace

VectorFile::VectorFile(std::string path, std::shared_ptr<const VectorColumns> columns,
                       int descriptor, uint64_t size)
    : path_(std::move(path)), columns_(std::move(columns)), descriptor_(descriptor), size_(size) {}

VectorFile::~VectorFile() { close(descriptor_); }

Result<std::unique_ptr<VectorFile>> VectorFile::Open(const std::string& path,
                                                     std::shared_ptr<const VectorColumns> columns,
                                                     uint64_t size) {
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor < 0) return WriteFailed(path, errno);
  std::unique_ptr<VectorFile> file(new VectorFile(path, std::move(columns), descriptor, size));
  const off_t end = lseek(descriptor, 0, SEEK_END);
  if (end >= 0 && static_cast<uint64_t>(end) < size) {
    return Status::Corrupt(fmt::format(
        "{}: has {} bytes, and {} were written to it; it was changed meanwhile: begin again with "
        "--restart",
        path, end, size));
  }
  if (end < 0 || ftruncate(descriptor, static_cast<off_t>(size)) != 0) {
    return WriteFailed(path, errno);
  }
  return file;
}

Result<RowGroupPlace> VectorFile::Append(const VectorRows& rows) {
  const auto out = std::make_shared<PlaceWriter>(path_, descriptor_, size_, /*claims_begin=*/true);
  const Status written = Guard(path_, [&]() -> Status {
    VECLOAD_ASSIGN_OR_RETURN(
        const auto table,
        FromArrow(arrow::Table::FromRecordBatches(columns_->schema, rows.state_->batches), path_));
    return FromArrow(WriteRowGroup(*columns_, *table, out), path_);
  });
  if (!written.ok()) {
    // What is left of it behind the end is cut away by whoever opens the file next.
    (void)!ftruncate(descriptor_, static_cast<off_t>(size_));
    return out->failure().ok() ? written : out->failure();
  }
  const RowGroupPlace place{.begin = size_, .end = out->position(), .rows = rows.rows()};
  size_ = place.end;
  return place;
}

Status VectorFile::Sync() {
  if (fdatasync(descriptor_) == 0) return Status::Ok();
  return WriteFailed(path_, errno);
}

Status VectorFile::Finish(std::span<const RowGroupPlace> row_groups) {
  if (row_groups.empty()) {
    size_ = 0;
    if (ftruncate(descriptor_, 0) != 0) return WriteFailed(path_, errno);
    VECLOAD_RETURN_IF_ERROR(Append(VectorRows(columns_)).status());
    return Sync();
  }
  Footer whole;
  for (const RowGroupPlace& place : row_groups) {
    VECLOAD_ASSIGN_OR_RETURN(const Footer footer, ReadFooter(path_, descriptor_, place));
    if (whole == nullptr) {
      whole = footer;
      continue;
    }
    VECLOAD_RETURN_IF_ERROR(Guard(path_, [&] {
      whole->AppendRowGroups(*footer);
      return Status::Ok();
    }));
  }
  PlaceWriter out(path_, descriptor_, size_, /*claims_begin=*/false);
  const Status written = Guard(path_, [&] {
    parquet::WriteFileMetaData(*whole, &out);
    return Status::Ok();
  });
  if (!out.failure().ok()) return out.failure();
  VECLOAD_RETURN_IF_ERROR(written);
  return Sync();
}

}  // namespace vecload::source
