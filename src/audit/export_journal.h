#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "vecload/status.h"
#include "wire/flat_object.h"

namespace vecload::audit {

// What an unfinished export has written, as lines of JSON with a checksum each:
//
//   HASH-OF-THE-JSON {"kind":"rows","segment":3,...}
//
// A line counts once it is whole, so a process may die, and the power fail, at any instant: a last
// line that is not whole is cut off. The file is held by a lock as long as this object lives.
class ExportJournal {
 public:
  using Entry = std::map<std::string, wire::FlatValue>;
  using TakeEntry = std::function<Status(const Entry& entry)>;

  // Makes the file where it is absent, and hands over what it holds. kConflict: another process has
  // it; kCorrupt: a line that is not the last is damaged.
  static Result<std::unique_ptr<ExportJournal>> Open(const std::string& path,
                                                     const TakeEntry& take);
  ExportJournal(const ExportJournal&) = delete;
  ExportJournal& operator=(const ExportJournal&) = delete;
  ~ExportJournal();

  // Appends a JSON object, of strings and numbers, so that it survives a power cut.
  Status Append(std::string_view json);
  // Forgets everything.
  Status Clear();

 private:
  ExportJournal(std::string path, int descriptor)
      : path_(std::move(path)), descriptor_(descriptor) {}
  Status Replay(const TakeEntry& take);
  Status Failed(int error) const;

  std::string path_;
  int descriptor_;
  uint64_t size_ = 0;  // of the whole lines
};

// Text and number of an entry; empty or 0 where there is no such member.
std::string TextOf(const ExportJournal::Entry& entry, const std::string& name);
uint64_t NumberOf(const ExportJournal::Entry& entry, const std::string& name);

}  // namespace vecload::audit
