#include "audit/export_journal.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>
#include <variant>

#include <fmt/format.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace vecload::audit {
namespace {

constexpr size_t kHashDigits = 16;
constexpr size_t kReadBytes = 64 << 10;

std::string Hash(std::string_view text) {
  return fmt::format("{:016x}", XXH3_64bits(text.data(), text.size()));
}

// The JSON of a whole line, or nothing.
std::string_view JsonOf(std::string_view line) {
  if (line.size() < kHashDigits + 2 || line[kHashDigits] != ' ') return {};
  const std::string_view json = line.substr(kHashDigits + 1);
  return Hash(json) == line.substr(0, kHashDigits) ? json : std::string_view();
}

}  // namespace

ExportJournal::~ExportJournal() { close(descriptor_); }

Status ExportJournal::Failed(int error) const {
  return Status::Io(fmt::format("{}: {}", path_, std::strerror(error)));
}

Result<std::unique_ptr<ExportJournal>> ExportJournal::Open(const std::string& path,
                                                           const TakeEntry& take) {
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (descriptor < 0) {
    return Status::Io(fmt::format("{} cannot be opened: {}", path, std::strerror(errno)));
  }
  std::unique_ptr<ExportJournal> journal(new ExportJournal(path, descriptor));
  if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    return Status::Conflict(path + " is in use: another export is writing there; let it finish");
  }
  VECLOAD_RETURN_IF_ERROR(journal->Replay(take));
  return journal;
}

Status ExportJournal::Replay(const TakeEntry& take) {
  std::string text;  // what is read and no line yet
  std::string bytes(kReadBytes, '\0');
  bool is_damaged = false;
  while (true) {
    const ssize_t got = read(descriptor_, bytes.data(), bytes.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Failed(errno);
    if (got == 0) break;
    text.append(bytes, 0, static_cast<size_t>(got));
    size_t begin = 0;
    for (size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
      if (is_damaged) {
        return Status::Corrupt(path_ +
                               " is damaged, so what was exported cannot be told; begin again "
                               "with --restart");
      }
      const std::string_view json = JsonOf(std::string_view(text).substr(begin, end - begin));
      const auto entry = wire::ReadFlatObject(json);
      // The last line may be; then it does not count.
      is_damaged = json.empty() || !entry.ok();
      if (!is_damaged) {
        VECLOAD_RETURN_IF_ERROR(take(*entry));
        size_ += end + 1 - begin;
      }
      begin = end + 1;
    }
    text.erase(0, begin);
  }
  if (ftruncate(descriptor_, static_cast<off_t>(size_)) != 0) return Failed(errno);
  return Status::Ok();
}

Status ExportJournal::Append(std::string_view json) {
  const std::string line = fmt::format("{} {}\n", Hash(json), json);
  std::string_view left = line;
  int error = 0;
  while (!left.empty() && error == 0) {
    const ssize_t written = write(descriptor_, left.data(), left.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      error = written == 0 ? ENOSPC : errno;
    } else {
      left.remove_prefix(static_cast<size_t>(written));
    }
  }
  if (error == 0 && fdatasync(descriptor_) != 0) error = errno;
  if (error == 0) {
    size_ += line.size();
    return Status::Ok();
  }
  // Half a line must not come to stand before another.
  (void)!ftruncate(descriptor_, static_cast<off_t>(size_));
  return Failed(error);
}

Status ExportJournal::Clear() {
  if (ftruncate(descriptor_, 0) != 0) return Failed(errno);
  size_ = 0;
  return Status::Ok();
}

std::string TextOf(const ExportJournal::Entry& entry, const std::string& name) {
  const auto found = entry.find(name);
  if (found == entry.end()) return {};
  const auto* const text = std::get_if<std::string>(&found->second);
  return text == nullptr ? std::string() : *text;
}

uint64_t NumberOf(const ExportJournal::Entry& entry, const std::string& name) {
  const auto found = entry.find(name);
  if (found == entry.end()) return 0;
  const auto* const number = std::get_if<double>(&found->second);
  return number == nullptr || *number < 0 ? 0 : static_cast<uint64_t>(*number);
}

}  // namespace vecload::audit
