#include "http/foreign_request.h"

#include <arpa/inet.h>

#include <algorithm>
#include <string>

#include <boost/beast/core/string.hpp>

namespace vecload::http {
namespace {

using boost::beast::iequals;

// "[::1]:80" -> "::1"; "localhost:80" -> "localhost"; empty where it is neither name nor address.
std::string_view WithoutPort(std::string_view host) {
  const bool is_v6 = host.starts_with('[');
  const size_t end = is_v6 ? host.find(']') : std::min(host.find(':'), host.size());
  if (end == std::string_view::npos) return {};
  const std::string_view port = host.substr(end + (is_v6 ? 1 : 0));
  const bool is_port =
      port.empty() || (port.front() == ':' && port.find_first_not_of("0123456789", 1) == port.npos);
  if (!is_port) return {};
  return is_v6 ? host.substr(1, end - 1) : host.substr(0, end);
}

bool IsAddress(std::string_view host) {
  in6_addr ignored{};
  const std::string text(host);
  return inet_pton(AF_INET, text.c_str(), &ignored) == 1 ||
         inet_pton(AF_INET6, text.c_str(), &ignored) == 1;
}

// 127.evil.example begins like an address of this machine.
bool IsLoopback(std::string_view host) {
  return iequals(host, "localhost") || host == "::1" ||
         (host.starts_with("127.") && IsAddress(host));
}

bool IsKnownHost(std::string_view host, std::string_view bound_host) {
  if (IsLoopback(host) || (!host.empty() && iequals(host, bound_host))) return true;
  return (bound_host == "0.0.0.0" || bound_host == "::") && IsAddress(host);
}

bool IsOwnOrigin(std::string_view origin, std::string_view host_header) {
  const size_t scheme = origin.find("://");
  return scheme != std::string_view::npos && iequals(origin.substr(scheme + 3), host_header);
}

bool ComesFromAnotherSite(const Headers& headers) {
  const std::string_view site = FindHeader(headers, "Sec-Fetch-Site");
  if (site.empty() || site == "same-origin" || site == "none") return false;
  return FindHeader(headers, "Sec-Fetch-Mode") != "navigate";
}

}  // namespace

std::optional<std::string_view> WhyForeign(const Headers& headers, std::string_view bound_host) {
  const auto hosts = std::ranges::count_if(
      headers, [](const auto& header) { return iequals(header.first, "Host"); });
  const std::string_view host = FindHeader(headers, "Host");
  if (hosts != 1 || !IsKnownHost(WithoutPort(host), bound_host)) {
    return "this server is not of that name: use the URL that was printed\n";
  }
  const std::string_view origin = FindHeader(headers, "Origin");
  if ((!origin.empty() && !IsOwnOrigin(origin, host)) || ComesFromAnotherSite(headers)) {
    return "requests of other web pages are not answered\n";
  }
  return std::nullopt;
}

}  // namespace vecload::http
