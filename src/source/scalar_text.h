#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <arrow/type_fwd.h>

#include "vecload/record.h"

namespace vecload::source {

// What a column's values are in JSON.
enum class ScalarKind { kUnsupported, kNull, kString, kNumber, kBool };
ScalarKind ScalarKindOf(const arrow::DataType& type);

// Whether the value is null, in a dictionary's entry as well.
bool IsNullAt(const arrow::Array& column, int64_t row);

// The text of a string, binary, or dictionary of these at `row`, which is not null.
std::string_view TextAt(const arrow::Array& column, int64_t row);

// The canonical 8-4-4-4-12 form of 16 bytes.
void AppendUuid(std::string_view bytes, std::string* out);

// Appends what is no text already: an integer in decimal, a bool as true or false, a UUID, or a
// dictionary's entry of these. It is not null.
void AppendPlainText(const arrow::Array& column, int64_t row, std::string* out);

// One value as it was appended to a JSON text.
struct ScalarOutcome {
  uint32_t bytes = 0;  // by the service's size model
  RejectRule fault = RejectRule::kNone;
  std::string_view problem = {};  // a fixed text; empty unless there is a fault
};

// Appends the value at `row`, which is not null, of a type that ScalarKindOf supports. Where there
// is a fault, what was appended is to be cut off again.
ScalarOutcome AppendScalar(const arrow::Array& column, int64_t row, std::string* out);

}  // namespace vecload::source
