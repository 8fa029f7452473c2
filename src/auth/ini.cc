#include "auth/ini.h"

#include <algorithm>

#include "auth/canonical_request.h"

namespace vecload::auth {
namespace {

constexpr std::string_view kSpace = " \t\r\f\v";

std::string_view Trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

// '#' and ';' open a comment only after space: a URL or a password may hold either.
std::string_view WithoutComment(std::string_view text) {
  for (size_t i = 1; i < text.size(); ++i) {
    const bool opens = text[i] == '#' || text[i] == ';';
    if (opens && (text[i - 1] == ' ' || text[i - 1] == '\t')) return text.substr(0, i);
  }
  return text;
}

class IniReader {
 public:
  // Takes one line; returns what is wrong with it, or nullptr.
  const char* Take(std::string_view line) {
    const std::string_view text = Trim(line);
    if (text.empty() || text[0] == '#' || text[0] == ';') return nullptr;
    if (line[0] == ' ' || line[0] == '\t') return TakeIndented(text);
    if (text[0] == '[') return TakeSection(text);
    return TakeKey(text);
  }

  IniFile TakeFile() { return std::move(file_); }

 private:
  const char* TakeSection(std::string_view text) {
    const size_t end = text.find(']');
    if (end == std::string_view::npos) return "a section name without ']'";
    section_ = &file_[std::string(Trim(text.substr(1, end - 1)))];
    key_.clear();
    return nullptr;
  }

  const char* TakeKey(std::string_view text) {
    if (section_ == nullptr) return "a key before the first [section]";
    const size_t equals = text.find('=');
    if (equals == std::string_view::npos || equals == 0) return "neither [section] nor key = value";
    key_ = LowerCase(Trim(text.substr(0, equals)));
    (*section_)[key_] = Trim(WithoutComment(text.substr(equals + 1)));
    return nullptr;
  }

  const char* TakeIndented(std::string_view text) {
    if (section_ == nullptr || key_.empty()) return "an indented line that continues nothing";
    std::string& value = (*section_)[key_];
    if (!value.empty()) {
      value.append("\n").append(text);
      return nullptr;
    }
    const size_t equals = text.find('=');
    if (equals == std::string_view::npos || equals == 0) return "an indented line, not key = value";
    (*section_)[key_ + "." + LowerCase(Trim(text.substr(0, equals)))] =
        Trim(WithoutComment(text.substr(equals + 1)));
    return nullptr;
  }

  IniFile file_;
  IniSection* section_ = nullptr;
  std::string key_;  // Of the last line that was not indented; empty after a section's.
};

}  // namespace

Result<IniFile> ParseIni(std::string_view text, std::string_view path) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  IniReader reader;
  for (size_t begin = 0, number = 1; begin < text.size(); ++number) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    if (const char* fault = reader.Take(text.substr(begin, end - begin)); fault != nullptr) {
      return Status::InvalidArgument(std::string(path) + ", line " + std::to_string(number) + ": " +
                                     fault);
    }
    begin = end + 1;
  }
  return reader.TakeFile();
}

}  // namespace vecload::auth
