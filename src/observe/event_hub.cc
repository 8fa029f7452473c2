#include "observe/event_hub.h"

#include <utility>

namespace vecload::observe {

std::string EventText(std::string_view name, std::string_view json) {
  std::string text = "event: ";
  text.append(name).append("\ndata: ").append(json).append("\n\n");
  return text;
}

EventHub::Watcher::Watcher(EventHub* hub, std::string opening)
    : hub_(*hub), opening_(std::make_shared<const std::string>(std::move(opening))) {}

EventHub::Watcher::~Watcher() {
  const std::lock_guard lock(hub_.mutex_);
  hub_.watchers_.erase(place_);
  hub_.changed_.notify_all();
}

EventHub::News EventHub::Watcher::Next() {
  News news;
  if (opening_ != nullptr) news.texts.push_back(std::exchange(opening_, nullptr));
  const std::lock_guard lock(hub_.mutex_);
  for (const Event& event : hub_.events_) {
    if (event.number > seen_) news.texts.push_back(event.text);
  }
  seen_ = hub_.number_;
  news.ended = hub_.ended_;
  return news;
}

void EventHub::Publish(std::string_view name, std::string_view json) {
  auto text = std::make_shared<const std::string>(EventText(name, json));
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(events_, [&](const Event& event) { return event.name == name; });
    events_.push_back({std::string(name), std::move(text), ++number_});
  }
  WakeAll();
}

void EventHub::End() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  WakeAll();
}

// Outside the mutex, since a watcher may go because of it.
void EventHub::WakeAll() {
  std::vector<std::function<void()>> wakes;
  {
    const std::lock_guard lock(mutex_);
    for (const Watcher* watcher : watchers_) wakes.push_back(watcher->wake_);
  }
  for (const auto& wake : wakes) wake();
}

std::unique_ptr<EventHub::Watcher> EventHub::Watch(std::string opening,
                                                   std::function<void()> wake) {
  const std::lock_guard lock(mutex_);
  if (watchers_.size() >= kWatchersMax) return nullptr;
  std::unique_ptr<Watcher> watcher(new Watcher(this, std::move(opening)));
  watcher->wake_ = std::move(wake);
  watcher->place_ = watchers_.insert(watchers_.end(), watcher.get());
  changed_.notify_all();
  return watcher;
}

bool EventHub::WaitUntilWatched(Duration max) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, max, [&] { return no_waiting_ || !watchers_.empty(); });
  return !watchers_.empty();
}

bool EventHub::WaitUntilUnwatched(Duration max) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, max, [&] { return no_waiting_ || watchers_.empty(); });
  return watchers_.empty();
}

void EventHub::StopWaiting() {
  const std::lock_guard lock(mutex_);
  no_waiting_ = true;
  changed_.notify_all();
}

}  // namespace vecload::observe
