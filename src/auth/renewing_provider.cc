#include "auth/renewing_provider.h"

#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "base/check.h"

namespace vecload::auth {
namespace {

constexpr int kRetriesMax = 10;

}  // namespace

Result<Credentials> ReadAgreeing(const ReadKeys& read) {
  constexpr int kReadingsMax = 8;
  VECLOAD_ASSIGN_OR_RETURN(Credentials previous, read());
  for (int i = 1; i < kReadingsMax; ++i) {
    VECLOAD_ASSIGN_OR_RETURN(Credentials next, read());
    if (next == previous) return next;
    previous = std::move(next);
  }
  return Status::Unavailable(
      "AWS credentials changed in each of 8 readings: a credential_process must give the same keys "
      "again for as long as they live, or keys that live longer than 5 minutes");
}

struct RenewingProvider::State {
  ReadKeys read;
  RenewalOptions options;
  std::thread thread;

  std::mutex mutex;
  std::condition_variable changed;
  // Guarded by mutex.
  std::shared_ptr<const Credentials> current;
  Status last;             // of the newest reading
  uint64_t requested = 1;  // readings asked for, the first one included
  uint64_t completed = 0;  // all requests up to this one were answered
  bool stopping = false;
  bool ended = false;  // the thread is past its last reading

  // The thread's body.
  void Run() {
    std::unique_lock lock(mutex);
    while (!stopping) {
      const uint64_t answers = requested;
      Result<Credentials> reading = Read(&lock);
      for (int i = 0; i < kRetriesMax && !reading.ok() && current != nullptr && !stopping; ++i) {
        changed.wait_for(lock, options.retry_pause, [&] { return stopping; });
        reading = Read(&lock);
      }
      last = reading.status();
      if (reading.ok()) current = std::make_shared<const Credentials>(*std::move(reading));
      completed = answers;
      changed.notify_all();
      changed.wait_for(lock, options.period, [&] { return stopping || requested > completed; });
    }
    ended = true;
    changed.notify_all();
  }

  // Without the lock, since it may take long.
  Result<Credentials> Read(std::unique_lock<std::mutex>* lock) const {
    lock->unlock();
    Result<Credentials> reading = ReadAgreeing(read);
    lock->lock();
    return reading;
  }

  // Waits for an answer to request number `request`.
  Status Await(std::unique_lock<std::mutex>* lock, uint64_t request) {
    const bool answered =
        changed.wait_for(*lock, options.reading_max, [&] { return completed >= request; });
    if (answered) return last;
    return Status::Denied("AWS credentials did not come within " +
                          std::to_string(static_cast<int>(Seconds(options.reading_max))) +
                          " s: check the profile's credential_process, or the network");
  }
};

Result<std::shared_ptr<CredentialProvider>> RenewingProvider::Start(ReadKeys read,
                                                                    RenewalOptions options) {
  auto state = std::make_shared<State>();
  state->read = std::move(read);
  state->options = options;
  std::shared_ptr<CredentialProvider> provider(new RenewingProvider(state));
  state->thread = std::thread([state] { state->Run(); });
  std::unique_lock lock(state->mutex);
  const Status first = state->Await(&lock, 1);
  lock.unlock();
  if (!first.ok()) return first;
  return provider;
}

RenewingProvider::~RenewingProvider() {
  std::unique_lock lock(state_->mutex);
  state_->stopping = true;
  state_->changed.notify_all();
  const bool ended =
      state_->changed.wait_for(lock, state_->options.ending_max, [&] { return state_->ended; });
  lock.unlock();
  if (ended) {
    state_->thread.join();
  } else {
    state_->thread.detach();
  }
}

std::shared_ptr<const Credentials> RenewingProvider::Current() const {
  const std::lock_guard lock(state_->mutex);
  CHECK(state_->current != nullptr);
  return state_->current;
}

Status RenewingProvider::Refresh() {
  std::unique_lock lock(state_->mutex);
  const uint64_t request = ++state_->requested;
  state_->changed.notify_all();
  return state_->Await(&lock, request);
}

}  // namespace vecload::auth
