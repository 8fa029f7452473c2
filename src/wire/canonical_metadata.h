#pragma once

#include <string>
#include <string_view>

namespace vecload::wire {

// Appends bytes that are the same for two metadata objects exactly where they mean the same:
// members sorted by key, of a key given twice the last; strings by content, whatever their escapes;
// numbers by value as a double, or rounded to float32, with -0 as 0; arrays in their order. No
// metadata at all is an empty object. A text that is no such object stands for itself.
void AppendCanonicalMetadata(std::string_view json, bool numbers_as_float32, std::string* out);

}  // namespace vecload::wire
