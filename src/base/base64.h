#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace vecload {

// RFC 4648, section 4: the usual alphabet, padded.
std::string ToBase64(std::string_view bytes);
// Nothing where the text is not what ToBase64 would write.
std::optional<std::string> FromBase64(std::string_view text);

// Section 5: letters that need no escape in a URL, without padding.
std::string ToBase64Url(std::string_view bytes);
// Nothing where a letter is none of these.
std::optional<std::string> FromBase64Url(std::string_view text);

}  // namespace vecload
