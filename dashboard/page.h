#pragma once

#include <string_view>

namespace vecload::dashboard {

/// The page of `load --dashboard` and of `serve`: one HTML file that needs no other.
std::string_view PageHtml();

/// Its Content-Security-Policy, for the answer's header: it allows the page's own script and
/// style by their hashes, and requests to where the page came from.
std::string_view PagePolicy();

}  // namespace vecload::dashboard
