#include "source/regular_lists.h"

#include <algorithm>
#include <utility>

#include <arrow/array.h>
#include <arrow/type.h>

#include "base/large_memory.h"

namespace vecload::source {
namespace {

constexpr size_t kFreeBlocksMax = 32;
// Below it a batch is a few cache lines, and Arrow reads many row groups at once.
constexpr int64_t kLevelsMin = 1 << 16;

std::shared_ptr<arrow::Array> ListsOf(const std::shared_ptr<arrow::DataType>& type, int64_t rows,
                                      int64_t length,
                                      const std::shared_ptr<arrow::Buffer>& values) {
  const auto floats = std::make_shared<arrow::FloatArray>(rows * length, values, nullptr, 0);
  if (type->id() == arrow::Type::FIXED_SIZE_LIST) {
    return std::make_shared<arrow::FixedSizeListArray>(type, rows, floats, nullptr, 0);
  }
  std::vector<int32_t> offsets(static_cast<size_t>(rows) + 1);
  for (size_t i = 0; i < offsets.size(); ++i) {
    offsets[i] = static_cast<int32_t>(static_cast<int64_t>(i) * length);
  }
  return std::make_shared<arrow::ListArray>(type, rows, arrow::Buffer::FromVector(offsets), floats,
                                            nullptr, 0);
}

// Of large memory, which Arrow's own buffers are not.
class LargeBuffer final : public arrow::MutableBuffer {
 public:
  explicit LargeBuffer(size_t bytes) : LargeBuffer(AllocateLargeMemory(bytes), bytes) {}

 private:
  LargeBuffer(LargeMemory memory, size_t bytes)
      : MutableBuffer(reinterpret_cast<uint8_t*>(memory.get()), static_cast<int64_t>(bytes)),
        memory_(std::move(memory)) {}

  const LargeMemory memory_;
};

}  // namespace

RecycledBlocks::RecycledBlocks(size_t block_bytes) : block_bytes_(block_bytes) {}

arrow::Result<std::shared_ptr<arrow::Buffer>> RecycledBlocks::Take() {
  std::unique_ptr<arrow::Buffer> block;
  {
    const std::lock_guard lock(free_->mutex);
    if (!free_->blocks.empty()) {
      block = std::move(free_->blocks.back());
      free_->blocks.pop_back();
    }
  }
  if (block == nullptr) {
    block = std::make_unique<LargeBuffer>(block_bytes_);
  }
  return std::shared_ptr<arrow::Buffer>(block.release(), [free = free_](arrow::Buffer* spent) {
    std::unique_ptr<arrow::Buffer> owned(spent);
    const std::lock_guard lock(free->mutex);
    if (free->blocks.size() < kFreeBlocksMax) free->blocks.push_back(std::move(owned));
  });
}

bool MayBeRegular(const arrow::DataType& type, int64_t rows, int64_t levels) {
  const bool is_list = type.id() == arrow::Type::LIST || type.id() == arrow::Type::FIXED_SIZE_LIST;
  if (!is_list || type.field(0)->type()->id() != arrow::Type::FLOAT) return false;
  if (rows <= 0 || levels < kLevelsMin || levels % rows != 0) return false;
  return type.id() == arrow::Type::LIST ||
         static_cast<const arrow::FixedSizeListType&>(type).list_size() == levels / rows;
}

RegularLists::RegularLists(std::shared_ptr<parquet::ColumnReader> column,
                           std::shared_ptr<arrow::DataType> type, int64_t rows, int64_t levels,
                           RecycledBlocks* blocks)
    : column_(std::move(column)),
      type_(std::move(type)),
      length_(levels / rows),
      levels_left_(levels),
      blocks_(blocks) {}

arrow::Result<std::shared_ptr<arrow::Array>> RegularLists::Next(int64_t rows) {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> block, blocks_->Take());
  auto* const values = reinterpret_cast<float*>(block->mutable_data());
  repetition_levels_.resize(static_cast<size_t>(rows * length_ + 1));
  definition_levels_.resize(repetition_levels_.size());
  int64_t have = 0;
  if (has_first_) {
    values[0] = first_;
    repetition_levels_[0] = 0;
    have = 1;
  }
  const int64_t end = have + std::min(rows * length_ + 1 - have, levels_left_);
  if (end < rows * length_ || !Read(have, end, values) || !AreRegular(end)) return nullptr;
  levels_left_ -= end - have;
  has_first_ = end > rows * length_;
  if (has_first_) first_ = values[rows * length_];
  return ListsOf(type_, rows, length_, block);
}

bool RegularLists::Read(int64_t begin, int64_t end, float* values) {
  auto* const reader = static_cast<parquet::FloatReader*>(column_.get());
  while (begin < end && reader->HasNext()) {  // a page at most
    int64_t values_read = 0;
    const int64_t levels_read =
        reader->ReadBatch(end - begin, definition_levels_.data() + begin,
                          repetition_levels_.data() + begin, values + begin, &values_read);
    // Nulls and empty lists have levels only.
    if (values_read != levels_read) return false;
    begin += levels_read;
  }
  return begin == end;
}

bool RegularLists::AreRegular(int64_t end) const {
  for (int64_t start = 0; start < end; start += length_) {
    const int16_t* const levels = repetition_levels_.data() + start;
    if (levels[0] != 0) return false;
    int wrong = 0;  // no early exit, so that it is done many at once
    for (int64_t i = 1; i < std::min(length_, end - start); ++i) wrong |= levels[i] ^ 1;
    if (wrong != 0) return false;
  }
  return true;
}

}  // namespace vecload::source
