// Goal: each watcher gets the latest event of each name, in order, and nothing twice; none costs
// more for being slow, and waking one that goes harms nobody. Method: Next called by hand; threads
// that watch and go while others publish.

#include "observe/event_hub.h"

#include <atomic>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vecload::observe {
namespace {

std::string All(EventHub::Watcher& watcher) {
  std::string all;
  for (const EventHub::Text& text : watcher.Next().texts) all += *text;
  return all;
}

TEST(EventHub, AWatcherGetsTheOpeningThenTheLatestOfEachOnce) {
  EventHub hub;
  hub.Publish("detail", "1");
  hub.Publish("progress", "2");
  hub.Publish("progress", "3");
  const auto watcher = hub.Watch("opening\n\n", [] {});
  EXPECT_EQ(All(*watcher), "opening\n\nevent: detail\ndata: 1\n\nevent: progress\ndata: 3\n\n");
  EXPECT_EQ(All(*watcher), "");
  hub.Publish("progress", "4");
  EXPECT_EQ(All(*watcher), "event: progress\ndata: 4\n\n");
}

TEST(EventHub, ASlowWatcherMissesWhatWasReplacedAndNeverTheEnd) {
  EventHub hub;
  int woken = 0;
  const auto watcher = hub.Watch({}, [&] { ++woken; });
  (void)watcher->Next();
  for (int i = 0; i < 1'000; ++i) hub.Publish("progress", std::to_string(i));
  hub.Publish("report", "{}");
  hub.End();
  EXPECT_EQ(woken, 1'002);
  const EventHub::News news = watcher->Next();
  EXPECT_TRUE(news.ended);
  ASSERT_EQ(news.texts.size(), 2U);
  EXPECT_EQ(*news.texts[0], "event: progress\ndata: 999\n\n");
  EXPECT_EQ(*news.texts[1], "event: report\ndata: {}\n\n");
}

TEST(EventHub, TakesABoundedNumberOfWatchersAndOneMoreWhenOneGoes) {
  EventHub hub;
  std::vector<std::unique_ptr<EventHub::Watcher>> watchers;
  for (size_t i = 0; i < EventHub::kWatchersMax; ++i) watchers.push_back(hub.Watch({}, [] {}));
  EXPECT_EQ(hub.Watch({}, [] {}), nullptr);
  watchers.pop_back();
  EXPECT_NE(hub.Watch({}, [] {}), nullptr);
}

TEST(EventHub, WaitsForWatchersToComeAndGoAndCanBeToldNotTo) {
  EventHub hub;
  EXPECT_TRUE(hub.WaitUntilUnwatched(std::chrono::hours(1)));
  auto watcher = hub.Watch({}, [] {});
  EXPECT_TRUE(hub.WaitUntilWatched(std::chrono::hours(1)));
  EXPECT_FALSE(hub.WaitUntilUnwatched(Duration(1)));
  std::thread waiting([&] { EXPECT_TRUE(hub.WaitUntilUnwatched(std::chrono::hours(1))); });
  watcher.reset();
  waiting.join();
  hub.StopWaiting();
  EXPECT_FALSE(hub.WaitUntilWatched(std::chrono::hours(1)));
}

TEST(EventHub, WatchersComeAndGoWhileOthersPublish) {
  EventHub hub;
  std::atomic<bool> done = false;
  std::atomic<int> woken = 0;
  std::vector<std::thread> publishers;
  for (const char* name : {"a", "b"}) {
    publishers.emplace_back([&, name] {
      while (!done) hub.Publish(name, "{}");
    });
  }
  while (woken < 100) {
    const auto watcher = hub.Watch({}, [&] { ++woken; });
    (void)watcher->Next();
  }
  done = true;
  for (std::thread& publisher : publishers) publisher.join();
}

}  // namespace
}  // namespace vecload::observe
