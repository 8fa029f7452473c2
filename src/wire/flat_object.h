#pragma once

#include <map>
#include <string>
#include <string_view>
#include <variant>

#include "wire/messages.h"

namespace vecload::wire {

using FlatValue = std::variant<double, std::string>;

// Reads a JSON object whose members are numbers and strings, as the local server's own requests
// are. An empty body counts as {}; a member that is null as absent.
Decoded<std::map<std::string, FlatValue>> ReadFlatObject(std::string_view body);

}  // namespace vecload::wire
