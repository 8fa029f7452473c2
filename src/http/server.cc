#include "http/server.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <ctime>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_set>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/status.hpp>
#include <fmt/format.h>

#include "http/server_stream.h"
#include "http/stream_sender.h"

namespace vecload::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using boost::system::error_code;
using Parser = beast::http::request_parser<beast::http::buffer_body>;

constexpr auto kToken = asio::as_tuple(asio::use_awaitable);

// First bytes of a request: mostly its head, so that little of the body is copied twice.
constexpr size_t kHeadReadBytes = 16 << 10;
// The body grows ahead of each read by what came so far, within these bounds, so that a client that
// announces much and sends little costs little. 1 MiB measured best between 64 KiB and 4 MiB: fewer
// turns of the loop, and what growing wrote is still in the cache when the read overwrites it.
constexpr size_t kBodyStepBytesMin = 64 << 10;
constexpr size_t kBodyStepBytesMax = 1 << 20;
constexpr size_t kChunkedStepBytes = 64 << 10;
// How long, and how far, a client is listened to after an answer that it did not wait for.
// Closing at once would reset the connection, and the client would lose the answer.
constexpr Duration kLingerTime = std::chrono::seconds(5);
constexpr size_t kLingerBytesMax = 256 << 20;
// Clients over connections_max that are told so at the same time; the rest is just closed.
constexpr size_t kTurnedAwayMax = 64;
// After accept() failed for want of descriptors or memory.
constexpr Duration kAcceptPause = std::chrono::milliseconds(50);

Reply PlainReply(int status, std::string text) {
  return Reply{status, {{"Content-Type", "text/plain"}}, std::move(text)};
}

bool IsOneOf(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::any_of(names.begin(), names.end(),
                     [&](std::string_view other) { return beast::iequals(name, other); });
}

// RFC 9110's form, whatever the locale.
std::string HttpDate(std::time_t time) {
  static constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::tm parts{};
  gmtime_r(&time, &parts);
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT", kDays[parts.tm_wday], parts.tm_mday,
                     kMonths[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour, parts.tm_min,
                     parts.tm_sec);
}

// How the client knows where the body ends.
enum class BodyEndsBy { kLength, kChunks, kClosing };

std::string ReplyHead(const Reply& reply, bool keep_alive, BodyEndsBy end = BodyEndsBy::kLength) {
  const auto status = static_cast<unsigned>(reply.status);
  std::string head = fmt::format(
      "HTTP/1.1 {} {}\r\n", reply.status,
      std::string_view(beast::http::obsolete_reason(beast::http::int_to_status(status))));
  for (const auto& [name, value] : reply.headers) {
    if (IsOneOf(name, {"Content-Length", "Connection", "Transfer-Encoding"})) continue;
    const size_t begin = head.size();
    head.append(name).append(": ").append(value);
    // A value may echo what a client sent; it must not end the line.
    std::replace_if(
        head.begin() + static_cast<std::ptrdiff_t>(begin), head.end(),
        [](char c) { return c == '\r' || c == '\n' || c == '\0'; }, ' ');
    head += "\r\n";
  }
  if (FindHeader(reply.headers, "Date").empty()) {
    const auto now = std::chrono::time_point_cast<std::chrono::system_clock::duration>(
        Clock::System().WallNow());
    head += "Date: " + HttpDate(std::chrono::system_clock::to_time_t(now)) + "\r\n";
  }
  if (end == BodyEndsBy::kChunks) head += "Transfer-Encoding: chunked\r\n";
  if (end == BodyEndsBy::kLength && status >= 200 && status != 204 && status != 304) {
    head += fmt::format("Content-Length: {}\r\n", reply.body.size());
  }
  head += keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
  return head;
}

// One request's share of the bytes in flight. The I/O thread's only.
class HeldBytes {
 public:
  HeldBytes(size_t* total, size_t max) : total_(total), max_(max) {}
  ~HeldBytes() { *total_ -= held_; }
  HeldBytes(const HeldBytes&) = delete;
  HeldBytes& operator=(const HeldBytes&) = delete;

  // False where `bytes` in place of what is held would be too much.
  bool TryHold(size_t bytes) {
    if (*total_ - held_ + bytes > max_) return false;
    Hold(bytes);
    return true;
  }
  void Hold(size_t bytes) {
    *total_ += bytes - held_;
    held_ = bytes;
  }

 private:
  size_t* const total_;
  const size_t max_;
  size_t held_ = 0;
};

// One connection. Lives in its coroutine's frame; used on the I/O thread only.
struct Session {
  Session(tcp::socket socket, asio::ssl::context* tls, size_t header_bytes_max)
      : stream(std::move(socket), tls),
        buffer(header_bytes_max + kHeadReadBytes + kChunkedStepBytes),
        delay(stream.get_executor()) {}

  // Ends whatever the session waits for.
  void Close() {
    delay.cancel();
    stream.tcp().close();
  }

  ServerStream stream;
  beast::flat_buffer buffer;
  asio::steady_timer delay;
  bool is_idle = false;  // between two requests: may be closed at any time
};

enum class BodyEnd { kWhole, kTooLarge, kOverloaded, kBroken };

class BeastServer final : public Server {
 public:
  BeastServer(ServerOptions options, Handler handler)
      : options_(std::move(options)),
        handler_(std::move(handler)),
        workers_(static_cast<size_t>(std::max(1, options_.threads))) {}
  ~BeastServer() override { Stop(Duration::zero()); }

  Status ReadTlsFiles();
  Status Listen();
  [[nodiscard]] uint16_t port() const override { return port_; }
  void Stop(Duration grace) override;

 private:
  Status ListenOn(const tcp::endpoint& endpoint);
  void BeginStop(Duration grace);

  // Keeps a session known to Stop for as long as it lives, however its coroutine ends.
  class Registration {
   public:
    Registration(BeastServer& server, Session& session, size_t& count)
        : server_(server), session_(session), count_(count) {
      server_.sessions_.insert(&session_);
    }
    ~Registration() {
      session_.Close();
      server_.sessions_.erase(&session_);
      --count_;
      if (server_.stopping_ && server_.sessions_.empty()) server_.grace_.cancel();
    }
    Registration(const Registration&) = delete;
    Registration& operator=(const Registration&) = delete;

   private:
    BeastServer& server_;
    Session& session_;
    size_t& count_;
  };

  asio::awaitable<void> Accept();
  asio::awaitable<void> TurnAway(tcp::socket socket);
  asio::awaitable<void> Serve(tcp::socket socket);
  asio::awaitable<bool> Handshake(Session& session);
  asio::awaitable<bool> WaitForRequest(Session& session);
  asio::awaitable<bool> ServeOne(Session& session);
  asio::awaitable<BodyEnd> ReadBody(Session& session, Parser& parser, HeldBytes& held,
                                    std::string& body);
  asio::awaitable<BodyEnd> ReadPlainBody(Session& session, size_t length, HeldBytes& held,
                                         std::string& body);
  asio::awaitable<BodyEnd> ReadChunkedBody(Session& session, Parser& parser, HeldBytes& held,
                                           std::string& body);
  asio::awaitable<bool> Continue(Session& session);
  asio::awaitable<ServerReply> CallHandler(ServerRequest request);
  asio::awaitable<bool> Write(Session& session, const Reply& reply, bool keep_alive,
                              bool head_only);
  asio::awaitable<void> Stream(Session& session, const ServerReply& answer, bool chunked,
                               bool head_only);
  asio::awaitable<void> BreakOff(Session& session, const ServerReply& answer);
  asio::awaitable<void> Refuse(Session& session, const Reply& reply);
  asio::awaitable<void> Linger(Session& session);

  const ServerOptions options_;
  const Handler handler_;
  uint16_t port_ = 0;

  std::optional<asio::ssl::context> tls_;
  asio::io_context io_{1};
  tcp::acceptor acceptor_{io_};
  asio::steady_timer accept_pause_{io_};
  asio::steady_timer grace_{io_};
  asio::thread_pool workers_;
  std::thread thread_;
  std::mutex stop_mutex_;
  std::atomic<bool> abandoned_ = false;  // grace is over: handlers that wait are not run

  // The I/O thread's own.
  std::unordered_set<Session*> sessions_;
  size_t served_ = 0;       // connections that Serve has, or is about to get
  size_t turned_away_ = 0;  // the same for TurnAway
  size_t bytes_in_flight_ = 0;
  bool stopping_ = false;
};

Status BeastServer::ReadTlsFiles() {
  const std::string& certificate = options_.tls_certificate_file;
  const std::string& key = options_.tls_key_file;
  if (certificate.empty() && key.empty()) return Status::Ok();
  if (certificate.empty() || key.empty()) {
    return Status::InvalidArgument("TLS needs a certificate and its key, both as files");
  }
  tls_.emplace(asio::ssl::context::tls_server);
  error_code error;
  (void)tls_->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_sslv3 |
                              asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1,
                          error);
  // Without this OpenSSL would ask on the terminal for the passphrase of a key that has one.
  (void)tls_->set_password_callback([](size_t, auto) { return std::string(); }, error);
  (void)tls_->use_certificate_chain_file(certificate, error);
  if (error) {
    return Status::InvalidArgument(
        fmt::format("TLS certificate {}: {}; it must be PEM", certificate, error.message()));
  }
  (void)tls_->use_private_key_file(key, asio::ssl::context::pem, error);
  if (error) {
    return Status::InvalidArgument(
        fmt::format("TLS key {}: {}; it must be PEM, without a passphrase, and belong to {}", key,
                    error.message(), certificate));
  }
  return Status::Ok();
}

Status BeastServer::ListenOn(const tcp::endpoint& endpoint) {
  error_code error;
  const auto failed = [&] { return bool(error); };
  acceptor_ = tcp::acceptor(io_);
  (void)acceptor_.open(endpoint.protocol(), error);
  if (!failed()) (void)acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (!failed()) (void)acceptor_.bind(endpoint, error);
  if (!failed()) (void)acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (!failed()) port_ = acceptor_.local_endpoint(error).port();
  return failed() ? Status::Io(error.message()) : Status::Ok();
}

Status BeastServer::Listen() {
  const std::string place = fmt::format("cannot listen on {}:{}", options_.host, options_.port);
  error_code error;
  tcp::resolver resolver(io_);
  const auto found =
      resolver.resolve(options_.host, std::to_string(options_.port),
                       tcp::resolver::passive | tcp::resolver::numeric_service, error);
  if (error) return Status::Io(fmt::format("{}: {}", place, error.message()));
  Status status = Status::Io("no address");
  for (const auto& entry : found) {
    status = ListenOn(entry.endpoint());
    if (status.ok()) break;
  }
  if (!status.ok()) {
    return Status::Io(
        fmt::format("{}: {}; choose another port, or 0 for any free one", place, status.message()));
  }
  // Detached: what ends a session's coroutine early (memory ran out) ends its connection only.
  asio::co_spawn(io_, Accept(), asio::detached);
  thread_ = std::thread([this] { io_.run(); });
  return Status::Ok();
}

void BeastServer::Stop(Duration grace) {
  const std::lock_guard lock(stop_mutex_);
  if (!thread_.joinable()) return;
  asio::post(io_, [this, grace] { BeginStop(grace); });
  thread_.join();  // run() returns when the last session has ended
  workers_.join();
}

void BeastServer::BeginStop(Duration grace) {
  stopping_ = true;
  acceptor_.close();
  accept_pause_.cancel();
  for (Session* session : sessions_) {
    if (session->is_idle) session->Close();
  }
  if (sessions_.empty()) return;
  grace_.expires_after(grace);
  grace_.async_wait([this](error_code error) {
    if (error) return;
    abandoned_ = true;
    for (Session* session : sessions_) session->Close();
  });
}

asio::awaitable<void> BeastServer::Accept() {
  while (!stopping_) {
    auto [error, socket] = co_await acceptor_.async_accept(kToken);
    if (stopping_) co_return;
    if (error) {
      accept_pause_.expires_after(kAcceptPause);
      co_await accept_pause_.async_wait(kToken);
      continue;
    }
    error_code ignored;
    (void)socket.set_option(tcp::no_delay(true), ignored);
    if (served_ < options_.connections_max) {
      ++served_;
      asio::co_spawn(io_, Serve(std::move(socket)), asio::detached);
    } else if (turned_away_ < kTurnedAwayMax) {
      ++turned_away_;
      asio::co_spawn(io_, TurnAway(std::move(socket)), asio::detached);
    }
  }
}

asio::awaitable<void> BeastServer::TurnAway(tcp::socket socket) {
  Session session(std::move(socket), tls_ ? &*tls_ : nullptr, options_.header_bytes_max);
  const Registration registration(*this, session, turned_away_);
  const bool is_ready = co_await Handshake(session);
  if (is_ready && !stopping_) co_await Refuse(session, options_.overloaded);
}

asio::awaitable<void> BeastServer::Serve(tcp::socket socket) {
  Session session(std::move(socket), tls_ ? &*tls_ : nullptr, options_.header_bytes_max);
  const Registration registration(*this, session, served_);
  bool again = co_await Handshake(session);
  while (again && !stopping_) {
    again = co_await WaitForRequest(session);
    if (again) again = co_await ServeOne(session);
  }
}

asio::awaitable<bool> BeastServer::Handshake(Session& session) {
  if (!session.stream.has_tls()) co_return true;
  session.is_idle = true;  // nothing was asked yet
  session.stream.tcp().expires_after(options_.header_timeout);
  auto [error] = co_await session.stream.async_handshake(kToken);
  session.is_idle = false;
  co_return !error;
}

asio::awaitable<bool> BeastServer::WaitForRequest(Session& session) {
  if (session.buffer.size() > 0) co_return true;  // pipelined behind the last one
  session.is_idle = true;
  session.stream.tcp().expires_after(options_.idle_timeout);
  auto [error, bytes] =
      co_await session.stream.async_read_some(session.buffer.prepare(kHeadReadBytes), kToken);
  session.is_idle = false;
  session.buffer.commit(bytes);
  co_return !error;
}

asio::awaitable<bool> BeastServer::ServeOne(Session& session) {
  Parser parser;
  parser.header_limit(static_cast<std::uint32_t>(options_.header_bytes_max));
  parser.body_limit(boost::none);  // ours is checked below, where the reply is known
  session.stream.tcp().expires_after(options_.header_timeout);
  auto [error, head_bytes] =
      co_await beast::http::async_read_header(session.stream, session.buffer, parser, kToken);
  if (error == beast::http::error::header_limit || error == beast::http::error::buffer_overflow) {
    co_await Refuse(session, PlainReply(431, "the request's headers are too large\n"));
    co_return false;
  }
  if (error && error.category() == make_error_code(beast::http::error::bad_version).category() &&
      error != beast::http::error::end_of_stream && error != beast::http::error::partial_message) {
    co_await Refuse(session, PlainReply(400, "not an HTTP request: " + error.message() + "\n"));
    co_return false;
  }
  if (error) co_return false;

  ServerRequest request;
  request.method = std::string(parser.get().method_string());
  request.target = std::string(parser.get().target());
  for (const auto& field : parser.get()) {
    request.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
  }
  HeldBytes held(&bytes_in_flight_, options_.bytes_in_flight_max);
  session.stream.tcp().expires_after(options_.body_timeout);
  const BodyEnd end = co_await ReadBody(session, parser, held, request.body);
  if (end == BodyEnd::kTooLarge) co_await Refuse(session, options_.too_large);
  if (end == BodyEnd::kOverloaded) {
    request.body = {};  // before listening to the rest of it
    held.Hold(0);
    co_await Refuse(session, options_.overloaded);
  }
  if (end != BodyEnd::kWhole) co_return false;

  const bool head_only = request.method == "HEAD";
  session.stream.tcp().expires_never();
  const ServerReply answer = co_await CallHandler(std::move(request));
  held.Hold(answer.reply.body.size());
  if (answer.delay > Duration::zero() && !abandoned_) {
    session.delay.expires_after(answer.delay);
    co_await session.delay.async_wait(kToken);
  }
  if (answer.delivery != Delivery::kWhole) {
    co_await BreakOff(session, answer);
    co_return false;
  }
  if (answer.stream != nullptr) {
    co_await Stream(session, answer, parser.get().version() >= 11, head_only);
    co_return false;
  }
  const bool keep_alive = parser.keep_alive() && !stopping_;
  const bool written = co_await Write(session, answer.reply, keep_alive, head_only);
  co_return written&& keep_alive;
}

asio::awaitable<BodyEnd> BeastServer::ReadBody(Session& session, Parser& parser, HeldBytes& held,
                                               std::string& body) {
  const auto length = parser.content_length();
  if (length && *length > options_.body_bytes_max) co_return BodyEnd::kTooLarge;
  const bool has_body = parser.chunked() || (length && *length > 0);
  if (has_body && beast::iequals(parser.get()[beast::http::field::expect], "100-continue")) {
    const bool continued = co_await Continue(session);
    if (!continued) co_return BodyEnd::kBroken;
  }
  BodyEnd end = BodyEnd::kWhole;
  if (parser.chunked()) {
    end = co_await ReadChunkedBody(session, parser, held, body);
  } else if (has_body) {
    end = co_await ReadPlainBody(session, static_cast<size_t>(*length), held, body);
  }
  co_return end;
}

// Past Beast's parser, straight from the socket to its place: Beast reads 64 KiB at most at a
// time and copies them.
asio::awaitable<BodyEnd> BeastServer::ReadPlainBody(Session& session, size_t length,
                                                    HeldBytes& held, std::string& body) {
  const size_t early = std::min(length, session.buffer.size());
  if (!held.TryHold(early)) co_return BodyEnd::kOverloaded;
  body.reserve(length);
  body.append(static_cast<const char*>(session.buffer.data().data()), early);
  session.buffer.consume(early);
  size_t received = early;
  while (received < length) {
    if (body.size() == received) {
      const size_t step = std::clamp(received, kBodyStepBytesMin, kBodyStepBytesMax);
      const size_t size = std::min(length, received + step);
      if (!held.TryHold(size)) co_return BodyEnd::kOverloaded;
      body.resize(size);
    }
    auto [error, bytes] = co_await session.stream.async_read_some(
        asio::buffer(body.data() + received, body.size() - received), kToken);
    if (error) co_return BodyEnd::kBroken;
    received += bytes;
  }
  co_return BodyEnd::kWhole;
}

asio::awaitable<BodyEnd> BeastServer::ReadChunkedBody(Session& session, Parser& parser,
                                                      HeldBytes& held, std::string& body) {
  size_t received = 0;
  while (!parser.is_done()) {
    if (!held.TryHold(received + kChunkedStepBytes)) co_return BodyEnd::kOverloaded;
    body.resize(received + kChunkedStepBytes);
    parser.get().body().data = body.data() + received;
    parser.get().body().size = kChunkedStepBytes;
    auto [error, bytes] =
        co_await beast::http::async_read(session.stream, session.buffer, parser, kToken);
    if (error && error != beast::http::error::need_buffer) co_return BodyEnd::kBroken;
    received += kChunkedStepBytes - parser.get().body().size;
    if (received > options_.body_bytes_max) co_return BodyEnd::kTooLarge;
  }
  body.resize(received);
  co_return BodyEnd::kWhole;
}

asio::awaitable<bool> BeastServer::Continue(Session& session) {
  static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  auto [error, bytes] = co_await asio::async_write(
      session.stream, asio::buffer(kContinue.data(), kContinue.size()), kToken);
  co_return !error;
}

asio::awaitable<ServerReply> BeastServer::CallHandler(ServerRequest request) {
  // Runs on a worker; the caller goes on where it was, on the I/O thread.
  const auto on_worker = [this, &request]() -> asio::awaitable<ServerReply> {
    ServerReply answer{PlainReply(503, "the server is stopping\n")};
    if (!abandoned_) {
      try {
        answer = handler_(std::move(request));
      } catch (...) {
        answer = ServerReply{PlainReply(500, "internal error\n")};
      }
    }
    co_return answer;
  };
  ServerReply answer =
      co_await asio::co_spawn(workers_.get_executor(), on_worker(), asio::use_awaitable);
  co_return answer;
}

asio::awaitable<bool> BeastServer::Write(Session& session, const Reply& reply, bool keep_alive,
                                         bool head_only) {
  const std::string head = ReplyHead(reply, keep_alive);
  const std::array<asio::const_buffer, 2> parts = {
      asio::buffer(head), head_only ? asio::const_buffer() : asio::buffer(reply.body)};
  session.stream.tcp().expires_after(options_.reply_timeout);
  auto [error, bytes] = co_await asio::async_write(session.stream, parts, kToken);
  co_return !error;
}

asio::awaitable<void> BeastServer::Stream(Session& session, const ServerReply& answer, bool chunked,
                                          bool head_only) {
  const std::string head = ReplyHead(answer.reply, /*keep_alive=*/false,
                                     chunked ? BodyEndsBy::kChunks : BodyEndsBy::kClosing);
  session.stream.tcp().expires_after(options_.reply_timeout);
  auto [error, bytes] = co_await asio::async_write(session.stream, asio::buffer(head), kToken);
  if (error || head_only) co_return;
  session.is_idle = true;  // the stop waits for no stream
  const bool is_whole = co_await SendStream(
      {session.stream, session.delay, stopping_, chunked, options_.reply_timeout}, answer.stream);
  if (is_whole) co_await Linger(session);
}

asio::awaitable<void> BeastServer::BreakOff(Session& session, const ServerReply& answer) {
  if (answer.delivery == Delivery::kReset) {
    error_code ignored;
    // Closing without lingering is what makes TCP send a reset instead of an end.
    (void)session.stream.tcp().socket().set_option(asio::socket_base::linger(true, 0), ignored);
    co_return;  // the session's end closes it
  }
  std::string message = ReplyHead(answer.reply, /*keep_alive=*/true);
  const size_t sent = answer.reply.body.empty() ? message.size() / 2
                                                : message.size() + answer.reply.body.size() / 2;
  message += answer.reply.body;
  session.stream.tcp().expires_after(options_.reply_timeout);
  co_await asio::async_write(session.stream, asio::buffer(message, sent), kToken);
}

asio::awaitable<void> BeastServer::Refuse(Session& session, const Reply& reply) {
  const bool written = co_await Write(session, reply, /*keep_alive=*/false, /*head_only=*/false);
  if (written) co_await Linger(session);
}

asio::awaitable<void> BeastServer::Linger(Session& session) {
  error_code error;
  (void)session.stream.tcp().socket().shutdown(tcp::socket::shutdown_send, error);
  session.stream.tcp().expires_after(kLingerTime);
  session.is_idle = true;  // nobody loses anything when Stop ends this
  std::string sink(kChunkedStepBytes, '\0');
  for (size_t drained = 0; !error && drained < kLingerBytesMax;) {
    auto [read_error, bytes] = co_await session.stream.async_read_some(asio::buffer(sink), kToken);
    error = read_error;
    drained += bytes;
  }
}

}  // namespace

Result<std::unique_ptr<Server>> Server::Start(ServerOptions options, Handler handler) {
  auto server = std::make_unique<BeastServer>(std::move(options), std::move(handler));
  VECLOAD_RETURN_IF_ERROR(server->ReadTlsFiles());
  VECLOAD_RETURN_IF_ERROR(server->Listen());
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace vecload::http
