// Goal: events reach every watcher in order, and one who does not read, leaves or is many costs a
// bounded memory and holds up nobody. Method: a real server, and watchers that are plain sockets.

#include "http/event_stream.h"

#include <atomic>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/server.h"
#include "http/testing_sockets.h"

namespace vecload::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Connect;
using testing::Connection;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::string_view kWatch = "GET /events HTTP/1.1\r\nHost: h\r\n\r\n";

// A server whose every answer is a stream; each begins with the event "hello".
class Broadcast {
 public:
  explicit Broadcast(ServerOptions options = {}, size_t watchers_max = 100)
      : watchers(watchers_max) {
    auto started = Server::Start(std::move(options), [this](ServerRequest&&) {
      ServerReply answer{{200, {{"Content-Type", "text/event-stream"}}}};
      answer.events = watchers.Add();
      if (answer.events == nullptr) return ServerReply{{503, {}, "full\n"}};
      answer.events->Put("hello", EventStream::Encode("hello", "you"));
      return answer;
    });
    EXPECT_TRUE(started.ok()) << started.status().ToString();
    server = *std::move(started);
  }

  // One who watches, and got the first event.
  [[nodiscard]] Connection Watch() const {
    Connection watcher = Connect(server->port());
    watcher.Send(kWatch);
    const std::string begin = ReceiveUntil(watcher, "data: you\n\n");
    EXPECT_THAT(begin, StartsWith("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"));
    EXPECT_THAT(begin, EndsWith("Connection: close\r\n\r\nevent: hello\ndata: you\n\n"));
    EXPECT_THAT(begin, Not(HasSubstr("Content-Length")));
    return watcher;
  }

  // What comes, to `end` or the end of the stream.
  static std::string ReceiveUntil(const Connection& from, std::string_view end) {
    std::string all;
    while (!all.ends_with(end)) {
      const std::string part = from.ReceiveSome();
      if (part.empty()) break;
      all += part;
    }
    return all;
  }

  Watchers watchers;
  std::unique_ptr<Server> server;
};

TEST(EventStream, SendsEventsAsTheyComeAndEndsWithTheLast) {
  Broadcast broadcast;
  Connection watcher = broadcast.Watch();
  broadcast.watchers.Put("progress", R"({"n":1})");
  EXPECT_EQ(Broadcast::ReceiveUntil(watcher, "\n\n"), "event: progress\ndata: {\"n\":1}\n\n");
  broadcast.watchers.Put("report", "two\nlines");
  broadcast.watchers.End();
  EXPECT_EQ(watcher.ReceiveAll(), "event: report\ndata: two\ndata: lines\n\n");
  broadcast.watchers.WaitUntilGone(seconds(20));
  EXPECT_EQ(broadcast.watchers.count(), 0U);
}

TEST(EventStream, FiftyWatchersGetTheSame) {
  Broadcast broadcast;
  std::vector<Connection> watchers;
  for (int i = 0; i < 50; ++i) watchers.push_back(broadcast.Watch());
  EXPECT_EQ(broadcast.watchers.count(), 50U);
  broadcast.watchers.Put("a", "1");
  broadcast.watchers.Put("b", "2");
  broadcast.watchers.End();
  for (Connection& watcher : watchers) {
    EXPECT_EQ(watcher.ReceiveAll(), "event: a\ndata: 1\n\nevent: b\ndata: 2\n\n");
  }
}

TEST(EventStream, OneWhoDoesNotReadMissesWhatWasReplacedAndHoldsUpNobody) {
  Broadcast broadcast;
  Connection stalled = broadcast.Watch();
  const Connection other = broadcast.Watch();
  const std::string filling(100'000, 'x');
  constexpr int kEvents = 500;  // 50 MB: more than any socket's buffers
  for (int i = 0; i <= kEvents; ++i) {
    broadcast.watchers.Put("progress", std::to_string(i) + filling);
    const std::string got = Broadcast::ReceiveUntil(other, "\n\n");
    ASSERT_THAT(got, StartsWith("event: progress\ndata: " + std::to_string(i) + "x"));
  }
  broadcast.watchers.Put("report", "end");
  broadcast.watchers.End();
  const std::string late = stalled.ReceiveAll();
  EXPECT_LT(late.size(), size_t{kEvents / 2} * filling.size());
  EXPECT_THAT(late, HasSubstr("data: " + std::to_string(kEvents) + "x")) << "the latest one";
  EXPECT_THAT(late, EndsWith("event: report\ndata: end\n\n"));
}

TEST(EventStream, OneWhoNeverReadsIsClosed) {
  Broadcast broadcast({.reply_timeout = milliseconds(50)});
  const Connection stalled = broadcast.Watch();
  const std::string filling(10'000'000, 'x');
  broadcast.watchers.Put("progress", filling);
  broadcast.watchers.WaitUntilGone(seconds(20));
  EXPECT_EQ(broadcast.watchers.count(), 0U);
}

TEST(EventStream, OneWhoLeftIsFoundOutByAComment) {
  Broadcast broadcast({.event_pause = milliseconds(5)});
  Connection leaving = broadcast.Watch();
  EXPECT_EQ(leaving.ReceiveSome(3), ":\n\n");
  leaving.Reset();
  broadcast.watchers.WaitUntilGone(seconds(20));
  EXPECT_EQ(broadcast.watchers.count(), 0U);
}

TEST(EventStream, StopEndsStreamsAtOnce) {
  Broadcast broadcast;
  Connection waiting = broadcast.Watch();
  const Connection stalled = broadcast.Watch();
  broadcast.watchers.Put("progress", std::string(10'000'000, 'x'));
  broadcast.server->Stop(seconds(60));  // a test takes less
  EXPECT_EQ(broadcast.watchers.count(), 0U);
  (void)waiting.ReceiveAll();
  broadcast.watchers.Put("progress", "to nobody");
}

TEST(EventStream, ThereAreAsManyAsThereMayBe) {
  Broadcast broadcast({}, /*watchers_max=*/1);
  {
    const Connection watcher = broadcast.Watch();
    Connection second = Connect(broadcast.server->port());
    second.Send(kWatch);
    EXPECT_THAT(second.ReceiveMessage(), StartsWith("HTTP/1.1 503 "));
    broadcast.watchers.End();
  }
  broadcast.watchers.WaitUntilGone(seconds(20));
  const Connection third = broadcast.Watch();
  EXPECT_EQ(broadcast.watchers.count(), 1U);
}

TEST(EventStream, HeadHasNoEvents) {
  Broadcast broadcast;
  Connection client = Connect(broadcast.server->port());
  client.Send("HEAD /events HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(client.ReceiveAll(), EndsWith("Connection: close\r\n\r\n"));
}

}  // namespace
}  // namespace vecload::http
