#include "http/event_stream.h"

#include <algorithm>

namespace vecload::http {

EventStream::Event EventStream::Encode(std::string_view name, std::string_view data) {
  std::string text = "event: ";
  text.append(name);
  while (true) {
    const size_t end = data.find('\n');
    text.append("\ndata: ").append(data.substr(0, end));
    if (end == std::string_view::npos) break;
    data.remove_prefix(end + 1);
  }
  text += "\n\n";
  return std::make_shared<const std::string>(std::move(text));
}

void EventStream::Put(std::string_view name, Event event) {
  const std::lock_guard lock(mutex_);
  if (ended_) return;
  // At the end of the queue, as if the one that it replaces had never come.
  std::erase_if(unsent_, [&](const auto& unsent) { return unsent.first == name; });
  unsent_.emplace_back(name, std::move(event));
  if (wake_) wake_();
}

void EventStream::End() {
  const std::lock_guard lock(mutex_);
  ended_ = true;
  if (wake_) wake_();
}

void EventStream::SetWake(std::function<void()> wake) {
  const std::lock_guard lock(mutex_);
  wake_ = std::move(wake);
}

EventStream::Unsent EventStream::Take() {
  const std::lock_guard lock(mutex_);
  Unsent taken{.is_last = ended_};
  for (auto& [name, event] : unsent_) taken.events.push_back(std::move(event));
  unsent_.clear();
  return taken;
}

std::shared_ptr<EventStream> Watchers::Add() {
  const std::lock_guard lock(shared_->mutex);
  if (shared_->count >= count_max_) return nullptr;
  std::shared_ptr<EventStream> stream(new EventStream, [shared = shared_](EventStream* spent) {
    delete spent;
    const std::lock_guard leaving(shared->mutex);
    --shared->count;
    shared->gone.notify_all();
  });
  ++shared_->count;
  std::erase_if(shared_->streams, [](const auto& known) { return known.expired(); });
  shared_->streams.push_back(stream);
  return stream;
}

void Watchers::Put(std::string_view name, std::string_view data) {
  // Held beyond the lock, which whoever is the last to let go of a stream takes.
  const std::vector<std::shared_ptr<EventStream>> streams = Streams();
  if (streams.empty()) return;
  const EventStream::Event event = EventStream::Encode(name, data);
  for (const auto& stream : streams) stream->Put(name, event);
}

void Watchers::End() {
  for (const auto& stream : Streams()) stream->End();
}

std::vector<std::shared_ptr<EventStream>> Watchers::Streams() {
  std::vector<std::shared_ptr<EventStream>> streams;
  const std::lock_guard lock(shared_->mutex);
  streams.reserve(shared_->streams.size());
  for (const auto& known : shared_->streams) {
    if (auto stream = known.lock()) streams.push_back(std::move(stream));
  }
  return streams;
}

size_t Watchers::count() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->count;
}

void Watchers::WaitUntilGone(Duration longest) {
  std::unique_lock lock(shared_->mutex);
  shared_->gone.wait_for(lock, longest, [&] { return shared_->count == 0; });
}

}  // namespace vecload::http
