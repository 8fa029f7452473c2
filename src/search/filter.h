#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/filter.h"

namespace vecload::search {

// The fields of a record as one string: what a filter is evaluated on, vector by vector, without
// reading JSON. Costs 8 bytes a field and 1 to 9 bytes a value on top of their text.
std::string PackFields(std::span<const Field> fields);

// Whether the record satisfies the filter. `packed` was made by PackFields.
bool Matches(const Filter& filter, std::string_view packed);

}  // namespace vecload::search
