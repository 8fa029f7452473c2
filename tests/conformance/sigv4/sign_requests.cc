// Signs the requests on stdin, for sigv4_test.py to compare with botocore's signatures.
//
// One request a line, its fields in hex of their bytes, separated by tabs: access key, secret key,
// session token, region, service, seconds since the epoch, method, path, query, body, then name
// and value of each header. One line comes back for each: the headers that Sign adds, as
// "name: value" separated by tabs.

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "auth/sigv4.h"

namespace {

std::string FromHex(const std::string& hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::strtol(hex.substr(i, 2).c_str(), nullptr, 16));
  }
  return bytes;
}

std::vector<std::string> Fields(const std::string& line) {
  std::vector<std::string> fields;
  for (size_t begin = 0; begin <= line.size();) {
    const size_t end = std::min(line.find('\t', begin), line.size());
    fields.push_back(FromHex(line.substr(begin, end - begin)));
    begin = end + 1;
  }
  return fields;
}

}  // namespace

int main() {
  using namespace vecload::auth;
  constexpr size_t kFixedFields = 10;
  std::string line;
  while (std::getline(std::cin, line)) {
    const std::vector<std::string> fields = Fields(line);
    if (fields.size() < kFixedFields || fields.size() % 2 != 0) {
      std::fprintf(stderr, "a line with %zu fields\n", fields.size());
      return 2;
    }
    const Credentials credentials = {fields[0], fields[1], fields[2]};
    const SigningScope scope = {fields[3], fields[4]};
    const auto now =
        vecload::WallTime(std::chrono::seconds(std::strtoll(fields[5].c_str(), nullptr, 10)));
    SigningRequest request = {.method = fields[6], .path = fields[7], .query = fields[8]};
    const PayloadHash hash = Sha256Hex(fields[9]);
    request.payload_hash = {hash.data(), hash.size()};
    for (size_t i = kFixedFields; i < fields.size(); i += 2) {
      request.headers.emplace_back(fields[i], fields[i + 1]);
    }
    const char* separator = "";
    for (const auto& [name, value] : Sign(request, credentials, scope, now)) {
      std::printf("%s%s: %s", separator, name.c_str(), value.c_str());
      separator = "\t";
    }
    std::printf("\n");
  }
  return 0;
}
