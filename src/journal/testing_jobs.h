#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "journal/journal.h"

// Jobs for the tests of the journal.
namespace vecload::journal::testing {

inline JobIdentity PlainIdentity() {
  JobIdentity identity;
  identity.endpoint_url = "https://s3vectors.us-east-1.api.aws";
  identity.indexes = {
      {"arn:aws:s3vectors:us-east-1:000000000000:bucket/b/index/i", 1'700'000'000.5}};
  identity.mapping = {"id", "embedding", {"category", "year"}, ""};
  return identity;
}

// Files "a", "b", ... of these many rows.
inline Manifest PlainManifest(const std::vector<uint64_t>& rows) {
  Manifest manifest;
  for (size_t i = 0; i < rows.size(); ++i) {
    SourceFile file;
    file.uri = "/data/" + std::string(1, static_cast<char>('a' + i)) + ".parquet";
    file.size = 1000 * rows[i];
    file.mtime_ns = 1'700'000'000'000'000'000 + static_cast<int64_t>(i);
    file.rows = rows[i];
    manifest.rows += file.rows;
    manifest.bytes += file.size;
    manifest.files.push_back(file);
  }
  return manifest;
}

// All rows of it were acknowledged, but for those counted otherwise.
inline SettledSegment Settled(uint32_t file, uint64_t begin, uint64_t end, uint64_t superseded = 0,
                              uint64_t rejected = 0) {
  return {{file, 0, begin, end}, {end - begin, superseded, rejected}};
}

inline Status RecordOne(Journal* journal, const SettledSegment& settled, TimePoint now = {}) {
  return journal->Record(std::span(&settled, 1), now);
}

// A job whose batches settle in a fixed order, so that a number says how far it is: after n of them
// the rejects file has n * kRejectBytes. Neighbouring rows settle in the wrong order.
class Script {
 public:
  static constexpr uint64_t kBatchRows = 10;
  static constexpr uint64_t kRejectBytes = 100;

  explicit Script(uint64_t batches)
      : batches_(batches),
        manifest_(PlainManifest({batches / 2 * kBatchRows, batches / 2 * kBatchRows})) {}
  [[nodiscard]] uint64_t batches() const { return batches_; }
  [[nodiscard]] const Manifest& manifest() const { return manifest_; }
  [[nodiscard]] static SettledSegment Batch(uint64_t number) {
    const uint64_t row = ((number / 2) ^ 1) * kBatchRows;
    return Settled(static_cast<uint32_t>(number % 2), row, row + kBatchRows, number % 3, 1);
  }
  // How many batches the journal holds, which must be the first ones and no other row; nothing
  // where it holds anything else.
  [[nodiscard]] std::optional<uint64_t> BatchesIn(const Journal& journal) const {
    const uint64_t count = journal.rejects_bytes() / kRejectBytes;
    SegmentSet expected;
    for (uint64_t number = 0; number < count; ++number) expected.Add(Batch(number));
    bool equal = count <= batches_ && journal.rejects_bytes() % kRejectBytes == 0 &&
                 journal.counts() == expected.counts() && journal.segments() == expected.size();
    for (uint32_t file = 0; file < 2; ++file) {
      const uint64_t rows = manifest_.files[file].rows;
      equal = equal && journal.Remaining(file) == expected.Gaps(file, 0, rows);
    }
    return equal ? std::optional(count) : std::nullopt;
  }

 private:
  uint64_t batches_;  // a multiple of 4
  Manifest manifest_;
};

}  // namespace vecload::journal::testing
