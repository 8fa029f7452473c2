#include "http/reply_head.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <initializer_list>
#include <string_view>

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/status.hpp>
#include <fmt/format.h>

#include "base/clock.h"

namespace vecload::http {
namespace {

namespace beast = boost::beast;

bool IsOneOf(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::any_of(names.begin(), names.end(),
                     [&](std::string_view other) { return beast::iequals(name, other); });
}

// RFC 9110's form, whatever the locale.
std::string HttpDate(std::time_t time) {
  static constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::tm parts{};
  gmtime_r(&time, &parts);
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT", kDays[parts.tm_wday], parts.tm_mday,
                     kMonths[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour, parts.tm_min,
                     parts.tm_sec);
}

}  // namespace

std::string ReplyHead(const Reply& reply, const Framing& framing) {
  const auto status = static_cast<unsigned>(reply.status);
  std::string head = fmt::format(
      "HTTP/1.1 {} {}\r\n", reply.status,
      std::string_view(beast::http::obsolete_reason(beast::http::int_to_status(status))));
  for (const auto& [name, value] : reply.headers) {
    if (IsOneOf(name, {"Content-Length", "Connection", "Transfer-Encoding"})) continue;
    const size_t begin = head.size();
    head.append(name).append(": ").append(value);
    // A value may echo what a client sent; it must not end the line.
    std::replace_if(
        head.begin() + static_cast<std::ptrdiff_t>(begin), head.end(),
        [](char c) { return c == '\r' || c == '\n' || c == '\0'; }, ' ');
    head += "\r\n";
  }
  if (FindHeader(reply.headers, "Date").empty()) {
    const auto now = std::chrono::time_point_cast<std::chrono::system_clock::duration>(
        Clock::System().WallNow());
    head += "Date: " + HttpDate(std::chrono::system_clock::to_time_t(now)) + "\r\n";
  }
  if (framing.body_bytes.has_value() && status >= 200 && status != 204 && status != 304) {
    head += fmt::format("Content-Length: {}\r\n", *framing.body_bytes);
  }
  head += framing.keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
  return head;
}

}  // namespace vecload::http
