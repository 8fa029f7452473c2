#include "source/hive.h"

#include <algorithm>

namespace vecload::source {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// What is no valid escape stands for itself.
std::string PercentDecode(std::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      const int high = HexDigit(text[i + 1]);
      const int low = HexDigit(text[i + 2]);
      if (high >= 0 && low >= 0) {
        decoded.push_back(static_cast<char>(high * 16 + low));
        i += 2;
        continue;
      }
    }
    decoded.push_back(text[i]);
  }
  return decoded;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> HivePartitions(std::string_view path) {
  std::vector<std::pair<std::string, std::string>> partitions;
  while (true) {
    const size_t slash = path.find('/');
    if (slash == std::string_view::npos) return partitions;
    const std::string_view folder = path.substr(0, slash);
    path.remove_prefix(slash + 1);
    const size_t equals = folder.find('=');
    if (equals == std::string_view::npos || equals == 0) continue;
    std::string name = PercentDecode(folder.substr(0, equals));
    std::erase_if(partitions, [&](const auto& partition) { return partition.first == name; });
    partitions.emplace_back(std::move(name), PercentDecode(folder.substr(equals + 1)));
  }
}

bool IsPartitionInteger(std::string_view value) {
  if (!value.empty() && value[0] == '-') value.remove_prefix(1);
  return !value.empty() && value.size() <= 15 &&
         std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace vecload::source
