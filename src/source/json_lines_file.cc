#include "source/json_lines_file.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include <arrow/array.h>
#include <arrow/array/builder_binary.h>
#include <arrow/io/interfaces.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include "source/arrow_status.h"
#include "source/batch_cutter.h"
#include "wire/key_reference.h"

namespace vecload::source {
namespace {

constexpr const char* kColumn = "key";
// A rejected key stands in its line whole, whatever its length; a file with longer lines is no
// list of keys.
constexpr size_t kLineBytesMax = 16 << 20;

struct Line {
  int64_t begin = 0;  // in the file
  std::string_view text;

  [[nodiscard]] bool IsBlank() const {
    return text.find_first_not_of(" \t\r") == std::string_view::npos;
  }
  [[nodiscard]] size_t chunk() const { return static_cast<size_t>(begin / kJsonLinesChunkBytes); }
};

size_t Chunks(int64_t file_bytes) {
  return static_cast<size_t>((file_bytes + kJsonLinesChunkBytes - 1) / kJsonLinesChunkBytes);
}

// The lines of a file, one after the other.
class LineReader {
 public:
  // Both live longer. Begins with the first line that begins in that chunk or behind it.
  LineReader(const std::string& uri, arrow::io::RandomAccessFile* file, size_t chunk)
      : uri_(uri), file_(file) {
    if (chunk == 0) return;
    // One byte earlier, so that a line which begins with the chunk is not taken for a rest.
    buffer_begin_ = static_cast<int64_t>(chunk) * kJsonLinesChunkBytes - 1;
    in_rest_ = true;
  }

  // Lives until the next call; nothing at the end of the file.
  Result<std::optional<Line>> Next() {
    if (std::exchange(in_rest_, false)) VECLOAD_RETURN_IF_ERROR(Take().status());
    return Take();
  }

 private:
  Result<std::optional<Line>> Take() {
    size_t end = buffer_.find('\n', next_);
    while (end == std::string::npos) {
      buffer_.erase(0, next_);
      buffer_begin_ += static_cast<int64_t>(next_);
      next_ = 0;
      const size_t scanned = buffer_.size();
      if (scanned > kLineBytesMax) {
        return Status::InvalidArgument(
            fmt::format("{}: a line is longer than {} bytes, so it is no list of keys; name "
                        "another file",
                        uri_, kLineBytesMax));
      }
      VECLOAD_RETURN_IF_ERROR(Fill());
      if (buffer_.size() == scanned) return LastLine();
      end = buffer_.find('\n', scanned);
    }
    const size_t begin = std::exchange(next_, end + 1);
    return std::optional<Line>(Line{buffer_begin_ + static_cast<int64_t>(begin),
                                    std::string_view(buffer_).substr(begin, end - begin)});
  }

  std::optional<Line> LastLine() {
    next_ = buffer_.size();
    if (buffer_.empty()) return std::nullopt;
    return Line{buffer_begin_, buffer_};
  }

  Status Fill() {
    const size_t before = buffer_.size();
    buffer_.resize(before + kJsonLinesChunkBytes);
    VECLOAD_ASSIGN_OR_RETURN(const int64_t read,
                             FromArrow(file_->ReadAt(buffer_begin_ + static_cast<int64_t>(before),
                                                     kJsonLinesChunkBytes, buffer_.data() + before),
                                       uri_));
    buffer_.resize(before + static_cast<size_t>(read));
    return Status::Ok();
  }

  const std::string& uri_;
  arrow::io::RandomAccessFile* file_;
  std::string buffer_;
  int64_t buffer_begin_ = 0;  // in the file
  size_t next_ = 0;           // line, in the buffer
  bool in_rest_ = false;      // of a line that began in an earlier chunk
};

Status Changed(const std::string& uri) {
  return Status::Conflict(uri + ": the file has changed since the job was planned");
}

// The first chunk that has rows of the range, and the number of its first row.
std::pair<size_t, uint64_t> FirstChunk(const RowRange& range) {
  size_t chunk = 0;
  uint64_t row = 0;
  while (chunk < range.row_group_rows.size() &&
         row + range.row_group_rows[chunk] <= range.row_begin) {
    row += range.row_group_rows[chunk++];
  }
  return {chunk, row};
}

// Collects keys and hands them on in batches.
class KeyBatches {
 public:
  KeyBatches(const std::string& uri, uint64_t row, const RowRange& range,
             const BatchCallback& deliver)
      : uri_(uri), range_(range), cutter_(uri, row, range, deliver) {}

  [[nodiscard]] bool done() const {
    return cutter_.row() + static_cast<uint64_t>(builder_.length()) >= range_.row_end;
  }
  Status Add(const std::optional<std::string>& key) {
    VECLOAD_RETURN_IF_ERROR(
        FromArrow(key.has_value() ? builder_.Append(*key) : builder_.AppendNull(), uri_));
    return builder_.length() < range_.batch_rows_max ? Status::Ok() : Flush();
  }
  Status Flush() {
    if (builder_.length() == 0) return Status::Ok();
    VECLOAD_ASSIGN_OR_RETURN(const auto keys, FromArrow(builder_.Finish(), uri_));
    return cutter_.Take(arrow::RecordBatch::Make(
        arrow::schema({arrow::field(kColumn, keys->type())}), keys->length(), {keys}));
  }

 private:
  const std::string& uri_;
  const RowRange& range_;
  arrow::BinaryBuilder builder_;
  BatchCutter cutter_;
};

}  // namespace

Result<Footer> ReadJsonLinesFooter(const std::string& uri,
                                   const std::shared_ptr<arrow::io::RandomAccessFile>& file,
                                   const CheckIndex& check) {
  Footer footer;
  footer.schema = arrow::schema({arrow::field(kColumn, arrow::binary())});
  VECLOAD_ASSIGN_OR_RETURN(const int64_t size, FromArrow(file->GetSize(), uri));
  footer.row_group_rows.resize(Chunks(size));
  LineReader lines(uri, file.get(), 0);
  bool any_key = false;
  bool any_row = false;
  for (uint64_t number = 1;; ++number) {
    VECLOAD_ASSIGN_OR_RETURN(const std::optional<Line> line, lines.Next());
    if (!line.has_value()) break;
    if (line->IsBlank()) continue;
    const auto judge = [&]() -> Status {
      VECLOAD_ASSIGN_OR_RETURN(const wire::KeyReference named, wire::ParseKeyReference(line->text));
      any_key = any_key || named.key.has_value();
      if (named.index.empty()) return Status::Ok();
      return check(named.key.value_or(""), named.index);
    };
    const Status judged = judge();
    if (!judged.ok()) return judged.WithContext(fmt::format("{}, line {}", uri, number));
    if (line->chunk() >= footer.row_group_rows.size()) return Changed(uri);
    ++footer.row_group_rows[line->chunk()];
    any_row = true;
  }
  if (any_key || !any_row) return footer;
  return Status::InvalidArgument(
      uri + R"(: no line has a "key" or a "key_base64", so it lists no key; name another file)");
}

std::vector<ByteRange> BytesOfJsonLinesRows(const DataFile& file, const RowRange& range,
                                            int64_t range_bytes_max) {
  auto [chunk, row] = FirstChunk(range);
  const int64_t begin =
      std::max<int64_t>(0, static_cast<int64_t>(chunk) * kJsonLinesChunkBytes - 1);
  while (chunk < range.row_group_rows.size() && row < range.row_end) {
    row += range.row_group_rows[chunk++];
  }
  const int64_t end = std::min(file.size, static_cast<int64_t>(chunk) * kJsonLinesChunkBytes);
  std::vector<ByteRange> ranges;
  for (int64_t at = begin; at < end; at += range_bytes_max) {
    ranges.push_back({.offset = at, .bytes = std::min(range_bytes_max, end - at)});
  }
  return ranges;
}

Status ReadJsonLinesRows(const DataFile& file, const RowRange& range,
                         const BatchCallback& deliver) {
  if (Chunks(file.size) != range.row_group_rows.size()) return Changed(file.uri);
  auto [chunk, row] = FirstChunk(range);
  LineReader lines(file.uri, file.file.get(), chunk);
  KeyBatches batches(file.uri, row, range, deliver);
  uint64_t rows_of_chunk = 0;
  while (!batches.done()) {
    VECLOAD_ASSIGN_OR_RETURN(const std::optional<Line> line, lines.Next());
    if (!line.has_value()) return Changed(file.uri);
    if (line->IsBlank()) continue;
    for (; chunk < line->chunk(); ++chunk) {
      if (chunk >= range.row_group_rows.size()) return Changed(file.uri);
      if (std::exchange(rows_of_chunk, 0) != range.row_group_rows[chunk]) return Changed(file.uri);
    }
    const auto named = wire::ParseKeyReference(line->text);
    if (!named.ok()) return Changed(file.uri);
    ++rows_of_chunk;
    VECLOAD_RETURN_IF_ERROR(batches.Add(named->key));
  }
  return batches.Flush();
}

}  // namespace vecload::source
