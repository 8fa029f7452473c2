// Every operation with any body, down to the disk: the first line is method and target, as in
// "POST /PutVectors", the rest the body. A fault is a crash, a sanitizer's report, an answer that
// is no JSON, or a server error.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "fuzz/small_server.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static vecload::fuzz::SmallServer server;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t line = std::min(input.find('\n'), input.size());
  const std::size_t space = std::min(input.find(' '), line);
  server.Ask(std::string(input.substr(0, space)),
             std::string(input.substr(std::min(space + 1, line), line - std::min(space + 1, line))),
             std::string(input.substr(std::min(line + 1, input.size()))));
  return 0;
}
