#include <fmt/format.h>

#include "http/server.h"

namespace vecload::http {

std::string ServerUrl(std::string_view scheme, std::string_view host, uint16_t port) {
  const bool is_v6 = host.find(':') != std::string_view::npos;
  return fmt::format("{}://{}{}{}:{}", scheme, is_v6 ? "[" : "", host, is_v6 ? "]" : "", port);
}

}  // namespace vecload::http
