#include "load/key_sorter.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <utility>

#include "auth/payload_hash.h"

namespace vecload::load {
namespace {

// How many entries are merged between two looks at the stop request: milliseconds.
constexpr uint64_t kEntriesAStop = 1 << 16;

Status CheckStop(const std::atomic<bool>* stop) {
  if (stop == nullptr || !*stop) return Status::Ok();
  return Status::Cancelled("stopped on request; nothing was sent");
}

}  // namespace

KeyEntry KeyEntry::Of(std::string_view key, uint64_t row) {
  const auth::Digest digest = auth::Sha256(key);
  KeyEntry entry;
  std::memcpy(&entry.digest_high, digest.data(), sizeof(entry.digest_high));
  std::memcpy(&entry.digest_low, digest.data() + sizeof(entry.digest_high),
              sizeof(entry.digest_low));
  entry.row = row;
  return entry;
}

KeyEntry KeyEntry::Of(std::string_view value, std::string_view key, uint64_t row) {
  const uint64_t value_bytes = value.size();  // so that the same bytes divided elsewhere are others
  std::string text(sizeof(value_bytes), '\0');
  std::memcpy(text.data(), &value_bytes, sizeof(value_bytes));
  text.append(value).append(key);
  return Of(text, row);
}

KeySorter::KeySorter(Keep keep, size_t entries_max, OnLoser on_loser)
    : keep_(keep), entries_max_(std::max<size_t>(1, entries_max)), on_loser_(std::move(on_loser)) {
  buffer_.reserve(entries_max_);
}

Status KeySorter::Add(const KeyEntry& entry) {
  if (buffer_.size() == entries_max_) VECLOAD_RETURN_IF_ERROR(Spill());
  buffer_.push_back(entry);
  return Status::Ok();
}

KeyEntry KeySorter::Prefer(const KeyEntry& earlier, const KeyEntry& later) {
  const bool keep_earlier = keep_ == Keep::kFirst;
  const KeyEntry& kept = keep_earlier ? earlier : later;
  const KeyEntry& loser = keep_earlier ? later : earlier;
  on_loser_(loser.row, kept.row);
  return kept;
}

void KeySorter::SortBuffer() {
  std::ranges::sort(buffer_);
  size_t kept = 0;
  for (size_t i = 1; i < buffer_.size(); ++i) {
    if (buffer_[kept].SameKey(buffer_[i])) {
      buffer_[kept] = Prefer(buffer_[kept], buffer_[i]);
    } else {
      buffer_[++kept] = buffer_[i];
    }
  }
  buffer_.resize(std::min(buffer_.size(), kept + 1));
}

Status KeySorter::Spill() {
  if (!file_) {
    VECLOAD_ASSIGN_OR_RETURN(TemporaryFile made, TemporaryFile::Make());
    file_.emplace(std::move(made));
  }
  SortBuffer();
  const uint64_t begin = file_->size();
  VECLOAD_RETURN_IF_ERROR(file_->Append(std::as_bytes(std::span(buffer_))));
  runs_.push_back({.offset = begin, .end = file_->size()});
  buffer_.clear();
  return Status::Ok();
}

Status KeySorter::Finish(const std::atomic<bool>* stop) {
  if (runs_.empty()) {
    SortBuffer();
    return CheckStop(stop);
  }
  VECLOAD_RETURN_IF_ERROR(Spill());
  std::vector<KeyEntry>().swap(buffer_);  // its memory is the runs' from here on
  return Merge(stop);
}

Result<bool> KeySorter::Fill(Run* run, size_t entries_max) {
  if (run->next < run->entries.size()) return true;
  const uint64_t left = (run->end - run->offset) / sizeof(KeyEntry);
  run->entries.resize(std::min<uint64_t>(entries_max, left));
  run->next = 0;
  const auto bytes = std::as_writable_bytes(std::span(run->entries));
  VECLOAD_RETURN_IF_ERROR(file_->ReadAt(run->offset, bytes));
  run->offset += bytes.size();
  return !run->entries.empty();
}

Status KeySorter::Merge(const std::atomic<bool>* stop) {
  const size_t run_entries = std::max(kRunEntriesMin, entries_max_ / runs_.size());
  // The run with the smallest next entry is on top.
  const auto is_greater = [](const Run* a, const Run* b) {
    return a->entries[a->next] > b->entries[b->next];
  };
  std::vector<Run*> heap;
  for (Run& run : runs_) {
    VECLOAD_ASSIGN_OR_RETURN(const bool has_entry, Fill(&run, run_entries));
    if (has_entry) heap.push_back(&run);
  }
  std::ranges::make_heap(heap, is_greater);
  std::optional<KeyEntry> kept;
  for (uint64_t merged = 0; !heap.empty(); ++merged) {
    if (merged % kEntriesAStop == 0) VECLOAD_RETURN_IF_ERROR(CheckStop(stop));
    std::ranges::pop_heap(heap, is_greater);
    Run* const run = heap.back();
    const KeyEntry entry = run->entries[run->next++];
    kept = kept.has_value() && kept->SameKey(entry) ? Prefer(*kept, entry) : entry;
    VECLOAD_ASSIGN_OR_RETURN(const bool has_entry, Fill(run, run_entries));
    if (has_entry) {
      std::ranges::push_heap(heap, is_greater);
    } else {
      heap.pop_back();
    }
  }
  return Status::Ok();
}

}  // namespace vecload::load
