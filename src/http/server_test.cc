// Goal: the server gives handlers whole requests and clients whole answers, keeps its bounds, and
// no client can hold up another or the stop. Method: bytes written by hand on loopback sockets, so
// that halves, oddities and silence can be sent; time-outs are injected short.

#include "http/server.h"

#include <atomic>
#include <future>
#include <latch>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/testing_sockets.h"

namespace vecload::http {
namespace {

using std::chrono::milliseconds;
using testing::Connect;
using testing::Connection;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

ServerReply Echo(ServerRequest&& request) {
  std::string text = request.method + " " + request.target + " ";
  return {{200, {{"X-Length", std::to_string(request.body.size())}}, text + request.body}};
}

std::unique_ptr<Server> Start(ServerOptions options, Server::Handler handler = Echo) {
  auto server = Server::Start(std::move(options), std::move(handler));
  EXPECT_TRUE(server.ok()) << server.status().ToString();
  return *std::move(server);
}

std::string Post(std::string_view body, std::string_view more_headers = "") {
  return "POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         std::string(more_headers) + "\r\n" + std::string(body);
}

TEST(Server, KeepsAConnectionAliveAlsoForPipelinedRequests) {
  const auto server = Start({});
  Connection client = Connect(server->port());
  client.Send(Post("one"));
  const std::string first = client.ReceiveMessage();
  EXPECT_THAT(first, StartsWith("HTTP/1.1 200 OK\r\nX-Length: 3\r\nDate: "));
  EXPECT_THAT(first, HasSubstr("\r\nConnection: keep-alive\r\n"));
  EXPECT_THAT(first, EndsWith("\r\n\r\nPOST /p one"));
  client.Send(Post("two") + Post("") + Post("four"));
  EXPECT_THAT(client.ReceiveMessage(), EndsWith("POST /p two"));
  EXPECT_THAT(client.ReceiveMessage(), EndsWith("POST /p "));
  EXPECT_THAT(client.ReceiveMessage(), EndsWith("POST /p four"));
}

TEST(Server, HandsOverMethodTargetAndHeadersAsReceived) {
  ServerRequest seen;
  const auto server = Start({}, [&](ServerRequest&& request) {
    seen = std::move(request);
    return ServerReply{{204, {}, "never sent"}};
  });
  Connection client = Connect(server->port());
  client.Send(
      "DELETE /tags/arn%3Aaws?k=a%20b&k=c HTTP/1.1\r\nHost: h:1\r\nX-Twice: 1\r\n"
      "x-twice:  2 \r\n\r\n");
  const std::string reply = client.ReceiveMessage();
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 204 No Content\r\n"));
  EXPECT_THAT(reply, Not(HasSubstr("Content-Length")));
  EXPECT_EQ(seen.method, "DELETE");
  EXPECT_EQ(seen.target, "/tags/arn%3Aaws?k=a%20b&k=c");
  EXPECT_EQ(seen.headers, (Headers{{"Host", "h:1"}, {"X-Twice", "1"}, {"x-twice", "2"}}));
  client.Send("GET / HTTP/1.1\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(client.ReceiveAll(), HasSubstr("\r\nConnection: close\r\n"));
}

TEST(Server, HeadHasTheHeadersOfGetAndNoBody) {
  const auto server = Start({});
  Connection client = Connect(server->port());
  client.Send("HEAD /x HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(client.ReceiveMessage(/*has_body=*/false), HasSubstr("Content-Length: 8\r\n"));
  client.Send("GET /x HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(client.ReceiveMessage(), EndsWith("GET /x "));
}

TEST(Server, AHandlersHeaderCannotSplitTheReply) {
  const auto server = Start({}, [](ServerRequest&&) {
    return ServerReply{{200, {{"X", "a\r\nSet: b"}, {"Content-Length", "99"}, {"Date", "then"}}}};
  });
  Connection client = Connect(server->port());
  client.Send(Post(""));
  EXPECT_EQ(client.ReceiveMessage(),
            "HTTP/1.1 200 OK\r\nX: a  Set: b\r\nDate: then\r\n"
            "Content-Length: 0\r\nConnection: keep-alive\r\n\r\n");
}

TEST(Server, ReceivesLargeBodiesWhole) {
  const auto server = Start({});
  std::string body(20'971'520, '\0');
  for (size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i * 2654435761u >> 24);
  Connection client = Connect(server->port());
  ASSERT_TRUE(client.Send(Post(body)));
  const std::string reply = client.ReceiveMessage();
  EXPECT_TRUE(reply.ends_with(body));
}

TEST(Server, ChunkedBodiesArriveWhole) {
  const auto server = Start({.body_bytes_max = 300'000});
  Connection client = Connect(server->port());
  const std::string head = "POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  client.Send(head + "5;ext=1\r\nhello\r\n1\r\n \r\n0\r\nTrailer: x\r\n\r\n" + Post("next"));
  EXPECT_THAT(client.ReceiveMessage(), EndsWith("\r\n\r\nPOST /c hello "));
  EXPECT_THAT(client.ReceiveMessage(), EndsWith("POST /p next"));
  const std::string big(300'000, 'x');  // more than one step
  client.Send(head + "493e0\r\n" + big + "\r\n0\r\n\r\n");
  EXPECT_THAT(client.ReceiveMessage(), EndsWith("POST /c " + big));
  client.Send(head + "zz\r\n");
  EXPECT_EQ(client.ReceiveAll(), "");
}

TEST(Server, ABodyOverTheLimitGetsTheConfiguredReply) {
  std::atomic<int> handled{0};
  const ServerOptions options{.body_bytes_max = 1000,
                              .too_large = {400, {{"X-Why", "size"}}, "too big"}};
  const auto server = Start(options, [&](ServerRequest&&) {
    ++handled;
    return ServerReply{{200, {}, "fine"}};
  });
  {  // Answered from the head: the body never comes.
    Connection client = Connect(server->port());
    client.Send("POST / HTTP/1.1\r\nContent-Length: 1001\r\n\r\n");
    const std::string reply = client.ReceiveMessage();
    EXPECT_THAT(reply, StartsWith("HTTP/1.1 400 Bad Request\r\nX-Why: size\r\n"));
    EXPECT_THAT(reply, EndsWith("Connection: close\r\n\r\ntoo big"));
  }
  {  // A client that sends all before it listens gets the answer too, not a reset.
    Connection client = Connect(server->port());
    ASSERT_TRUE(client.Send(Post(std::string(30 << 20, 'x'))));
    EXPECT_THAT(client.ReceiveAll(), EndsWith("too big"));
  }
  {
    Connection client = Connect(server->port());
    client.Send("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" +
                std::string(1001, 'x') + "\r\n0\r\n\r\n");
    client.FinishSending();
    EXPECT_THAT(client.ReceiveAll(), EndsWith("too big"));
  }
  EXPECT_EQ(handled, 0);
  Connection client = Connect(server->port());
  client.Send(Post(std::string(1000, 'x')));
  EXPECT_THAT(client.ReceiveMessage(), EndsWith("fine"));
}

TEST(Server, SaysContinueOnlyForABodyItWants) {
  const auto server = Start({.body_bytes_max = 10, .too_large = {413, {}, "no"}});
  Connection client = Connect(server->port());
  client.Send("POST /p HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-Continue\r\n\r\n");
  EXPECT_EQ(client.ReceiveMessage(), "HTTP/1.1 100 Continue\r\n\r\n");
  client.Send("ab");
  EXPECT_THAT(client.ReceiveMessage(), EndsWith("POST /p ab"));
  client.Send("POST /p HTTP/1.1\r\nContent-Length: 11\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_THAT(client.ReceiveMessage(), StartsWith("HTTP/1.1 413 "));
}

TEST(Server, RefusesWhatIsNotHttp) {
  const auto server = Start({.header_bytes_max = 2000});
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"\x16\x03\x01 a TLS hello\r\n\r\n", "HTTP/1.1 400 "},
      {"GET / HTTP/3.0\r\n\r\n", "HTTP/1.1 400 "},
      {"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 400 "},
      {"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "HTTP/1.1 400 "},
      {"POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       "HTTP/1.1 400 "},
      {"GET / HTTP/1.1\r\nX: " + std::string(2000, 'x') + "\r\n\r\n", "HTTP/1.1 431 "},
      {"GET /" + std::string(200'000, 'x'), "HTTP/1.1 431 "},
  };
  for (const auto& [request, status] : cases) {
    Connection client = Connect(server->port());
    client.Send(request);
    client.FinishSending();
    EXPECT_THAT(client.ReceiveAll(), StartsWith(status)) << request.substr(0, 80);
  }
  Connection client = Connect(server->port());
  client.Send(Post("still here"));
  EXPECT_THAT(client.ReceiveMessage(), EndsWith("still here"));
}

TEST(Server, ClosesIdleAndSlowConnections) {
  const auto server = Start({.idle_timeout = milliseconds(50),
                             .header_timeout = milliseconds(50),
                             .body_timeout = milliseconds(50)});
  for (const std::string_view start :
       {"", "POST / HT", "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nab",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"}) {
    Connection client = Connect(server->port());
    client.Send(start);
    EXPECT_EQ(client.ReceiveAll(), "") << start;
  }
}

TEST(Server, ASlowClientBlocksNobody) {
  const auto server = Start({.threads = 1});
  std::vector<Connection> slow;
  for (int i = 0; i < 20; ++i) {
    slow.push_back(Connect(server->port()));
    slow.back().Send("POST /p HTTP/1.1\r\nContent-Length: 5\r\n\r\nab");
  }
  Connection quick = Connect(server->port());
  quick.Send(Post("quick"));
  EXPECT_THAT(quick.ReceiveMessage(), EndsWith("quick"));
  for (Connection& client : slow) client.Send("cde");
  for (Connection& client : slow) EXPECT_THAT(client.ReceiveMessage(), EndsWith("abcde"));
}

TEST(Server, ADelayHoldsBackTheAnswerButNoThread) {
  const auto server = Start({.threads = 1}, [](ServerRequest&& request) {
    const bool late = request.body == "late";
    return ServerReply{{200, {}, request.body}, milliseconds(late ? 300 : 0)};
  });
  std::vector<Connection> late;
  const auto started = std::chrono::steady_clock::now();
  for (int i = 0; i < 10; ++i) {
    late.push_back(Connect(server->port()));
    late.back().Send(Post("late"));
  }
  for (Connection& client : late) EXPECT_THAT(client.ReceiveMessage(), EndsWith("late"));
  const auto took = std::chrono::steady_clock::now() - started;
  EXPECT_GE(took, milliseconds(300));
  EXPECT_LT(took, milliseconds(1500)) << "one after the other";
}

TEST(Server, AnAnswerMayBeCutShortOrLostOnPurpose) {
  const auto server = Start({}, [](ServerRequest&& request) {
    ServerReply answer{{200, {{"Date", "then"}}, ""}};
    if (request.body == "cut") answer.reply.body = "0123456789";
    answer.delivery = request.body == "reset" ? Delivery::kReset : Delivery::kCutShort;
    return answer;
  });
  Connection cut = Connect(server->port());
  cut.Send(Post("cut") + Post("never served"));
  EXPECT_EQ(cut.ReceiveAll(),
            "HTTP/1.1 200 OK\r\nDate: then\r\nContent-Length: 10\r\n"
            "Connection: keep-alive\r\n\r\n01234");
  Connection in_head = Connect(server->port());
  in_head.Send(Post("no body"));
  const std::string half = in_head.ReceiveAll();
  EXPECT_THAT(half, StartsWith("HTTP/1.1 200 OK\r\nDate: "));
  EXPECT_THAT(half, Not(HasSubstr("\r\n\r\n")));
  Connection lost = Connect(server->port());
  lost.Send(Post("reset"));
  EXPECT_EQ(lost.ReceiveError(), ECONNRESET) << "an end, as after a cut, would be 0";
  EXPECT_EQ(cut.ReceiveError(), 0);
}

TEST(Server, OneConnectionTooManyIsToldSo) {
  const auto server = Start({.connections_max = 2});
  Connection first = Connect(server->port());
  first.Send(Post("1"));
  EXPECT_THAT(first.ReceiveMessage(), EndsWith("1"));
  {
    Connection second = Connect(server->port());
    second.Send(Post("2"));
    EXPECT_THAT(second.ReceiveMessage(), EndsWith("2"));
    Connection third = Connect(server->port());
    third.Send(Post("3"));
    EXPECT_THAT(third.ReceiveAll(), StartsWith("HTTP/1.1 503 "));
  }
  // The place of the second is free again as soon as the server has seen it go.
  std::string reply;
  for (int i = 0; i < 1000 && !reply.starts_with("HTTP/1.1 200"); ++i) {
    Connection fourth = Connect(server->port());
    fourth.Send(Post("4"));
    reply = fourth.ReceiveMessage();
  }
  EXPECT_THAT(reply, EndsWith("4"));
}

TEST(Server, AHandlerThatThrowsHasAnswered500) {
  const auto server = Start({}, [](ServerRequest&& request) -> ServerReply {
    if (request.body == "throw") throw std::runtime_error("secret");
    return {{200, {}, "fine"}};
  });
  Connection client = Connect(server->port());
  client.Send(Post("throw"));
  const std::string reply = client.ReceiveMessage();
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 500 "));
  EXPECT_THAT(reply, Not(HasSubstr("secret")));
  client.Send(Post("x"));
  EXPECT_THAT(client.ReceiveMessage(), EndsWith("fine"));
}

TEST(Server, AClientThatGoesAwayHarmsNobody) {
  const auto server = Start({}, [](ServerRequest&& request) {
    return ServerReply{{200, {}, std::string(8 << 20, 'x') + request.body}};
  });
  for (int i = 0; i < 20; ++i) {
    Connection client = Connect(server->port());
    client.Send(i % 2 == 0 ? Post("whole") : Post("half").substr(0, 40));
    client.Reset();
  }
  Connection client = Connect(server->port());
  client.Send(Post("end"));
  EXPECT_THAT(client.ReceiveMessage(), EndsWith("end"));
}

TEST(Server, StopLetsRequestsUnderWayFinish) {
  std::promise<void> entered;
  std::promise<void> release;
  const auto server = Start({}, [&](ServerRequest&& request) {
    if (request.body == "slow") {
      entered.set_value();
      release.get_future().wait();
    }
    return ServerReply{{200, {}, "done"}};
  });
  Connection idle = Connect(server->port());
  idle.Send(Post("x"));
  EXPECT_THAT(idle.ReceiveMessage(), EndsWith("done"));
  Connection busy = Connect(server->port());
  busy.Send(Post("slow"));
  entered.get_future().wait();
  std::thread stopper([&] { server->Stop(std::chrono::seconds(60)); });
  EXPECT_EQ(idle.ReceiveAll(), "");  // closed, hence the stop has begun
  release.set_value();
  const std::string reply = busy.ReceiveAll();
  EXPECT_THAT(reply, HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(reply, EndsWith("done"));
  stopper.join();
  server->Stop(std::chrono::seconds(60));  // a second time is fine
  EXPECT_FALSE(Connect(server->port()).IsOpen());
}

TEST(Server, StopEndsWhenTheGraceDoes) {
  std::atomic<int> handled{0};
  const auto server = Start({}, [&](ServerRequest&&) {
    ++handled;
    return ServerReply{{200, {}, "never"}, std::chrono::hours(1)};
  });
  Connection delayed = Connect(server->port());
  delayed.Send(Post("x"));
  Connection half = Connect(server->port());
  half.Send(Post("x").substr(0, 30));
  Connection idle = Connect(server->port());
  while (handled == 0) std::this_thread::yield();
  server->Stop(milliseconds(20));
  EXPECT_EQ(delayed.ReceiveAll(), "");
  EXPECT_EQ(half.ReceiveAll(), "");
  EXPECT_EQ(idle.ReceiveAll(), "");
}

TEST(Server, AnAddressInUseIsNamed) {
  const auto server = Start({});
  const auto second = Server::Start({.port = server->port()}, Echo);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.status().code(), Code::kIo);
  EXPECT_THAT(second.status().message(),
              StartsWith("cannot listen on 127.0.0.1:" + std::to_string(server->port()) + ": "));
  const auto nowhere = Server::Start({.host = "192.0.2.1"}, Echo);
  ASSERT_FALSE(nowhere.ok());
  EXPECT_EQ(nowhere.status().code(), Code::kIo);
}

TEST(Server, ListensOnIpv6AndOnNames) {
  for (const char* host : {"::1", "localhost"}) {
    const auto server = Server::Start({.host = host}, Echo);
    if (!server.ok() && host[0] == ':') continue;  // a machine without IPv6
    ASSERT_TRUE(server.ok()) << server.status().ToString();
    const auto transport = MakeCurlTransport({});
    ASSERT_TRUE(transport.ok());
    const std::string place = host[0] == ':' ? "[::1]" : host;
    const auto reply =
        (*transport)
            ->Call({.url = "http://" + place + ":" + std::to_string((*server)->port()) + "/",
                    .body = "x"});
    ASSERT_TRUE(reply.ok()) << reply.status().ToString();
    EXPECT_EQ(reply->body, "POST / x");
  }
}

}  // namespace
}  // namespace vecload::http
