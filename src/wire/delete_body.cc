#include "wire/delete_body.h"

#include <utility>

namespace vecload::wire {

DeleteBodyWriter::DeleteBodyWriter(const IndexName& index, ByteBuffer buffer)
    : RecordsWriter(index, "keys", std::move(buffer)) {}

bool DeleteBodyWriter::Add(std::string_view key, size_t body_bytes_max) {
  char* const begin = BeginRecord(6 * key.size() + 2);
  const char* const end = WriteJsonString(key, begin);
  return EndRecord(end, 0, static_cast<uint32_t>(end - begin), body_bytes_max);
}

}  // namespace vecload::wire
