#include "load/repeated_keys.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include "base/json_text.h"
#include "load/append_file.h"
#include "load/key_pass.h"
#include "load/key_sorter.h"
#include "source/listed_rows.h"

namespace vecload::load {
namespace {

// Lines that are written at once.
constexpr size_t kLinesBytes = 1 << 16;
// Rows shown of one key: a key that half of the source has must not hide the others.
constexpr size_t kRowsOfKeyShownMax = 10;

class KeyCheck {
 public:
  KeyCheck(Source* source, const KeyCheckOptions& options, RowBits again, RowBits preferred)
      : source_(source),
        options_(options),
        first_rows_(FirstRows(source->manifest())),
        again_(std::move(again)),
        preferred_(std::move(preferred)) {}

  Result<RepeatedKeys> Run() {
    if (!options_.path.empty()) {
      // First of all, so that a path that cannot be is told before the hour of work.
      VECLOAD_RETURN_IF_ERROR(CheckPath());
      auto opened = OpenAppendFile(options_.path, true);
      if (!opened.ok()) return Named(opened.status());
      lines_ = *std::move(opened);
      VECLOAD_ASSIGN_OR_RETURN(const uint64_t size, lines_->Size());
      if (size > 0) VECLOAD_RETURN_IF_ERROR(Named(lines_->CutTo(0)));
    }
    VECLOAD_RETURN_IF_ERROR(Sort());
    if (found_.rows > 0) VECLOAD_RETURN_IF_ERROR(Name());
    return std::move(found_);
  }

 private:
  // What is written there empties what was there.
  [[nodiscard]] Status CheckPath() const {
    for (const SourceFile& file : source_->manifest().files) {
      std::error_code ignored;
      if (!std::filesystem::equivalent(file.uri, options_.path, ignored)) continue;
      return Status::InvalidArgument("\"" + options_.path +
                                     "\" is a file of the source, which must not be overwritten; "
                                     "name another file for the duplicates");
    }
    return Status::Ok();
  }

  Status Sort() {
    // Each row but the first of its key loses once. The one that was preferred to it may lose too,
    // to a row of another run; the first of a key is preferred and never loses.
    KeySorter sorter(Keep::kFirst,
                     std::min(SortEntries(options_.sort_bytes_max), first_rows_.back() + 1),
                     [&](uint64_t loser, uint64_t preferred) {
                       again_.Set(loser);
                       ++found_.rows;
                       preferred_.Set(preferred);
                     });
    VECLOAD_RETURN_IF_ERROR(ReadKeys(source_, first_rows_, options_.stop,
                                     [&](const RowBlock& block, size_t i, uint64_t row) {
                                       return sorter.Add(EntryOf(block.rows[i], row));
                                     }));
    return sorter.Finish(options_.stop);
  }

  Status Name() {
    VECLOAD_RETURN_IF_ERROR(
        ReadKeys(source_, first_rows_, options_.stop,
                 [&](const RowBlock& block, size_t i, uint64_t row) -> Status {
                   const bool is_again = again_.Has(row);
                   if (!is_again && !preferred_.Has(row)) return Status::Ok();
                   if (!is_again) ++found_.keys;
                   const RepeatedKey::Row place{
                       .file = source::AbsoluteUri(source_->manifest().files[block.file].uri),
                       .row = block.row_begin + i};
                   Show(block.rows[i], is_again, place);
                   return Write(block.rows[i].key, is_again, place);
                 }));
    if (lines_ == nullptr) return Status::Ok();
    VECLOAD_RETURN_IF_ERROR(Flush());
    return Named(lines_->Sync());
  }

  // A key's first row comes before the others, so that what is shown is known by then. Room is
  // kept for one more row of each key.
  void Show(const SourceRow& row, bool is_again, const RepeatedKey::Row& place) {
    constexpr size_t kMax = RepeatedKeys::kRowsShownMax;
    const KeyEntry entry = EntryOf(row, 0);
    auto at = shown_.find({entry.digest_high, entry.digest_low});
    if (at == shown_.end()) {
      if (is_again || rows_shown_ + 2 > kMax) return;
      at =
          shown_.emplace(std::pair(entry.digest_high, entry.digest_low), found_.shown.size()).first;
      found_.shown.push_back({.key = std::string(row.key), .count = 0, .rows = {}});
      ++rows_shown_;  // of the second row, which must be
    }
    RepeatedKey& shown = found_.shown[at->second];
    ++shown.count;
    if (shown.count > 2 && (shown.rows.size() == kRowsOfKeyShownMax || rows_shown_ == kMax)) return;
    if (shown.count != 2) ++rows_shown_;
    shown.rows.push_back(place);
  }

  Status Write(std::string_view key, bool is_again, const RepeatedKey::Row& place) {
    if (lines_ == nullptr) return Status::Ok();
    JsonWriter line;
    line.BeginObject().Key("file").String(place.file).Key("row").Uint(place.row);
    line.Key("key").String(key).Key("occurrence").String(is_again ? "again" : "first").EndObject();
    text_ += line.text();
    text_ += '\n';
    return text_.size() < kLinesBytes ? Status::Ok() : Flush();
  }

  Status Flush() {
    const Status status = Named(lines_->Append(text_));
    text_.clear();
    return status;
  }

  [[nodiscard]] Status Named(const Status& status) const {
    return status.ok() ? status : status.WithContext(options_.path + ": cannot be written");
  }

  Source* source_;
  const KeyCheckOptions& options_;
  std::vector<uint64_t> first_rows_;  // one a file, and one behind the last
  RowBits again_;
  RowBits preferred_;
  RepeatedKeys found_;
  // By the key's digest, its value's too where rows are divided by value: place in found_.shown.
  std::map<std::pair<uint64_t, uint64_t>, size_t> shown_;
  size_t rows_shown_ = 0;
  std::unique_ptr<AppendFile> lines_;  // null: not asked for
  std::string text_;
};

}  // namespace

Result<RepeatedKeys> FindRepeatedKeys(Source* source, const KeyCheckOptions& options) {
  VECLOAD_ASSIGN_OR_RETURN(RowBits again, RowBits::Make(source->manifest().rows));
  VECLOAD_ASSIGN_OR_RETURN(RowBits preferred, RowBits::Make(source->manifest().rows));
  return KeyCheck(source, options, std::move(again), std::move(preferred)).Run();
}

}  // namespace vecload::load
