#pragma once

#include <string>
#include <string_view>

namespace vecload::observe {

// `text` as it stands in HTML, between tags as well as in a quoted attribute. What HTML cannot
// hold (control characters, bytes that are not UTF-8) becomes U+FFFD.
std::string Escaped(std::string_view text);

}  // namespace vecload::observe
