#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "http/server.h"
#include "observe/event_hub.h"

// What the dashboards of jobs and of the local server have in common: a page, its events, and who
// may have them.
namespace vecload::server {

// The refusal of a request that a foreign web page has made, which the user's browser carries in:
// one whose Host is neither loopback nor `host`, where the program listens (DNS rebinding), or
// whose Origin is another place's. nullopt: it may pass. Where `host` means all addresses any Host
// may pass.
std::optional<http::ServerReply> RefuseForeign(const http::ServerRequest& request,
                                               std::string_view host);

// The path of the request's target, without its query.
std::string_view PathOf(const http::ServerRequest& request);

http::ServerReply PageReply();
// The hub's events as they come, after `opening`; 503 where it has too many watchers. `hub`
// outlives the HTTP server.
http::ServerReply EventsReply(observe::EventHub* hub, std::string opening);
http::ServerReply TextReply(int status, std::string text);
http::ServerReply JsonReply(int status, std::string json);

}  // namespace vecload::server
