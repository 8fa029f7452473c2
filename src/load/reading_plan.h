#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "journal/journal.h"
#include "vecload/source.h"

namespace vecload::load {

// Which rows of a manifest a load is to read: all, a part's, or listed ones.
class ReadingPlan {
 public:
  static ReadingPlan Whole(const Manifest& manifest);
  // Part `part`, from 1, of `parts`: for each file one range, which depends on nothing but what is
  // in the file, and its name (ADR 0009).
  static ReadingPlan OfPart(const Manifest& manifest, uint32_t part, uint32_t parts);
  // Those of each file; in any order, and they may overlap.
  static ReadingPlan OfRows(std::vector<std::vector<journal::RowRange>> rows);

  [[nodiscard]] uint64_t rows() const;
  // Of one file; in order, apart from each other, none empty.
  [[nodiscard]] const std::vector<journal::RowRange>& OfFile(uint32_t file) const {
    return rows_[file];
  }
  // One range a file, as the journal of a part takes them. Not of listed rows.
  [[nodiscard]] std::vector<journal::RowRange> Shares() const;
  // What is to be read, in order, less what the journal (may be null) has as settled; all else as
  // in `request`. Of listed rows a request spans those of one row group, since whoever reads a row
  // of it has to pass by those before.
  [[nodiscard]] std::vector<ReadRequest> Requests(const Manifest& manifest,
                                                  const journal::Journal* journal,
                                                  const ReadRequest& request) const;

  // A file of fewer rows for each part goes to one part whole: opening it would take each of them
  // longer than reading its share.
  static constexpr uint64_t kRowsPerPartMin = 10'000;

 private:
  std::vector<std::vector<journal::RowRange>> rows_;
  bool listed_ = false;
};

// The ranges that hold these rows, in order, all else as in `request`; sets of which shards they
// are.
std::vector<ReadRequest> RequestsFor(const journal::SegmentSet& wanted, const ReadRequest& request,
                                     std::vector<bool>* shards);

}  // namespace vecload::load
