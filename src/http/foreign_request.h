#pragma once

#include <optional>
#include <string_view>

#include "http/transport.h"

namespace vecload::http {

// Why a request is to be refused that some web page has made the user's browser send: its Host is
// neither loopback nor `bound_host`, where the server listens (DNS rebinding), its Origin is
// another place's, or the browser says that it comes from another site, but for a followed link.
// nullopt: it may pass. Where `bound_host` means all addresses, the Host must be an address, which
// nobody else's name can lead to.
std::optional<std::string_view> WhyForeign(const Headers& headers, std::string_view bound_host);

}  // namespace vecload::http
