#include "server/watch_reply.h"

#include <memory>
#include <utility>

#include "dashboard/page.h"

namespace vecload::server {
namespace {

// For every answer of a dashboard: no cache keeps it, no other page embeds it.
http::Headers SafeHeaders(std::string content_type) {
  return {{"Content-Type", std::move(content_type)},
          {"Cache-Control", "no-store"},
          {"X-Content-Type-Options", "nosniff"},
          {"Referrer-Policy", "no-referrer"},
          {"Cross-Origin-Resource-Policy", "same-origin"}};
}

// "[::1]:80" -> "::1"; "localhost:80" -> "localhost".
std::string_view WithoutPort(std::string_view host) {
  if (host.starts_with('[')) {
    const size_t end = host.find(']');
    return end == std::string_view::npos ? std::string_view() : host.substr(1, end - 1);
  }
  return host.substr(0, host.rfind(':'));
}

// 127.evil.example begins like an address of this machine.
bool IsLoopback(std::string_view host) {
  return host == "localhost" || host == "::1" ||
         (host.starts_with("127.") && host.find_first_not_of("0123456789.") == host.npos);
}

bool IsKnownHost(std::string_view header, std::string_view host) {
  const std::string_view name = WithoutPort(header);
  if (name.empty()) return false;
  return IsLoopback(name) || name == host || host == "0.0.0.0" || host == "::";
}

bool IsOwnOrigin(std::string_view origin, std::string_view host_header) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (origin.starts_with(scheme) && origin.substr(scheme.size()) == host_header) return true;
  }
  return false;
}

}  // namespace

std::optional<http::ServerReply> RefuseForeign(const http::ServerRequest& request,
                                               std::string_view host) {
  const std::string_view host_header = http::FindHeader(request.headers, "Host");
  if (!IsKnownHost(host_header, host)) {
    return TextReply(403, "this address is not known here: use the URL that was printed\n");
  }
  const std::string_view origin = http::FindHeader(request.headers, "Origin");
  if (!origin.empty() && !IsOwnOrigin(origin, host_header)) {
    return TextReply(403, "requests of other web pages are not answered\n");
  }
  return std::nullopt;
}

std::string_view PathOf(const http::ServerRequest& request) {
  const std::string_view target = request.target;
  return target.substr(0, target.find('?'));
}

http::ServerReply PageReply() {
  http::ServerReply answer;
  answer.reply.status = 200;
  answer.reply.headers = SafeHeaders("text/html; charset=utf-8");
  answer.reply.headers.emplace_back("Content-Security-Policy", dashboard::PagePolicy());
  answer.reply.body = dashboard::PageHtml();
  return answer;
}

http::ServerReply EventsReply(observe::EventHub* hub, std::string opening) {
  auto watcher = std::make_shared<std::unique_ptr<observe::EventHub::Watcher>>();
  auto stream = std::make_shared<http::BodyStream>([watcher] {
    observe::EventHub::News news = (*watcher)->Next();
    return http::BodyStream::Piece{std::move(news.texts), news.ended};
  });
  *watcher = hub->Watch(std::move(opening), [weak = std::weak_ptr(stream)] {
    if (const auto woken = weak.lock()) woken->Wake();
  });
  if (*watcher == nullptr) return TextReply(503, "too many watch already\n");
  http::ServerReply answer;
  answer.reply.status = 200;
  answer.reply.headers = SafeHeaders("text/event-stream");
  answer.stream = std::move(stream);
  return answer;
}

http::ServerReply TextReply(int status, std::string text) {
  return {{status, SafeHeaders("text/plain; charset=utf-8"), std::move(text)}};
}

http::ServerReply JsonReply(int status, std::string json) {
  return {{status, SafeHeaders("application/json"), std::move(json)}};
}

}  // namespace vecload::server
