#include "observe/report_details.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace vecload::observe {
namespace {

constexpr std::string_view kHidden = "***";
constexpr std::string_view kEndsOfUrl = " \t\n'\"";

// "//user:password@host" -> "//***@host".
void HideUsers(std::string* text) {
  for (size_t at = text->find("//"); at != text->npos; at = text->find("//", at + 2)) {
    const size_t begin = at + 2;
    const size_t end =
        std::min(text->find_first_of("/?#", begin), text->find_first_of(kEndsOfUrl, begin));
    const size_t host = text->substr(begin, end == text->npos ? end : end - begin).rfind('@');
    if (host != text->npos) text->replace(begin, host, kHidden);
  }
}

// "X-Amz-Signature=abc&" -> "X-Amz-Signature=***&".
void HideParameters(std::string* text) {
  constexpr std::array<std::string_view, 3> kSecret = {
      "X-Amz-Signature=", "X-Amz-Security-Token=", "X-Amz-Credential="};
  for (const std::string_view name : kSecret) {
    for (size_t at = text->find(name); at != text->npos; at = text->find(name, at + 1)) {
      const size_t begin = at + name.size();
      const size_t end =
          std::min({text->find('&', begin), text->find_first_of(kEndsOfUrl, begin), text->size()});
      text->replace(begin, end - begin, kHidden);
    }
  }
}

}  // namespace

std::string WithoutSecrets(std::string text, const std::vector<std::string>& secrets) {
  constexpr size_t kSecretBytesMin = 8;  // a shorter one would hide words
  for (const std::string& secret : secrets) {
    if (secret.size() < kSecretBytesMin) continue;
    for (size_t at = text.find(secret); at != text.npos; at = text.find(secret, at)) {
      text.replace(at, secret.size(), kHidden);
    }
  }
  HideUsers(&text);
  HideParameters(&text);
  return text;
}

}  // namespace vecload::observe
