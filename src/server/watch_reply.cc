#include "server/watch_reply.h"

#include <memory>
#include <utility>

#include "dashboard/page.h"
#include "http/foreign_request.h"

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

}  // namespace

std::optional<http::ServerReply> RefuseForeign(const http::ServerRequest& request,
                                               std::string_view host) {
  const auto why = http::WhyForeign(request.headers, host);
  if (!why.has_value()) return std::nullopt;
  return TextReply(403, std::string(*why));
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
