// Goal: the client end sends what it was given, tells every way in which no answer can come apart
// from an answer, and always ends. Method: curl against a loopback socket on which the test itself
// writes the bytes, whole, halved or not at all; against our own server where many requests are
// the point; against `openssl s_server` for TLS.

#include "http/transport.h"

#include <sys/wait.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/server.h"
#include "http/testing_sockets.h"

namespace vecload::http {
namespace {

using std::chrono::milliseconds;
using testing::Connection;
using ::testing::HasSubstr;
using testing::Listener;
using ::testing::Not;

constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Id: 7\r\n\r\n{}";

class TransportTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* name :
         {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}) {
      unsetenv(name);
    }
  }

  static std::unique_ptr<Transport> Make(const CurlOptions& options = {}) {
    auto transport = MakeCurlTransport(options);
    EXPECT_TRUE(transport.ok()) << transport.status().ToString();
    return *std::move(transport);
  }

  // The outcome of one POST of `body` against a server that does `serve` with the connection.
  template <typename Serve>
  static Result<Reply> PostTo(const CurlOptions& options, std::string_view body, Serve serve) {
    Listener listener;
    std::thread server([&] {
      Connection connection = listener.Accept();
      serve(connection);
    });
    Result<Reply> result = Make(options)->Call({.url = listener.url("/Put"), .body = body});
    server.join();
    return result;
  }
};

TEST_F(TransportTest, SendsWhatItWasGivenAndNothingOfCurlsOwn) {
  std::string seen;
  Listener listener;
  std::thread server([&] {
    Connection connection = listener.Accept();
    seen = connection.ReceiveMessage();
    connection.Send(kOk);
  });
  const auto reply = Make()->Call({.url = listener.url("/PutVectors?a=b"),
                                   .headers = {{"X-Amz-Date", "now"}, {"X-Empty", ""}},
                                   .body = "hello"});
  server.join();
  ASSERT_TRUE(reply.ok()) << reply.status().ToString();
  EXPECT_EQ(reply->status, 200);
  EXPECT_EQ(reply->body, "{}");
  EXPECT_EQ(FindHeader(reply->headers, "x-ID"), "7");
  EXPECT_EQ(seen,
            "POST /PutVectors?a=b HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(listener.port()) +
                "\r\nX-Amz-Date: now\r\nX-Empty:\r\nContent-Length: 5\r\n\r\nhello");
}

TEST_F(TransportTest, OneConnectionServesManyRequestsOfAllMethods) {
  Listener listener;
  std::vector<std::string> seen;
  std::thread server([&] {
    Connection connection = listener.Accept();
    for (int i = 0; i < 6; ++i) {
      seen.push_back(connection.ReceiveMessage());
      connection.Send(i == 1 ? "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" : kOk);
    }
  });
  const auto transport = Make();
  for (const char* method : {"GET", "HEAD", "DELETE", "POST", "PUT", "GET"}) {
    const bool with_body = method[0] == 'P';
    const auto reply =
        transport->Call({.method = method, .url = listener.url(), .body = with_body ? "xyz" : ""});
    ASSERT_TRUE(reply.ok()) << method << reply.status().ToString();
    EXPECT_EQ(reply->status, 200) << method;
  }
  server.join();
  ASSERT_EQ(seen.size(), 6u);
  const std::vector<std::string> lines = {"GET / ",  "HEAD / ", "DELETE / ",
                                          "POST / ", "PUT / ",  "GET / "};
  for (size_t i = 0; i < lines.size(); ++i) {
    EXPECT_THAT(seen[i], ::testing::StartsWith(lines[i]));
    EXPECT_EQ(seen[i].ends_with("xyz"), lines[i][0] == 'P') << seen[i];
  }
}

TEST_F(TransportTest, AnErrorStatusIsAReply) {
  const auto reply = PostTo({}, "x", [](Connection& connection) {
    connection.ReceiveMessage();
    connection.Send(
        "HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\n"
        "HTTP/1.1 503 Slow Down\r\nContent-Length: 4\r\n\r\nbusy");
  });
  ASSERT_TRUE(reply.ok());
  EXPECT_EQ(reply->status, 503);
  EXPECT_EQ(reply->body, "busy");
  EXPECT_EQ(FindHeader(reply->headers, "X-Early"), "") << "headers of the interim reply stayed";
  EXPECT_EQ(FindHeader(reply->headers, "Content-Length"), "4");
}

TEST_F(TransportTest, AHundredRequestsAtOnceEachGetTheirOwnAnswer) {
  auto server = Server::Start({}, [](ServerRequest&& request) {
    return ServerReply{{200, {}, request.target + std::move(request.body)}};
  });
  ASSERT_TRUE(server.ok()) << server.status().ToString();
  const auto transport = Make();
  std::vector<std::promise<Result<Reply>>> replies(100);
  for (size_t i = 0; i < replies.size(); ++i) {
    auto body = std::make_shared<std::string>(i * 5000, static_cast<char>('a' + i % 26));
    transport->Send(
        {.url = "http://127.0.0.1:" + std::to_string((*server)->port()) + "/" + std::to_string(i),
         .body = *body,
         .body_owner = body},
        [&, i](Result<Reply> reply) { replies[i].set_value(std::move(reply)); });
  }
  for (size_t i = 0; i < replies.size(); ++i) {
    const auto reply = replies[i].get_future().get();
    ASSERT_TRUE(reply.ok()) << reply.status().ToString();
    EXPECT_EQ(reply->body,
              "/" + std::to_string(i) + std::string(i * 5000, static_cast<char>('a' + i % 26)));
  }
}

TEST_F(TransportTest, RequestsOverTheConnectionLimitWaitTheirTurn) {
  const Listener listener;
  std::atomic<int> answered{0};
  std::promise<void> all;
  const auto transport = Make({.connections_max = 1});
  for (int i = 0; i < 3; ++i) {
    transport->Send({.url = listener.url(), .body = "x"}, [&](const Result<Reply>& reply) {
      EXPECT_TRUE(reply.ok()) << reply.status().ToString();
      if (++answered == 3) all.set_value();
    });
  }
  Connection connection = listener.Accept();
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(connection.ReceiveMessage().ends_with('x'));
    EXPECT_FALSE(listener.Accept(/*wait_ms=*/20).IsOpen()) << "a second connection";
    connection.Send(kOk);
  }
  all.get_future().wait();
}

TEST_F(TransportTest, DoneMaySendAgain) {
  auto server = Server::Start({}, [](ServerRequest&&) { return ServerReply{{200, {}, "x"}}; });
  ASSERT_TRUE(server.ok());
  const auto transport = Make();
  const std::string url = "http://127.0.0.1:" + std::to_string((*server)->port());
  std::promise<int> last;
  int left = 5;
  std::function<void(Result<Reply>)> again = [&](const Result<Reply>& reply) {
    if (!reply.ok() || --left == 0) return last.set_value(left);
    transport->Send({.url = url}, again);
  };
  transport->Send({.url = url}, again);
  EXPECT_EQ(last.get_future().get(), 0);
}

TEST_F(TransportTest, RefusedConnection) {
  uint16_t port = 0;
  {
    const Listener listener;
    port = listener.port();
  }
  const auto reply =
      Make()->Call({.url = "http://user:secret@127.0.0.1:" + std::to_string(port) + "/x?y=z"});
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ(reply.status().code(), Code::kUnavailable);
  EXPECT_EQ(reply.status().message(), "POST http://127.0.0.1:" + std::to_string(port) +
                                          "/x: connection refused; nothing listens there");
}

TEST_F(TransportTest, UnknownHost) {
  // A label that is too long fails in the resolver, before any packet.
  const auto reply = Make({.connect_timeout = std::chrono::seconds(5)})
                         ->Call({.url = "http://" + std::string(64, 'a') + ".invalid/"});
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ(reply.status().code(), Code::kUnavailable);
  EXPECT_THAT(reply.status().message(), HasSubstr("no address found for the host"));
}

TEST_F(TransportTest, UnusableUrlsAndHeadersAreTheCallersFault) {
  const auto transport = Make();
  for (const char* url : {"", "http://", "ftp://127.0.0.1/", "nonsense://x",
                          "http://127.0.0.1:99999/", "http://127.0.0.1/\r\nX: y"}) {
    const auto reply = transport->Call({.url = url});
    ASSERT_FALSE(reply.ok()) << url;
    EXPECT_EQ(reply.status().code(), Code::kInvalidArgument) << reply.status().ToString();
  }
  for (const Headers& headers :
       std::vector<Headers>{{{"X", "a\r\nY: b"}}, {{"X\n", "a"}}, {{"", "a"}}, {{"X:Y", "a"}}}) {
    const auto reply = transport->Call({.url = "http://127.0.0.1:1/", .headers = headers});
    ASSERT_FALSE(reply.ok());
    EXPECT_EQ(reply.status().code(), Code::kInvalidArgument) << reply.status().ToString();
  }
}

TEST_F(TransportTest, ResetWhileSending) {
  const std::string body(64 << 20, 'x');
  const auto reply = PostTo({}, body, [](Connection& connection) {
    EXPECT_FALSE(connection.ReceiveSome().empty());
    connection.Reset();
  });
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ(reply.status().code(), Code::kUnavailable);
  EXPECT_THAT(reply.status().message(), HasSubstr("the connection broke while sending"));
  EXPECT_THAT(reply.status().message(), HasSubstr("of 67108864 body bytes sent"));
}

TEST_F(TransportTest, AnAnswerBeforeTheBodyIsSentIsTheAnswer) {
  const std::string body(64 << 20, 'x');
  const auto reply = PostTo({}, body, [](Connection& connection) {
    EXPECT_FALSE(connection.ReceiveSome().empty());
    connection.Send("HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig");
    connection.FinishSending();
    connection.ReceiveAll();
  });
  ASSERT_TRUE(reply.ok()) << reply.status().ToString();
  EXPECT_EQ(reply->status, 413);
  EXPECT_EQ(reply->body, "big");
}

TEST_F(TransportTest, AHalfReplyIsNoReply) {
  const std::vector<std::string> halves = {
      "HTTP/1.1 200 OK\r\nContent-Len",
      "HTTP/1.1 200 OK\r\nX-Whole-Line: 1\r\n",
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nX-Whole",
      "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{\"a\":1",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
  };
  for (const std::string& half : halves) {
    const auto reply = PostTo({}, "body", [&](Connection& connection) {
      connection.ReceiveMessage();
      connection.Send(half);
    });
    ASSERT_FALSE(reply.ok()) << half;
    EXPECT_EQ(reply.status().code(), Code::kUnavailable);
    EXPECT_THAT(reply.status().message(), HasSubstr("the reply was cut short")) << half;
  }
}

TEST_F(TransportTest, NoReplyAtAll) {
  const auto closed =
      PostTo({}, "body", [](Connection& connection) { connection.ReceiveMessage(); });
  ASSERT_FALSE(closed.ok());
  EXPECT_EQ(closed.status().code(), Code::kUnavailable);
  EXPECT_THAT(closed.status().message(), HasSubstr("the connection broke before the reply"));

  const auto nonsense = PostTo({}, "body", [](Connection& connection) {
    connection.ReceiveMessage();
    connection.Send("SSH-2.0-OpenSSH_9.2\r\n");
  });
  ASSERT_FALSE(nonsense.ok());
  EXPECT_EQ(nonsense.status().code(), Code::kUnavailable);
  EXPECT_THAT(nonsense.status().message(), HasSubstr("not HTTP/1.1"));
}

TEST_F(TransportTest, ASilentServerIsGivenUp) {
  const auto started = std::chrono::steady_clock::now();
  const auto reply =
      PostTo({.stall_timeout = milliseconds(150)}, "body", [](Connection& connection) {
        connection.ReceiveMessage();
        connection.ReceiveAll();  // until the client closes
      });
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ(reply.status().code(), Code::kUnavailable);
  EXPECT_THAT(reply.status().message(), HasSubstr("nothing moved for 0.15 s (4 of 4 body bytes"));
  EXPECT_GE(std::chrono::steady_clock::now() - started, milliseconds(150));
}

TEST_F(TransportTest, ASlowReplyThatMovesIsWaitedFor) {
  const auto reply =
      PostTo({.stall_timeout = milliseconds(800)}, "body", [](Connection& connection) {
        connection.ReceiveMessage();
        connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n");
        for (int i = 0; i < 20; ++i) {
          std::this_thread::sleep_for(milliseconds(50));  // the server's pace, nobody waits on it
          connection.Send("x");
        }
      });
  ASSERT_TRUE(reply.ok()) << reply.status().ToString();
  EXPECT_EQ(reply->body.size(), 20u);
}

TEST_F(TransportTest, ConnectingEndsInTime) {
  // A listener whose queue is full: the kernel drops further attempts.
  const Listener listener(0);
  const Connection first = testing::Connect(listener.port());
  const auto reply = Make({.connect_timeout = milliseconds(200), .stall_timeout = milliseconds(50)})
                         ->Call({.url = listener.url()});
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ(reply.status().code(), Code::kUnavailable);
  EXPECT_THAT(reply.status().message(), HasSubstr("no connection within 0.2 s"));
}

TEST_F(TransportTest, AReplyOverTheLimitIsRefused) {
  for (const std::string& head :
       {std::string("Content-Length: 1000\r\n"), std::string("Transfer-Encoding: chunked\r\n")}) {
    const auto reply = PostTo({.reply_bytes_max = 999}, "body", [&](Connection& connection) {
      connection.ReceiveMessage();
      connection.Send("HTTP/1.1 200 OK\r\n" + head + "\r\n");
      const bool chunked = head[0] == 'T';
      connection.Send((chunked ? "3e8\r\n" : "") + std::string(1000, 'x'));
      connection.ReceiveAll();
    });
    ASSERT_FALSE(reply.ok());
    EXPECT_EQ(reply.status().code(), Code::kCorrupt) << reply.status().ToString();
  }
  const auto endless_head = PostTo({}, "body", [](Connection& connection) {
    connection.ReceiveMessage();
    connection.Send("HTTP/1.1 200 OK\r\n");
    while (connection.Send("X-More: " + std::string(4000, 'x') + "\r\n")) {
    }
  });
  ASSERT_FALSE(endless_head.ok());
  EXPECT_EQ(endless_head.status().code(), Code::kCorrupt) << endless_head.status().ToString();
}

TEST_F(TransportTest, AConnectionClosedWhileIdleIsReplaced) {
  Listener listener;
  std::promise<void> closed;
  std::thread server([&] {
    {
      Connection connection = listener.Accept();
      connection.ReceiveMessage();
      connection.Send(kOk);
    }
    closed.set_value();
    Connection connection = listener.Accept();
    EXPECT_TRUE(connection.ReceiveMessage().ends_with("second"));
    connection.Send(kOk);
  });
  const auto transport = Make();
  EXPECT_TRUE(transport->Call({.url = listener.url(), .body = "first"}).ok());
  closed.get_future().wait();
  const auto second = transport->Call({.url = listener.url(), .body = "second"});
  EXPECT_TRUE(second.ok()) << second.status().ToString();
  server.join();
}

TEST_F(TransportTest, AKeptConnectionThatBreaksAfterTheBodyIsReportedNotSentAgain) {
  Listener listener;
  std::thread server([&] {
    {
      Connection connection = listener.Accept();
      connection.ReceiveMessage();
      connection.Send(kOk);
      EXPECT_TRUE(connection.ReceiveMessage().ends_with("second"));
    }
    // curl connects again before it asks whether it may send again: that connection stays empty.
    for (std::string message; message.empty();) {
      Connection connection = listener.Accept();
      if (!connection.IsOpen()) break;
      message = connection.ReceiveMessage();
      connection.Send(kOk);
      EXPECT_TRUE(message.empty() || message.ends_with("third")) << message;
    }
  });
  const auto transport = Make();
  EXPECT_TRUE(transport->Call({.url = listener.url(), .body = "first"}).ok());
  const auto second = transport->Call({.url = listener.url(), .body = "second"});
  EXPECT_FALSE(second.ok());
  EXPECT_EQ(second.status().code(), Code::kUnavailable);
  EXPECT_TRUE(transport->Call({.url = listener.url(), .body = "third"}).ok());
  server.join();
}

TEST_F(TransportTest, DestructionCancelsWhatIsUnderWayAndWhatWaits) {
  Listener listener;
  std::atomic<int> cancelled{0};
  std::weak_ptr<std::string> body_alive;
  // Outlives the transport: closed earlier, it would break a request before it can be cancelled.
  std::optional<Connection> connection;
  {
    const auto transport = Make({.connections_max = 2});
    for (int i = 0; i < 5; ++i) {
      auto body = std::make_shared<std::string>("x");
      body_alive = body;
      transport->Send({.url = listener.url(), .body = *body, .body_owner = body},
                      [&](const Result<Reply>& reply) {
                        EXPECT_EQ(reply.status().code(), Code::kCancelled);
                        EXPECT_FALSE(body_alive.expired());
                        ++cancelled;
                      });
    }
    connection.emplace(listener.Accept());
    EXPECT_TRUE(connection->IsOpen());
  }
  EXPECT_EQ(cancelled, 5);
  EXPECT_TRUE(body_alive.expired());
}

TEST_F(TransportTest, GoesThroughTheProxyOfTheEnvironment) {
  const Listener proxy;
  setenv("http_proxy", proxy.url().c_str(), 1);
  std::string seen;
  std::thread server([&] {
    Connection connection = proxy.Accept();
    seen = connection.ReceiveMessage();
    connection.Send(kOk);
  });
  const auto reply = Make()->Call({.url = "http://s3vectors.invalid/GetIndex", .body = "x"});
  server.join();
  unsetenv("http_proxy");
  EXPECT_TRUE(reply.ok()) << reply.status().ToString();
  EXPECT_THAT(seen, ::testing::StartsWith("POST http://s3vectors.invalid/GetIndex HTTP/1.1\r\n"));
}

TEST_F(TransportTest, AMissingCaBundleIsToldAtOnce) {
  const auto transport = MakeCurlTransport({.ca_bundle = "/no/such/bundle.pem"});
  ASSERT_FALSE(transport.ok());
  EXPECT_EQ(transport.status().code(), Code::kInvalidArgument);
  EXPECT_THAT(transport.status().message(), HasSubstr("/no/such/bundle.pem"));
}

// The openssl program is found by way of the shell, whose commands are this file's own.
int Shell(const std::string& command) {
  return std::system(command.c_str());  // NOLINT(bugprone-command-processor): as said above
}

// `openssl s_server` with a certificate for 127.0.0.1 of an authority made for the test.
class TlsTest : public TransportTest {
 protected:
  void SetUp() override {
    TransportTest::SetUp();
    if (Shell("openssl version > /dev/null 2>&1") != 0) GTEST_SKIP() << "no openssl program";
    std::string pattern = (std::filesystem::temp_directory_path() / "vecload-tls-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    const std::string request =
        "cd " + pattern +
        " && openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=ca -keyout ca.key"
        " -out ca.pem 2>log"
        " && openssl req -newkey rsa:2048 -nodes -subj /CN=server -keyout key.pem -out csr 2>>log"
        " && echo subjectAltName=IP:127.0.0.1 > ext"
        " && openssl x509 -req -in csr -CA ca.pem -CAkey ca.key -days 2 -extfile ext -out cert.pem"
        " 2>>log";
    ASSERT_EQ(Shell(request), 0);
    StartServer();
  }

  void TearDown() override {
    if (server_ > 0) {
      kill(server_, SIGKILL);
      waitpid(server_, nullptr, 0);
    }
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
  }

  void StartServer() {
    int pipe_ends[2];
    ASSERT_EQ(pipe(pipe_ends), 0);
    server_ = fork();
    if (server_ == 0) {
      dup2(pipe_ends[1], STDOUT_FILENO);
      if (chdir(folder_.c_str()) == 0) {
        execlp("openssl", "openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", "cert.pem",
               "-key", "key.pem", "-www", nullptr);
      }
      _exit(127);
    }
    close(pipe_ends[1]);
    // "ACCEPT 127.0.0.1:PORT"
    std::string output;
    for (char c = 0; output.find("ACCEPT ") == std::string::npos || c != '\n'; output += c) {
      ASSERT_EQ(read(pipe_ends[0], &c, 1), 1) << output;
    }
    close(pipe_ends[0]);
    port_ = output.substr(output.rfind(':') + 1);
    port_.pop_back();
  }

  Result<Reply> Get(const std::string& host, const std::string& ca) {
    return Make({.ca_bundle = ca})->Call({.method = "GET", .url = "https://" + host + ":" + port_});
  }

  std::filesystem::path folder_;
  std::string port_;
  pid_t server_ = 0;
};

TEST_F(TlsTest, AcceptsTheBundlesAuthorityAndNoOther) {
  const auto good = Get("127.0.0.1", folder_ / "ca.pem");
  ASSERT_TRUE(good.ok()) << good.status().ToString();
  EXPECT_EQ(good->status, 200);

  const auto unknown = Get("127.0.0.1", "");
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(unknown.status().code(), Code::kDenied) << unknown.status().ToString();
  EXPECT_THAT(unknown.status().message(), HasSubstr("AWS_CA_BUNDLE"));

  const auto other_name = Get("localhost", folder_ / "ca.pem");
  ASSERT_FALSE(other_name.ok());
  EXPECT_EQ(other_name.status().code(), Code::kDenied) << other_name.status().ToString();

  std::ofstream(folder_ / "bad.pem") << "no certificate";
  const auto bad_bundle = Get("127.0.0.1", folder_ / "bad.pem");
  ASSERT_FALSE(bad_bundle.ok());
  EXPECT_EQ(bad_bundle.status().code(), Code::kInvalidArgument) << bad_bundle.status().ToString();
  EXPECT_THAT(bad_bundle.status().message(), HasSubstr("bad.pem"));
}

TEST_F(TlsTest, PlainHttpToATlsPortAndTheReverseAreErrorsWithWords) {
  const auto plain = Make()->Call({.method = "GET", .url = "http://127.0.0.1:" + port_});
  ASSERT_FALSE(plain.ok());
  EXPECT_EQ(plain.status().code(), Code::kUnavailable) << plain.status().ToString();

  Listener listener;
  std::thread server([&] {
    Connection connection = listener.Accept();
    (void)connection.ReceiveSome();
    connection.Send("HTTP/1.1 400 Bad Request\r\n\r\n");
  });
  const auto tls = Make()->Call(
      {.method = "GET", .url = "https://127.0.0.1:" + std::to_string(listener.port())});
  server.join();
  ASSERT_FALSE(tls.ok());
  EXPECT_EQ(tls.status().code(), Code::kUnavailable);
  EXPECT_THAT(tls.status().message(), HasSubstr("TLS handshake failed"));
}

TEST(FindHeader, IgnoresCaseAndWantsTheWholeName) {
  const Headers headers = {{"Content-Type", "a"}, {"content-length", "5"}};
  EXPECT_EQ(FindHeader(headers, "Content-Length"), "5");
  EXPECT_EQ(FindHeader(headers, "Content"), "");
}

}  // namespace
}  // namespace vecload::http
