#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "http/transport.h"

namespace vecload::http {

// Where a reply's body ends, and what comes of the connection.
struct Framing {
  bool keep_alive = false;
  std::optional<size_t> body_bytes = {};  // absent: it ends with the connection
};

// The reply's first line and its headers, up to the empty line.
std::string ReplyHead(const Reply& reply, const Framing& framing);

}  // namespace vecload::http
