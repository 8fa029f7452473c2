#include "source/listed_rows.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <unordered_map>

#include <fmt/format.h>

#include "wire/row_reference.h"

namespace vecload::source {
namespace {

// A rejected key stands in its line whole, whatever its length; a file with longer lines is no
// list of rows.
constexpr std::streamsize kLineBytesMax = 16 << 20;

using FileNumbers = std::unordered_map<std::string, uint32_t>;

Status TakeLine(std::string_view line, const Manifest& manifest, const FileNumbers& numbers,
                const std::function<void(uint32_t, uint64_t)>& take) {
  VECLOAD_ASSIGN_OR_RETURN(const wire::RowReference named, wire::ParseRowReference(line));
  const auto found = numbers.find(AbsoluteUri(named.file));
  if (found == numbers.end()) {
    return Status::InvalidArgument(
        fmt::format("file \"{}\" is not among the sources; name it too, or start from the folder "
                    "that the path was relative to",
                    named.file));
  }
  const uint64_t rows = manifest.files[found->second].rows;
  if (named.row >= rows) {
    return Status::InvalidArgument(
        fmt::format("there is no row {} in {}, which has {} rows", named.row, named.file, rows));
  }
  take(found->second, named.row);
  return Status::Ok();
}

}  // namespace

std::string AbsoluteUri(const std::string& uri) {
  if (uri.empty() || IsOnS3(uri) || IsStream(uri)) return uri;
  std::error_code ignored;
  const std::filesystem::path absolute = std::filesystem::absolute(uri, ignored);
  return absolute.empty() ? uri : absolute.lexically_normal().string();
}

Status ReadListedRows(std::string_view flag, const std::string& path, const Manifest& manifest,
                      const std::function<void(uint32_t, uint64_t)>& take) {
  FileNumbers numbers;
  for (uint32_t file = 0; file < manifest.files.size(); ++file) {
    numbers.emplace(AbsoluteUri(manifest.files[file].uri), file);
  }
  const std::string context = fmt::format("{} {}", flag, path);
  std::ifstream file(path, std::ios::binary);
  std::string buffer(kLineBytesMax, '\0');
  for (uint64_t number = 1; file.getline(buffer.data(), kLineBytesMax); ++number) {
    const auto read = static_cast<size_t>(file.gcount());
    const std::string_view line(buffer.data(), file.eof() ? read : read - 1);
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    const Status taken = TakeLine(line, manifest, numbers, take);
    if (!taken.ok()) return taken.WithContext(fmt::format("{}, line {}", context, number));
  }
  if (file.eof()) return Status::Ok();
  return Status::Io(fmt::format("{}: cannot be read: {}", context,
                                file.gcount() > 0 ? "a line is too long" : std::strerror(errno)));
}

}  // namespace vecload::source
