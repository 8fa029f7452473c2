#include "source/glob.h"

#include <cstddef>

namespace vecload::source {
namespace {

// Matches one character against the set that opens at pattern[*at] == '['. Moves *at past the set.
// A set that does not close is an ordinary bracket.
bool SetMatches(std::string_view pattern, size_t* at, char c) {
  size_t i = *at + 1;
  const bool negated = i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^');
  if (negated) ++i;
  const size_t first = i;
  bool found = false;
  for (; i < pattern.size() && (pattern[i] != ']' || i == first); ++i) {
    if (i + 2 < pattern.size() && pattern[i + 1] == '-' && pattern[i + 2] != ']') {
      found |= pattern[i] <= c && c <= pattern[i + 2];
      i += 2;
    } else {
      found |= pattern[i] == c;
    }
  }
  if (i >= pattern.size()) {
    ++*at;
    return c == '[';
  }
  *at = i + 1;
  return found != negated;
}

// Matches one character of the pattern that is not '*'; moves *at past it.
bool OneMatches(std::string_view pattern, size_t* at, char c) {
  if (pattern[*at] == '[') return SetMatches(pattern, at, c);
  const char expected = pattern[(*at)++];
  return expected == '?' || expected == c;
}

}  // namespace

bool HasGlob(std::string_view text) { return text.find_first_of("*?[") != std::string_view::npos; }

bool IsHidden(std::string_view name) {
  if (name.empty() || name[0] == '.') return true;
  return name[0] == '_' && name.find('=') == std::string_view::npos;
}

bool SegmentMatches(std::string_view pattern, std::string_view name) {
  if (IsHidden(name) && (name.empty() || pattern.empty() || pattern[0] != name[0])) return false;
  size_t at = 0;
  size_t i = 0;
  // Where to go on after the last '*': only that one ever needs to take one character more.
  size_t star_at = std::string_view::npos;
  size_t star_i = 0;
  while (i < name.size()) {
    if (at < pattern.size() && pattern[at] == '*') {
      star_at = ++at;
      star_i = i;
      continue;
    }
    if (at < pattern.size() && OneMatches(pattern, &at, name[i])) {
      ++i;
      continue;
    }
    if (star_at == std::string_view::npos) return false;
    at = star_at;
    i = ++star_i;
  }
  while (at < pattern.size() && pattern[at] == '*') ++at;
  return at == pattern.size();
}

}  // namespace vecload::source
