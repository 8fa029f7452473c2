#include "audit/differences.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <tuple>

#include <fmt/format.h>

#include "base/json_text.h"

namespace vecload::audit {
namespace {

bool SameKey(const Entry& left, const Entry& right) {
  return left.key_hash == right.key_hash && left.shard == right.shard && left.key == right.key;
}

bool Before(const Entry& left, const Entry& right) {
  return std::tie(left.key_hash, left.key, left.shard, left.file, left.row) <
         std::tie(right.key_hash, right.key, right.shard, right.file, right.row);
}

// Of the rows of a key those whose record may be in the index.
std::span<const Entry> Expected(std::span<const Entry> rows, ExpectedRow rule) {
  if (rows.empty()) return {};
  if (rule == ExpectedRow::kFirst) return rows.first(1);
  if (rule == ExpectedRow::kLast) return rows.last(1);
  return rows;
}

}  // namespace

LinesFile::~LinesFile() {
  if (file_ == nullptr) return;
  file_.reset();
  std::error_code ignored;
  std::filesystem::remove(part_, ignored);
}

Status LinesFile::Failed(int error) const {
  return Status::Io(fmt::format("{}: cannot be written: {}; make room, or name another file", path_,
                                std::strerror(error)));
}

Status LinesFile::Append(const std::string& line) {
  if (file_ == nullptr) file_.reset(fopen(part_.c_str(), "we"));
  if (file_ == nullptr) return Failed(errno);
  if (fwrite(line.data(), 1, line.size(), file_.get()) != line.size()) return Failed(errno);
  return fputc('\n', file_.get()) == EOF ? Failed(errno) : Status::Ok();
}

Status LinesFile::Close() {
  std::error_code ignored;
  if (file_ == nullptr) {
    // What an earlier run found is not so any more.
    if (std::filesystem::is_regular_file(path_, ignored)) std::filesystem::remove(path_, ignored);
    return Status::Ok();
  }
  if (fflush(file_.get()) != 0 || rename(part_.c_str(), path_.c_str()) != 0) return Failed(errno);
  return fclose(file_.release()) == 0 ? Status::Ok() : Failed(errno);
}

Status Differences::Compare(std::span<Entry> entries) {
  std::ranges::sort(entries, Before);
  for (size_t begin = 0, end = 0; begin < entries.size(); begin = end) {
    while (end < entries.size() && SameKey(entries[begin], entries[end])) ++end;
    VECLOAD_RETURN_IF_ERROR(CompareKey(entries.subspan(begin, end - begin)));
  }
  return Status::Ok();
}

Status Differences::CompareKey(std::span<const Entry> entries) {
  const auto side = std::ranges::find(entries, kIndexSide, &Entry::file);
  const auto rows = entries.first(static_cast<size_t>(side - entries.begin()));
  const auto vectors = entries.subspan(rows.size());
  // A sample asks for a key as often as the source has it.
  if (vectors.size() > 1 && options_.sample == 0) {
    return Status::Conflict(fmt::format(
        "index \"{}\" listed key {} twice, so it was written to meanwhile; verify again when no "
        "load is running",
        indexes_.indexes[vectors[0].shard].name.ToString(), vectors[0].key));
  }
  const Entry* last = nullptr;
  bool same = false;
  bool same_vector = false;
  for (const Entry& row : Expected(rows, options_.expected_row)) {
    if (!row.is_loadable) continue;
    last = &row;
    if (vectors.empty() || row.vector != vectors[0].vector) continue;
    same_vector = true;
    same = same || row.metadata == vectors[0].metadata;
  }
  if (same || (last == nullptr && vectors.empty())) return Status::Ok();
  if (last == nullptr) {
    ++report_->extra;
    return WriteExtra(vectors[0]);
  }
  if (vectors.empty()) {
    ++report_->missing;
    return WriteRow(*last, "missing");
  }
  ++(same_vector ? report_->different_metadata : report_->different_vector);
  return WriteRow(*last, same_vector ? "metadata" : "vector");
}

Status Differences::WriteRow(const Entry& row, const char* difference) {
  JsonWriter line;
  line.BeginObject().Key("file").String(manifest_.files[row.file].uri).Key("row").Uint(row.row);
  line.Key("key").String(row.key).Key("difference").String(difference).EndObject();
  return rows_.Append(line.text());
}

Status Differences::WriteExtra(const Entry& vector) {
  JsonWriter line;
  line.BeginObject().Key("key").String(vector.key).Key("index");
  line.String(indexes_.indexes[vector.shard].name.ToString()).EndObject();
  return keys_.Append(line.text());
}

Status Differences::Close() {
  const Status rows = rows_.Close();
  const Status keys = keys_.Close();
  return rows.ok() ? keys : rows;
}

}  // namespace vecload::audit
