#include "http/stream_sender.h"

#include <atomic>
#include <string_view>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

namespace vecload::http {
namespace {

namespace asio = boost::asio;
constexpr auto kToken = asio::as_tuple(asio::use_awaitable);

// What the kernel keeps for a client that does not read. With its default of some megabytes such a
// client would be seen late, and get what happened long ago when it reads again.
constexpr int kSendBufferBytes = 128 << 10;

constexpr std::string_view kLastChunk = "0\r\n\r\n";

// Takes a Wake from any thread to the coroutine, which may have ended meanwhile.
struct Waker {
  explicit Waker(asio::steady_timer* timer_of_coroutine) : timer(timer_of_coroutine) {}
  asio::steady_timer* timer;  // the I/O thread's own; nullptr: the coroutine has ended
  bool woken = false;         // the I/O thread's own
  std::atomic<bool> posted = false;
};

// Has the body wake the coroutine as long as this lives.
class Attachment {
 public:
  Attachment(const StreamTarget& target, BodyStream& body)
      : waker_(std::make_shared<Waker>(&target.timer)), body_(body) {
    body_.SetOnWake([waker = waker_, executor = target.timer.get_executor()] {
      if (waker->posted.exchange(true)) return;  // one on its way is enough
      asio::post(executor, [waker] {
        waker->posted = false;
        waker->woken = true;
        if (waker->timer != nullptr) waker->timer->cancel();
      });
    });
  }
  ~Attachment() {
    body_.SetOnWake({});
    waker_->timer = nullptr;
  }
  Attachment(const Attachment&) = delete;
  Attachment& operator=(const Attachment&) = delete;

  [[nodiscard]] bool woken() const { return waker_->woken; }
  void Rest() { waker_->woken = false; }

 private:
  std::shared_ptr<Waker> waker_;
  BodyStream& body_;
};

asio::awaitable<bool> SendPiece(const StreamTarget& target, const BodyStream::Piece& piece) {
  size_t size = 0;
  for (const auto& part : piece.parts) size += part->size();
  const std::string chunk_head = fmt::format("{:x}\r\n", size);
  std::vector<asio::const_buffer> buffers;
  const auto add = [&buffers](std::string_view text) {
    buffers.emplace_back(text.data(), text.size());
  };
  const bool has_chunk = target.chunked && size > 0;  // an empty chunk would be the last
  if (has_chunk) add(chunk_head);
  for (const auto& part : piece.parts) add(*part);
  if (has_chunk) add("\r\n");
  if (target.chunked && piece.is_last) add(kLastChunk);
  target.stream.tcp().expires_after(target.piece_timeout);
  auto [error, bytes] = co_await asio::async_write(target.stream, buffers, kToken);
  target.stream.tcp().expires_never();
  co_return !error;
}

}  // namespace

asio::awaitable<bool> SendStream(StreamTarget target, std::shared_ptr<BodyStream> body) {
  boost::system::error_code ignored;
  (void)target.stream.tcp().socket().set_option(
      asio::socket_base::send_buffer_size(kSendBufferBytes), ignored);
  Attachment attachment(target, *body);
  while (!target.stopping) {
    attachment.Rest();  // before asking, so that what comes meanwhile is asked for again
    const BodyStream::Piece piece = body->Next();
    if (!piece.parts.empty() || piece.is_last) {
      const bool sent = co_await SendPiece(target, piece);
      if (!sent) co_return false;
      if (piece.is_last) co_return true;
    }
    while (!attachment.woken() && !target.stopping) {
      target.timer.expires_at(asio::steady_timer::time_point::max());
      co_await target.timer.async_wait(kToken);
    }
  }
  co_return false;
}

}  // namespace vecload::http
