#pragma once

#include <map>
#include <string>
#include <string_view>

#include "vecload/status.h"

namespace vecload::auth {

// Keys in lower case to values. A key over an indented block of its own, as in
//   s3vectors =
//     endpoint_url = http://localhost:8080
// stands as "s3vectors.endpoint_url".
using IniSection = std::map<std::string, std::string>;
// Section names as written between the brackets, without outer space.
using IniFile = std::map<std::string, IniSection>;

// Reads the dialect of ~/.aws/config. Of a key given twice the later value wins.
// kInvalidArgument names `path` and the line, never its text, which may hold a secret.
Result<IniFile> ParseIni(std::string_view text, std::string_view path);

}  // namespace vecload::auth
