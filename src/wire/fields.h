#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/filter.h"
#include "vecload/status.h"

namespace vecload::wire {

// Reads metadata objects as fields, for filters to be evaluated on. Reused from one to the next,
// since they come by the million. Not thread-safe.
class FieldReader {
 public:
  // `non_filterable_keys` are passed over; they outlive the reader.
  explicit FieldReader(std::span<const std::string> non_filterable_keys);
  FieldReader(const FieldReader&) = delete;
  FieldReader& operator=(const FieldReader&) = delete;
  ~FieldReader();

  // The fields of `metadata`, which ReadMetadata has let pass (an empty text has none). They live
  // until the next call. kCorrupt: it is no such object.
  Result<std::span<const Field>> Read(std::string_view metadata);

 private:
  struct Parser;
  std::span<const std::string> non_filterable_keys_;
  std::unique_ptr<Parser> parser_;
  std::vector<Field> fields_;
  std::vector<size_t> ends_;  // of each field's values, in values_
  std::vector<ScalarView> values_;
};

}  // namespace vecload::wire
