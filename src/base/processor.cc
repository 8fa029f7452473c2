#include "base/processor.h"

#include <fstream>
#include <string_view>

namespace vecload {

std::string ProcessorModel() {
  std::ifstream file("/proc/cpuinfo");
  constexpr std::string_view kName = "model name";
  for (std::string line; std::getline(file, line);) {
    const size_t colon = line.find(": ");
    if (line.starts_with(kName) && colon != line.npos) return line.substr(colon + 2);
  }
  return "";
}

}  // namespace vecload
