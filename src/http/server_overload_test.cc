// Goal: what is too slow, too much or not TLS ends for itself alone: the server keeps its bounds
// and goes on answering others. Method: bytes written by hand on loopback sockets, time-outs
// injected short; a slow client is one that trickles, so that the connection is never quiet.

#include <atomic>
#include <future>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/server.h"
#include "http/testing_certificate.h"
#include "http/testing_sockets.h"

namespace vecload::http {
namespace {

using std::chrono::milliseconds;
using testing::Connect;
using testing::Connection;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

ServerReply Echo(ServerRequest&& request) { return {{200, {}, std::move(request.body)}}; }

std::unique_ptr<Server> Start(ServerOptions options, Server::Handler handler = Echo) {
  auto server = Server::Start(std::move(options), std::move(handler));
  EXPECT_TRUE(server.ok()) << server.status().ToString();
  return *std::move(server);
}

std::string Post(std::string_view body) {
  return "POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + std::string(body);
}

std::string AskOnce(uint16_t port, std::string_view body) {
  Connection client = Connect(port);
  client.Send(Post(body));
  return client.ReceiveMessage();
}

// Asks again until the answer begins so, at most 20 s long; the last answer.
std::string AskUntil(uint16_t port, std::string_view body, std::string_view start) {
  const auto end = std::chrono::steady_clock::now() + milliseconds(testing::kWaitMs);
  std::string answer;
  do {
    answer = AskOnce(port, body);
  } while (!answer.starts_with(start) && std::chrono::steady_clock::now() < end);
  return answer;
}

// Sends a byte every few milliseconds until the server closes, or `bytes` are gone.
bool IsCutWhileTrickling(uint16_t port, std::string_view start, std::string_view bytes) {
  Connection client = Connect(port);
  client.Send(start);
  for (const char byte : bytes) {
    if (!client.Send({&byte, 1})) return true;
    pollfd closed{.fd = client.fd(), .events = POLLIN, .revents = 0};
    if (poll(&closed, 1, /*timeout=*/5) == 1) return client.ReceiveSome(1).empty();
  }
  return false;
}

TEST(ServerOverload, AHeadThatTricklesIsCut) {
  const auto server = Start({.header_timeout = milliseconds(100)});
  const std::string endless(2000, 'x');  // 10 s
  EXPECT_TRUE(IsCutWhileTrickling(server->port(), "POST /p HTTP/1.1\r\nX-Slow: ", endless));
  EXPECT_THAT(AskOnce(server->port(), "quick"), EndsWith("quick"));
}

TEST(ServerOverload, ABodyThatTricklesIsCut) {
  const auto server = Start({.body_timeout = milliseconds(100)});
  const std::string endless(2000, 'x');
  EXPECT_TRUE(IsCutWhileTrickling(server->port(),
                                  "POST /p HTTP/1.1\r\nContent-Length: 9999\r\n\r\n", endless));
  EXPECT_TRUE(IsCutWhileTrickling(
      server->port(), "POST /p HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2000\r\n", endless));
  EXPECT_THAT(AskOnce(server->port(), "quick"), EndsWith("quick"));
}

TEST(ServerOverload, AReplyThatNobodyReadsIsCut) {
  const auto server =
      Start({.bytes_in_flight_max = 1 << 20, .reply_timeout = milliseconds(100)},
            [](ServerRequest&& request) -> ServerReply {
              return {{200, {}, std::string(request.body == "much" ? 64 << 20 : 1, 'x')}};
            });
  Connection slow = Connect(server->port());
  slow.Send(Post("much"));
  EXPECT_THAT(slow.ReceiveSome(15), StartsWith("HTTP/1.1 200 OK"));
  // What is held for it counts, and is free again once it was cut.
  EXPECT_THAT(AskUntil(server->port(), "small", "HTTP/1.1 200"), StartsWith("HTTP/1.1 200"));
  EXPECT_LT(slow.ReceiveAll().size(), size_t{64} << 20);
}

// In both framings, whose head and first `bytes` of a body of `length` these are.
std::vector<std::string> BeginPosts(size_t length, size_t bytes) {
  return {"POST /p HTTP/1.1\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n" +
              std::string(bytes, 'a'),
          fmt::format("POST /p HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n", length) +
              std::string(bytes, 'a')};
}

TEST(ServerOverload, OfTwoBodiesThatDoNotFitOneIsRefused) {
  const auto server =
      Start({.bytes_in_flight_max = 1'000'000, .overloaded = {503, {{"X-Why", "bytes"}}, "busy"}});
  for (const std::string& begun : BeginPosts(900'000, 800'000)) {
    Connection first = Connect(server->port());
    Connection second = Connect(server->port());
    ASSERT_TRUE(first.Send(begun) && second.Send(begun));
    pollfd answered[] = {{first.fd(), POLLIN, 0}, {second.fd(), POLLIN, 0}};
    ASSERT_EQ(poll(answered, 2, testing::kWaitMs), 1);
    Connection& loser = answered[0].revents != 0 ? first : second;
    Connection& winner = answered[0].revents != 0 ? second : first;
    const std::string refused = loser.ReceiveMessage();
    EXPECT_THAT(refused, StartsWith("HTTP/1.1 503 Service Unavailable\r\nX-Why: bytes\r\n"));
    EXPECT_THAT(refused, EndsWith("\r\nConnection: close\r\n\r\nbusy"));
    winner.Send(std::string(100'000, 'b') + "\r\n0\r\n\r\n");
    EXPECT_TRUE(winner.ReceiveMessage().ends_with("bbb")) << "what was begun is finished";
  }
}

TEST(ServerOverload, AnnouncedBytesCostNothing) {
  const auto server = Start({.bytes_in_flight_max = 1'000'000});
  std::vector<Connection> announcing;
  for (int i = 0; i < 50; ++i) {
    announcing.push_back(Connect(server->port()));
    announcing.back().Send("POST /p HTTP/1.1\r\nContent-Length: 999999\r\n\r\n");
  }
  for (int i = 0; i < 10; ++i) EXPECT_THAT(AskOnce(server->port(), "x"), EndsWith("x"));
}

TEST(ServerOverload, HandlersKeepTheirBodysBytesInFlight) {
  std::promise<void> entered;
  std::promise<void> release;
  const auto server = Start({.bytes_in_flight_max = 1'000'000}, [&](ServerRequest&& request) {
    if (request.body.starts_with('a')) {
      entered.set_value();
      release.get_future().wait();
    }
    return ServerReply{{200, {}, "done"}};
  });
  Connection first = Connect(server->port());
  first.Send(Post(std::string(900'000, 'a')));
  entered.get_future().wait();
  for (const std::string& begun : BeginPosts(200'000, 200'000)) {
    Connection second = Connect(server->port());
    second.Send(begun);
    EXPECT_THAT(second.ReceiveMessage(), StartsWith("HTTP/1.1 503 "));
  }
  EXPECT_THAT(AskOnce(server->port(), "small"), EndsWith("done")) << "there is room for this";
  release.set_value();
  EXPECT_THAT(first.ReceiveMessage(), EndsWith("done"));
  EXPECT_THAT(AskUntil(server->port(), std::string(200'000, 'b'), "HTTP/1.1 200"),
              EndsWith("done"));
}

TEST(ServerOverload, AConnectionTooManyGetsTheConfiguredReply) {
  const auto server =
      Start({.connections_max = 1, .overloaded = {503, {{"X-Why", "full"}}, "busy"}});
  Connection first = Connect(server->port());
  first.Send(Post("1"));
  EXPECT_THAT(first.ReceiveMessage(), EndsWith("1"));
  EXPECT_THAT(AskOnce(server->port(), "2"), HasSubstr("X-Why: full\r\n"));
  first.Send(Post("3"));
  EXPECT_THAT(first.ReceiveMessage(), EndsWith("3"));
}

class ServerTls : public ::testing::Test {
 protected:
  [[nodiscard]] ServerOptions Options() const {
    return {.tls_certificate_file = files_.certificate(), .tls_key_file = files_.key()};
  }
  // What a client that trusts `ca_bundle` gets.
  static Result<Reply> Ask(uint16_t port, const std::string& ca_bundle, std::string_view body) {
    VECLOAD_ASSIGN_OR_RETURN(const auto transport, MakeCurlTransport({.ca_bundle = ca_bundle}));
    return transport->Call(
        {.url = "https://localhost:" + std::to_string(port) + "/p", .body = body});
  }

  testing::CertificateFiles files_;
};

TEST_F(ServerTls, SpeaksToAClientThatTrustsIt) {
  const auto server = Start(Options());
  std::string body(20'000'000, '\0');
  for (size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i * 2654435761u >> 24);
  for (const std::string& sent : {std::string("small"), body}) {
    const auto reply = Ask(server->port(), files_.certificate(), sent);
    ASSERT_TRUE(reply.ok()) << reply.status().ToString();
    EXPECT_TRUE(reply->body == sent);
  }
  EXPECT_EQ(Ask(server->port(), "", "small").status().code(), Code::kDenied);
}

TEST_F(ServerTls, KeepsItsBoundsAndStops) {
  ServerOptions options = Options();
  options.header_timeout = milliseconds(100);
  options.connections_max = 1;
  const auto server = Start(options);
  {
    Connection silent = Connect(server->port());
    EXPECT_EQ(silent.ReceiveAll(), "") << "no handshake in time";
  }
  {
    Connection plain = Connect(server->port());
    plain.Send(Post("plain"));
    EXPECT_EQ(plain.ReceiveAll().find("HTTP"), std::string::npos);
  }
  Connection open = Connect(server->port());
  server->Stop(std::chrono::seconds(60));
  EXPECT_EQ(open.ReceiveAll(), "");
}

TEST_F(ServerTls, FilesThatCannotBeUsedAreNamed) {
  const auto refusal = [](const ServerOptions& options) {
    const auto server = Server::Start(options, Echo);
    EXPECT_EQ(server.status().code(), Code::kInvalidArgument);
    return server.status().message();
  };
  ServerOptions options = Options();
  options.tls_key_file.clear();
  EXPECT_THAT(refusal(options), HasSubstr("both"));
  options = Options();
  options.tls_certificate_file = "/nowhere/c.pem";
  EXPECT_THAT(refusal(options), HasSubstr("/nowhere/c.pem"));
  options = Options();
  options.tls_key_file = options.tls_certificate_file;
  EXPECT_THAT(refusal(options), HasSubstr("TLS key " + options.tls_key_file));
}

}  // namespace
}  // namespace vecload::http
