#include "load/key_pass.h"

#include <algorithm>
#include <utility>

#include "load/key_sorter.h"

namespace vecload::load {
namespace {

// As the load itself reads, so that overlong keys take no more memory here than there. Blocks of
// 4,096 rows would save 6 % of the time.
constexpr uint32_t kBlockRows = 500;
// A budget may be a byte; a run should not be.
constexpr size_t kSortEntriesMin = (1 << 20) / sizeof(KeyEntry);

}  // namespace

std::vector<uint64_t> FirstRows(const Manifest& manifest) {
  std::vector<uint64_t> first_rows = {0};
  for (const SourceFile& file : manifest.files) first_rows.push_back(first_rows.back() + file.rows);
  return first_rows;
}

ReadRequest KeysOf(uint32_t file, uint64_t row_begin, uint64_t row_end) {
  return {.file = file,
          .row_begin = row_begin,
          .row_end = row_end,
          .block_rows_max = kBlockRows,
          .non_filterable_keys = {},
          .keys_only = true};
}

size_t SortEntries(uint64_t bytes_max) {
  return std::max(kSortEntriesMin, bytes_max / sizeof(KeyEntry));
}

Result<RowBits> RowBits::Make(uint64_t rows) {
  VECLOAD_ASSIGN_OR_RETURN(TemporaryFile file, TemporaryFile::Make());
  RowBits bits(std::move(file));
  VECLOAD_ASSIGN_OR_RETURN(bits.bits_, bits.file_.Map(rows / 8 + 1));
  return bits;
}

}  // namespace vecload::load
