// Sends the input to our HTTP server as one client would, over a real loopback connection, and
// waits for the end of the answer. Whatever comes in: the server answers in HTTP or closes, hands
// no handler more than the limit, and neither hangs nor dies.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "http/server.h"
#include "http/testing_sockets.h"

namespace {

constexpr std::size_t kBodyBytesMax = 4096;

vecload::http::Server& StartedServer() {
  static const auto server = [] {
    const vecload::http::ServerOptions options{.body_bytes_max = kBodyBytesMax,
                                               .header_bytes_max = 2048,
                                               .too_large = {413, {}, "too large"}};
    auto started =
        vecload::http::Server::Start(options, [](vecload::http::ServerRequest&& request) {
          CHECK(request.body.size() <= kBodyBytesMax);
          CHECK(!request.method.empty());
          return vecload::http::ServerReply{{200, {{"X-Target", request.target}}, request.body}};
        });
    CHECK(started.ok());
    return *std::move(started);
  }();
  return *server;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static std::uint32_t inputs = 0;
  auto client = vecload::http::testing::Connect(StartedServer().port(), 1 + inputs++ % 1000);
  CHECK(client.IsOpen());
  client.Send(std::string_view(reinterpret_cast<const char*>(data), size));
  client.FinishSending();
  const std::string answer = client.ReceiveAll();
  CHECK(answer.empty() || answer.starts_with("HTTP/1.1 "));
  return 0;
}
