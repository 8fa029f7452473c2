#include "audit/entry_spill.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace vecload::audit {
namespace {

// Buffers of all parts together stay below the budget of one part.
constexpr uint64_t kPartsMax = 1024;

// An entry as it is kept, its key behind it.
struct Stored {
  uint64_t key_hash;
  Digest vector;
  Digest metadata;
  uint64_t row;
  uint32_t file;
  uint16_t shard;
  uint8_t is_loadable;
  uint8_t unused;
  uint64_t key_bytes;
};
static_assert(sizeof(Stored) == EntrySpill::kEntryBytes);

std::vector<Entry> Decode(std::string_view bytes) {
  std::vector<Entry> entries;
  while (!bytes.empty()) {
    Stored stored;
    std::memcpy(&stored, bytes.data(), sizeof(stored));
    bytes.remove_prefix(sizeof(stored));
    entries.push_back({.key_hash = stored.key_hash,
                       .vector = stored.vector,
                       .metadata = stored.metadata,
                       .row = stored.row,
                       .file = stored.file,
                       .shard = stored.shard,
                       .is_loadable = stored.is_loadable != 0,
                       .key = bytes.substr(0, stored.key_bytes)});
    bytes.remove_prefix(stored.key_bytes);
  }
  return entries;
}

}  // namespace

EntrySpill::EntrySpill(uint64_t bytes_expected, uint64_t memory_bytes_max)
    // A part is there twice, as bytes and decoded, and none is just average.
    : parts_(std::clamp<uint64_t>(4 * bytes_expected / std::max<uint64_t>(memory_bytes_max, 1) + 1,
                                  1, kPartsMax)),
      buffer_bytes_max_(
          std::clamp<uint64_t>(memory_bytes_max / 4 / parts_.size(), 4096, uint64_t{16} << 20)) {}

Status EntrySpill::Add(const Entry& entry) {
  const Stored stored{.key_hash = entry.key_hash,
                      .vector = entry.vector,
                      .metadata = entry.metadata,
                      .row = entry.row,
                      .file = entry.file,
                      .shard = entry.shard,
                      .is_loadable = static_cast<uint8_t>(entry.is_loadable),
                      .unused = 0,
                      .key_bytes = entry.key.size()};
  const std::lock_guard lock(mutex_);
  // The high bits: the low ones chose the bucket.
  Part& part = parts_[(entry.key_hash >> 32) % parts_.size()];
  // Full before it would grow, since a text that grows takes twice its size.
  const size_t after = part.buffer.size() + sizeof(stored) + entry.key.size();
  if (after > buffer_bytes_max_ && !part.buffer.empty()) VECLOAD_RETURN_IF_ERROR(Flush(&part));
  part.buffer.append(reinterpret_cast<const char*>(&stored), sizeof(stored));
  part.buffer.append(entry.key);
  return Status::Ok();
}

Status EntrySpill::Flush(Part* part) {
  if (!file_.has_value()) {
    VECLOAD_ASSIGN_OR_RETURN(TemporaryFile file, TemporaryFile::Make());
    file_.emplace(std::move(file));
  }
  part->chunks.push_back({file_->size(), part->buffer.size()});
  VECLOAD_RETURN_IF_ERROR(file_->Append(std::as_bytes(std::span(part->buffer))));
  part->buffer.clear();
  return Status::Ok();
}

Result<std::string> EntrySpill::Load(Part* part) {
  std::string bytes;
  uint64_t size = part->buffer.size();
  for (const Chunk& chunk : part->chunks) size += chunk.bytes;
  bytes.reserve(size);
  for (const Chunk& chunk : part->chunks) {
    const size_t begin = bytes.size();
    bytes.resize(begin + chunk.bytes);
    VECLOAD_RETURN_IF_ERROR(
        file_->ReadAt(chunk.offset, std::as_writable_bytes(std::span(bytes).subspan(begin))));
  }
  bytes += part->buffer;
  part->buffer = {};
  return bytes;
}

Status EntrySpill::ForEachPart(const std::function<Status(std::span<Entry> entries)>& take) {
  for (Part& part : parts_) {
    VECLOAD_ASSIGN_OR_RETURN(const std::string bytes, Load(&part));
    std::vector<Entry> entries = Decode(bytes);
    VECLOAD_RETURN_IF_ERROR(take(entries));
  }
  return Status::Ok();
}

}  // namespace vecload::audit
