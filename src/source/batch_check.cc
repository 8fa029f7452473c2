#include "source/batch_check.h"

#include <cstdint>

#include <arrow/array.h>
#include <arrow/array/data.h>
#include <arrow/extension_type.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>

#include "source/arrow_status.h"

namespace vecload::source {
namespace {

bool ChildrenAreSound(const arrow::ArrayData& data);

// Offsets that never fall and end within what they point into.
template <typename Offset>
bool OffsetsAreSound(const arrow::ArrayData& data, int64_t target_length) {
  if (data.length == 0) return true;
  const Offset* offsets = data.GetValues<Offset>(1);
  if (offsets == nullptr || offsets[0] < 0) return false;
  for (int64_t i = 0; i < data.length; ++i) {
    if (offsets[i + 1] < offsets[i]) return false;
  }
  return offsets[data.length] <= target_length;
}

template <typename Index>
bool IndicesAreSound(const arrow::ArrayData& data, int64_t dictionary_length) {
  const Index* indices = data.GetValues<Index>(1);
  for (int64_t i = 0; i < data.length; ++i) {
    if (!data.IsValid(i)) continue;
    if (indices[i] < 0 ||
        static_cast<uint64_t>(indices[i]) >= static_cast<uint64_t>(dictionary_length)) {
      return false;
    }
  }
  return true;
}

bool DictionaryIsSound(const arrow::ArrayData& data, const arrow::DataType& type) {
  if (data.dictionary == nullptr || !ChildrenAreSound(*data.dictionary)) return false;
  const int64_t length = data.dictionary->length;
  switch (static_cast<const arrow::DictionaryType&>(type).index_type()->id()) {
    case arrow::Type::INT8:
      return IndicesAreSound<int8_t>(data, length);
    case arrow::Type::UINT8:
      return IndicesAreSound<uint8_t>(data, length);
    case arrow::Type::INT16:
      return IndicesAreSound<int16_t>(data, length);
    case arrow::Type::UINT16:
      return IndicesAreSound<uint16_t>(data, length);
    case arrow::Type::INT32:
      return IndicesAreSound<int32_t>(data, length);
    case arrow::Type::UINT32:
      return IndicesAreSound<uint32_t>(data, length);
    case arrow::Type::INT64:
      return IndicesAreSound<int64_t>(data, length);
    case arrow::Type::UINT64:
      return IndicesAreSound<uint64_t>(data, length);
    default:
      return false;
  }
}

int64_t ValueBytes(const arrow::ArrayData& data) {
  return data.buffers[2] == nullptr ? 0 : data.buffers[2]->size();
}

bool IsSound(const arrow::ArrayData& data) {
  const arrow::DataType* type = data.type.get();
  if (type->id() == arrow::Type::EXTENSION) {
    type = static_cast<const arrow::ExtensionType*>(type)->storage_type().get();
  }
  switch (type->id()) {
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
      return OffsetsAreSound<int32_t>(data, ValueBytes(data));
    case arrow::Type::LARGE_STRING:
    case arrow::Type::LARGE_BINARY:
      return OffsetsAreSound<int64_t>(data, ValueBytes(data));
    case arrow::Type::LIST:
    case arrow::Type::MAP:
      return OffsetsAreSound<int32_t>(data, data.child_data[0]->length);
    case arrow::Type::LARGE_LIST:
      return OffsetsAreSound<int64_t>(data, data.child_data[0]->length);
    case arrow::Type::DICTIONARY:
      return DictionaryIsSound(data, *type);
    case arrow::Type::STRING_VIEW:
    case arrow::Type::BINARY_VIEW: {
      // As binary: text that is not UTF-8 is one row's fault, not the file's.
      const auto copy = data.Copy();
      copy->type = arrow::binary_view();
      return arrow::MakeArray(copy)->ValidateFull().ok();
    }
    default:
      return true;
  }
}

bool ChildrenAreSound(const arrow::ArrayData& data) {
  for (const auto& child : data.child_data) {
    if (!ChildrenAreSound(*child)) return false;
  }
  return IsSound(data);
}

}  // namespace

Status CheckBatch(const arrow::RecordBatch& batch, const std::string& uri) {
  // Lengths of all buffers and children against the batch's own.
  VECLOAD_RETURN_IF_ERROR(FromArrow(batch.Validate(), uri));
  for (int i = 0; i < batch.num_columns(); ++i) {
    if (!ChildrenAreSound(*batch.column_data(i))) {
      return Status::Corrupt(uri + ": column \"" + batch.column_name(i) +
                             "\" is damaged: an offset or a dictionary index is out of range");
    }
  }
  return Status::Ok();
}

}  // namespace vecload::source
