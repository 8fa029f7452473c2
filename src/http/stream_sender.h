#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/clock.h"
#include "http/body_stream.h"
#include "http/server_stream.h"

namespace vecload::http {

// What SendStream needs of the connection; all of it is used on the I/O thread only.
struct StreamTarget {
  ServerStream& stream;
  boost::asio::steady_timer& timer;  // cancelling it makes SendStream look at `stopping` again
  const bool& stopping;
  bool chunked = true;       // HTTP/1.0 has the end of the connection instead
  Duration piece_timeout{};  // for the client to take one piece
};

// Sends the body until its last piece, until the client is gone or takes a piece too slowly, or
// until the server stops. Returns whether the client has all of it.
boost::asio::awaitable<bool> SendStream(StreamTarget target, std::shared_ptr<BodyStream> body);

}  // namespace vecload::http
