#include "sim/checks.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <unordered_set>
#include <vector>

#include <fmt/format.h>

namespace vecload::sim {
namespace {

class Check {
 public:
  Check(const Job& job, const Service& service, const journal::Journal& journal, uint32_t files,
        Violations* violations)
      : job_(job), service_(service), journal_(journal), files_(files), violations_(*violations) {}

  void ReadRejects(const std::string& text) {
    for (std::string_view rest = text; !rest.empty();) {
      const size_t end = rest.find('\n');
      if (end == rest.npos) return violations_.Add("the rejects file ends within a line");
      ReadReject(rest.substr(0, end));
      rest.remove_prefix(end + 1);
    }
  }

  void CheckSettled(const RowRange& settled) {
    settled_ += settled.end - settled.begin;
    for (uint64_t row = service_.index().FirstMissing(settled); row < settled.end;
         row = service_.index().FirstMissing({row + 1, settled.end})) {
      CheckMissing(row);
    }
  }

  void CheckCounts() {
    const journal::Counts& counts = journal_.counts();
    for (const uint64_t row : rejected_) {
      if (!IsSettled(row)) {
        violations_.Add(fmt::format("row {} is in the rejects file and is to do", row));
      }
    }
    if (counts.rows != settled_ || counts.rejected != rejected_.size() ||
        counts.superseded < superseded_) {
      violations_.Add(
          fmt::format("the journal counts {} rows, {} rejected, {} superseded; there "
                      "are {}, {}, at least {}",
                      counts.rows, counts.rejected, counts.superseded, settled_, rejected_.size(),
                      superseded_));
    }
  }

 private:
  void ReadReject(std::string_view line) {
    const auto number = [&](std::string_view before) {
      uint64_t value = UINT64_MAX;
      const size_t at = line.find(before);
      if (at != line.npos) {
        std::from_chars(line.data() + at + before.size(), line.data() + line.size(), value);
      }
      return value;
    };
    const uint64_t file = number("/data/");
    const uint64_t row_in_file = number("\"row\":");
    if (file == UINT64_MAX || row_in_file == UINT64_MAX) {
      return violations_.Add(fmt::format("no rejects line: {}", line));
    }
    const uint64_t row = job_.FileBegin(static_cast<uint32_t>(file)) + row_in_file;
    if (!job_.IsBadHere(row) && !job_.IsRefused(row)) {
      violations_.Add(fmt::format("row {} is good, and rejected", row));
    }
    if (service_.HoldsItself(row)) {
      violations_.Add(fmt::format("row {} is in the index and in the rejects file", row));
    }
    if (!rejected_.insert(row).second) {
      violations_.Add(fmt::format("row {} is in the rejects file twice", row));
    }
  }

  [[nodiscard]] bool IsSettled(uint64_t row) const {
    const load::RowId id = job_.IdOf(row);
    return journal_.IsRecorded(id.file, 0, id.row);
  }

  // A settled row that the index does not hold itself.
  void CheckMissing(uint64_t row) {
    if (rejected_.contains(row)) return;
    const auto twin = job_.TwinOf(row);
    if (job_.IsDropped(row)) {
      ++superseded_;
      return;
    }
    if (job_.scenario().policy != DuplicatePolicy::kNone || !twin.has_value()) {
      violations_.Add(fmt::format("row {} is settled and is nowhere", row));
      return;
    }
    // Some version of the key, or its rejection.
    if (service_.HoldsItself(*twin) || rejected_.contains(*twin)) return;
    if (row < *twin && job_.IdOf(*twin).file < files_ && !IsSettled(*twin)) {
      // It gave way within its batch, which was halved, and the twin's half is to do.
      ++superseded_;
    } else {
      violations_.Add(fmt::format("row {} and its twin {} are settled and nowhere", row, *twin));
    }
  }

  const Job& job_;
  const Service& service_;
  const journal::Journal& journal_;
  uint32_t files_;
  Violations& violations_;
  std::unordered_set<uint64_t> rejected_;
  uint64_t settled_ = 0;
  uint64_t superseded_ = 0;  // for sure
};

}  // namespace

void CheckDurable(const Job& job, const Service& service, const journal::Journal& journal,
                  uint32_t files, const std::string& rejects, Violations* violations) {
  Check check(job, service, journal, files, violations);
  check.ReadRejects(rejects);
  for (uint32_t file = 0; file < files; ++file) {
    const uint64_t file_begin = job.FileBegin(file);
    const RowRange& share = job.scenario().shares[file];
    uint64_t begin = file_begin + share.begin;
    const auto settled_until = [&](uint64_t row) {
      if (row > begin) check.CheckSettled({begin, row});
    };
    for (const RowRange& left : journal.Remaining(file)) {
      settled_until(file_begin + left.begin);
      begin = file_begin + left.end;
    }
    settled_until(file_begin + share.end);
  }
  check.CheckCounts();
}

}  // namespace vecload::sim
