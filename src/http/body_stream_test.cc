// Goal: a reply that is sent as it comes reaches every client whole and in order, and a client that
// reads slowly, or not at all, costs a bounded amount, holds up nobody and no stop. Method: streams
// filled by hand, read from loopback sockets.

#include "http/body_stream.h"

#include <atomic>
#include <map>
#include <mutex>
#include <sstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/server.h"
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

constexpr char kGet[] = "GET /events HTTP/1.1\r\nHost: h\r\n\r\n";

// A stream that gives what was written to it.
class Tap {
 public:
  void Write(std::string text, bool is_last = false) {
    {
      const std::lock_guard lock(mutex_);
      if (!text.empty()) parts_.push_back(std::make_shared<const std::string>(std::move(text)));
      is_last_ = is_last;
    }
    if (const auto stream = stream_.lock()) stream->Wake();
  }
  [[nodiscard]] std::shared_ptr<BodyStream> Open() {
    auto stream = std::make_shared<BodyStream>([this] {
      const std::lock_guard lock(mutex_);
      ++asked_;
      return BodyStream::Piece{std::exchange(parts_, {}), is_last_};
    });
    stream_ = stream;
    return stream;
  }
  [[nodiscard]] bool IsGone() const { return stream_.expired(); }
  [[nodiscard]] int asked() const { return asked_; }

 private:
  std::mutex mutex_;
  std::vector<std::shared_ptr<const std::string>> parts_;
  bool is_last_ = false;
  std::atomic<int> asked_ = 0;
  std::weak_ptr<BodyStream> stream_;
};

std::unique_ptr<Server> Start(ServerOptions options, Server::Handler handler) {
  auto server = Server::Start(std::move(options), std::move(handler));
  EXPECT_TRUE(server.ok()) << server.status().ToString();
  return *std::move(server);
}

ServerReply Streamed(std::shared_ptr<BodyStream> stream) {
  ServerReply answer{{200, {{"Content-Type", "text/event-stream"}}}};
  answer.stream = std::move(stream);
  return answer;
}

// Receives until `text` has come.
std::string ReceiveUntil(const Connection& client, std::string_view text) {
  std::string all;
  while (all.find(text) == std::string::npos) {
    const std::string part = client.ReceiveSome();
    if (part.empty()) return all;
    all += part;
  }
  return all;
}

template <typename Condition>
bool Eventually(const Condition& condition) {
  const auto end = std::chrono::steady_clock::now() + milliseconds(testing::kWaitMs);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

TEST(BodyStream, IsSentInChunksAsItComes) {
  Tap tap;
  const auto server = Start({}, [&](ServerRequest&&) { return Streamed(tap.Open()); });
  Connection client = Connect(server->port());
  client.Send(kGet);
  const std::string head = ReceiveUntil(client, "\r\n\r\n");
  EXPECT_THAT(head, StartsWith("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"));
  EXPECT_THAT(head, HasSubstr("\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n"));
  EXPECT_THAT(head, Not(HasSubstr("Content-Length")));
  ASSERT_TRUE(Eventually([&] { return tap.asked() > 0; }));
  tap.Write("one");
  EXPECT_EQ(ReceiveUntil(client, "one\r\n"), "3\r\none\r\n");
  tap.Write("0123456789abcdef");
  EXPECT_EQ(ReceiveUntil(client, "f\r\n"), "10\r\n0123456789abcdef\r\n");
  tap.Write("", /*is_last=*/true);
  EXPECT_EQ(client.ReceiveAll(), "0\r\n\r\n");
}

TEST(BodyStream, EndsWithTheConnectionForAnOldClient) {
  Tap tap;
  tap.Write("all of it", /*is_last=*/true);
  const auto server = Start({}, [&](ServerRequest&&) { return Streamed(tap.Open()); });
  Connection client = Connect(server->port());
  client.Send("GET / HTTP/1.0\r\n\r\n");
  const std::string reply = client.ReceiveAll();
  EXPECT_THAT(reply, EndsWith("\r\n\r\nall of it"));
  EXPECT_THAT(reply, Not(HasSubstr("chunked")));
}

TEST(BodyStream, IsLeftOutForHead) {
  Tap tap;
  tap.Write("body", /*is_last=*/true);
  const auto server = Start({}, [&](ServerRequest&&) { return Streamed(tap.Open()); });
  Connection client = Connect(server->port());
  client.Send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(client.ReceiveAll(), EndsWith("\r\n\r\n"));
  EXPECT_EQ(tap.asked(), 0);
}

TEST(BodyStream, WhatIsWrittenFromManyThreadsArrivesOnceAndInOrder) {
  Tap tap;
  const auto server = Start({}, [&](ServerRequest&&) { return Streamed(tap.Open()); });
  Connection client = Connect(server->port());
  client.Send("GET / HTTP/1.0\r\n\r\n");
  ReceiveUntil(client, "\r\n\r\n");
  constexpr int kEach = 2'000;
  std::vector<std::thread> writers;
  for (const char name : {'a', 'b', 'c', 'd'}) {
    writers.emplace_back([&tap, name] {
      for (int i = 0; i < kEach; ++i) tap.Write(name + std::to_string(i) + "\n");
    });
  }
  for (std::thread& writer : writers) writer.join();
  tap.Write("", /*is_last=*/true);
  std::map<char, int> next;
  std::istringstream lines(client.ReceiveAll());
  for (std::string line; std::getline(lines, line);) {
    ASSERT_EQ(line.substr(1), std::to_string(next[line[0]]++));
  }
  EXPECT_EQ(next, (std::map<char, int>{{'a', kEach}, {'b', kEach}, {'c', kEach}, {'d', kEach}}));
}

// A stream that always has more, each piece of 64 KiB.
std::shared_ptr<BodyStream> Endless(std::atomic<int>* given) {
  auto piece = std::make_shared<const std::string>(64 << 10, 'x');
  // The stream goes on by itself: what waits for nobody is asked for whenever there is room.
  auto self = std::make_shared<std::weak_ptr<BodyStream>>();
  auto stream = std::make_shared<BodyStream>([given, piece, self] {
    ++*given;
    if (const auto again = self->lock()) again->Wake();
    return BodyStream::Piece{{piece}, false};
  });
  *self = stream;
  return stream;
}

TEST(BodyStream, AClientThatDoesNotReadIsGivenLittleAndLeftInTheEnd) {
  std::atomic<int> given = 0;
  std::weak_ptr<BodyStream> stream;
  const auto server =
      Start({.reply_timeout = milliseconds(300)}, [&](ServerRequest&& request) -> ServerReply {
        if (request.target == "/") return {{200, {}, "hello"}};
        auto endless = Endless(&given);
        stream = endless;
        return Streamed(std::move(endless));
      });
  Connection stalled = Connect(server->port());
  stalled.Send(kGet);
  ASSERT_TRUE(Eventually([&] { return given > 0; }));
  Connection other = Connect(server->port());  // meanwhile others are served
  other.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(other.ReceiveMessage(), EndsWith("hello"));
  EXPECT_TRUE(Eventually([&] { return stream.expired(); }));
  // What the two kernels hold, some MiB, and one piece.
  EXPECT_LT(given, 200);
}

TEST(BodyStream, GoesWhenItsClientDoes) {
  Tap tap;
  const auto server = Start({}, [&](ServerRequest&&) { return Streamed(tap.Open()); });
  Connection client = Connect(server->port());
  client.Send(kGet);
  ReceiveUntil(client, "\r\n\r\n");
  client.Reset();
  EXPECT_TRUE(Eventually([&] {
    tap.Write("x");
    return tap.IsGone();
  }));
}

TEST(BodyStream, StopEndsItAtOnceWhateverItWaitsFor) {
  Tap tap;
  std::atomic<int> given = 0;
  auto server = Start({}, [&](ServerRequest&& request) {
    return Streamed(request.target == "/quiet" ? tap.Open() : Endless(&given));
  });
  Connection quiet = Connect(server->port());
  quiet.Send("GET /quiet HTTP/1.1\r\nHost: h\r\n\r\n");
  Connection stalled = Connect(server->port());
  stalled.Send(kGet);
  ASSERT_TRUE(Eventually([&] { return tap.asked() > 0 && given > 0; }));
  server->Stop(std::chrono::minutes(5));  // the test's time-out is shorter
  EXPECT_THAT(quiet.ReceiveAll(), Not(HasSubstr("0\r\n\r\n")));
  EXPECT_TRUE(tap.IsGone());
  tap.Write("late");  // to nobody
}

TEST(BodyStream, FiftyClientsGetTheSamePieces) {
  constexpr int kClients = 50;
  std::mutex mutex;
  std::vector<std::weak_ptr<BodyStream>> streams;
  std::atomic<int> waiting = 0;
  std::atomic<bool> ready = false;
  const auto piece = std::make_shared<const std::string>(100'000, 'x');
  const auto server = Start({}, [&](ServerRequest&&) {
    auto stream = std::make_shared<BodyStream>([&] {
      if (ready) return BodyStream::Piece{{piece, piece}, true};
      ++waiting;
      return BodyStream::Piece{};
    });
    const std::lock_guard lock(mutex);
    streams.emplace_back(stream);
    return Streamed(std::move(stream));
  });
  std::vector<Connection> clients;
  for (int i = 0; i < kClients; ++i) {
    clients.push_back(Connect(server->port()));
    clients.back().Send("GET / HTTP/1.0\r\n\r\n");
  }
  ASSERT_TRUE(Eventually([&] { return waiting == kClients; }));
  ready = true;
  for (const auto& weak : streams) {
    if (const auto stream = weak.lock()) stream->Wake();
  }
  for (Connection& client : clients) {
    const std::string reply = client.ReceiveAll();
    EXPECT_EQ(reply.size() - reply.find("\r\n\r\n") - 4, 2 * piece->size());
  }
}

}  // namespace
}  // namespace vecload::http
