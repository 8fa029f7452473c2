#include <unistd.h>

#include <algorithm>
#include <deque>
#include <mutex>
#include <thread>

#include <fmt/format.h>

#include "base/check.h"
#include "http/curl_transfer.h"
#include "http/transport.h"

namespace vecload::http {
namespace {

// No event is missed by sleeping this long, since Send wakes the thread; it is only a bound.
constexpr Duration kIdleWait = std::chrono::seconds(60);

class CurlTransport final : public Transport {
 public:
  CurlTransport(const CurlOptions& options, CURLM* multi)
      : options_(options), multi_(multi), thread_([this] { Run(); }) {}

  ~CurlTransport() override {
    CHECK(std::this_thread::get_id() != thread_.get_id());
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    curl_multi_wakeup(multi_);
    thread_.join();
    idle_.clear();
    curl_multi_cleanup(multi_);
  }

  void Send(Request request, Done done) override {
    bool was_empty = false;
    {
      const std::lock_guard lock(mutex_);
      was_empty = queue_.empty();
      queue_.push_back({std::move(request), std::move(done)});
    }
    if (was_empty) curl_multi_wakeup(multi_);
  }

 private:
  struct Pending {
    Request request;
    Done done;
  };

  // Moves what was sent since the last turn to waiting_; false when it is time to stop.
  bool TakeQueue() {
    const std::lock_guard lock(mutex_);
    std::move(queue_.begin(), queue_.end(), std::back_inserter(waiting_));
    queue_.clear();
    return !stopping_;
  }

  void Run() {
    while (TakeQueue()) {
      StartWaiting();
      int running = 0;
      curl_multi_perform(multi_, &running);
      int left = 0;
      while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
        if (message->msg == CURLMSG_DONE) Finish(TransferOf(message), message->data.result);
      }
      const Duration tick = GiveUpStalled();
      // A connection that just became free has its next request already: do not sleep on it.
      const bool can_start = !waiting_.empty() && active_.size() < options_.connections_max;
      const auto wait = std::chrono::ceil<std::chrono::milliseconds>(tick);
      const CURLMcode polled = curl_multi_poll(
          multi_, nullptr, 0, can_start ? 0 : static_cast<int>(wait.count()), nullptr);
      // Without a working poll the loop would spin; it only fails without memory.
      if (polled != CURLM_OK) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    CancelAll();
  }

  static CurlTransfer* TransferOf(const CURLMsg* message) {
    void* transfer = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
    return static_cast<CurlTransfer*>(transfer);
  }

  void StartWaiting() {
    const TimePoint now = Clock::System().Now();
    while (!waiting_.empty() && active_.size() < options_.connections_max) {
      Pending next = std::move(waiting_.front());
      waiting_.pop_front();
      std::unique_ptr<CurlTransfer> transfer = TakeIdle();
      if (transfer == nullptr) {
        next.done(Status::Io("out of memory for another HTTP request"));
        continue;
      }
      Status status = transfer->Begin(std::move(next.request), std::move(next.done), now);
      if (status.ok() && curl_multi_add_handle(multi_, transfer->easy()) != CURLM_OK) {
        status = Status::Internal("curl refused another HTTP request");
      }
      if (!status.ok()) {
        Return(std::move(transfer), std::move(status));
        continue;
      }
      transfer->position = active_.size();
      active_.push_back(std::move(transfer));
    }
  }

  std::unique_ptr<CurlTransfer> TakeIdle() {
    if (idle_.empty()) return CurlTransfer::Make(options_);
    std::unique_ptr<CurlTransfer> transfer = std::move(idle_.back());
    idle_.pop_back();
    return transfer;
  }

  // Ends a transfer that was removed from active_: the handle is kept, the caller told.
  void Return(std::unique_ptr<CurlTransfer> transfer, Result<Reply> result) {
    const Done done = transfer->TakeDone();
    done(std::move(result));
    transfer->Forget();
    idle_.push_back(std::move(transfer));
  }

  std::unique_ptr<CurlTransfer> Deactivate(CurlTransfer* transfer) {
    CHECK(curl_multi_remove_handle(multi_, transfer->easy()) == CURLM_OK);
    const size_t position = transfer->position;
    std::swap(active_[position], active_.back());
    active_[position]->position = position;
    std::unique_ptr<CurlTransfer> removed = std::move(active_.back());
    active_.pop_back();
    return removed;
  }

  void Finish(CurlTransfer* transfer, CURLcode code) {
    Result<Reply> result = transfer->Outcome(code);
    Return(Deactivate(transfer), std::move(result));
  }

  // Ends the transfers that stand still; returns how soon to look again.
  Duration GiveUpStalled() {
    if (active_.empty()) return kIdleWait;
    const Duration tick = std::clamp<Duration>(
        options_.stall_timeout / 8, std::chrono::milliseconds(1), std::chrono::seconds(1));
    const TimePoint now = Clock::System().Now();
    if (now < next_stall_check_) return tick;
    next_stall_check_ = now + tick;
    for (size_t i = active_.size(); i-- > 0;) {
      CurlTransfer* transfer = active_[i].get();
      if (!transfer->Stalled(now)) continue;
      Status failure = transfer->StallFailure();
      Return(Deactivate(transfer), std::move(failure));
    }
    return tick;
  }

  // A `done` may Send again, so until nothing is left.
  void CancelAll() {
    const Status cancelled = Status::Cancelled("the HTTP transport was closed");
    while (!active_.empty()) Return(Deactivate(active_.back().get()), cancelled);
    do {
      while (!waiting_.empty()) {
        const Pending next = std::move(waiting_.front());
        waiting_.pop_front();
        next.done(cancelled);
      }
      TakeQueue();
    } while (!waiting_.empty());
  }

  const CurlOptions options_;
  CURLM* const multi_;

  // The thread's own.
  std::vector<std::unique_ptr<CurlTransfer>> active_;
  std::vector<std::unique_ptr<CurlTransfer>> idle_;
  std::deque<Pending> waiting_;
  TimePoint next_stall_check_{};

  std::mutex mutex_;
  std::vector<Pending> queue_;  // guarded by mutex_
  bool stopping_ = false;       // guarded by mutex_

  std::thread thread_;  // last: it uses all of the above
};

}  // namespace

Result<std::unique_ptr<Transport>> MakeCurlTransport(const CurlOptions& options) {
  if (!options.ca_bundle.empty() && access(options.ca_bundle.c_str(), R_OK) != 0) {
    return Status::InvalidArgument(
        fmt::format("the CA bundle \"{}\" cannot be read; check AWS_CA_BUNDLE", options.ca_bundle));
  }
  if (options.connections_max == 0) {
    return Status::InvalidArgument("an HTTP transport needs at least one connection");
  }
  static const CURLcode global = curl_global_init(CURL_GLOBAL_DEFAULT);
  CURLM* multi = global == CURLE_OK ? curl_multi_init() : nullptr;
  if (multi == nullptr) return Status::Io("curl cannot be set up: out of memory");
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, static_cast<long>(options.connections_max));
  return std::unique_ptr<Transport>(new CurlTransport(options, multi));
}

}  // namespace vecload::http
