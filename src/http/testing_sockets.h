#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "base/check.h"

// Plain loopback sockets for the tests, so that each end is tested against bytes written by hand.
// Each wait ends after 20 s, which makes a test fail instead of hang.
namespace vecload::http::testing {

constexpr int kWaitMs = 20'000;

class Connection {
 public:
  explicit Connection(int fd) : fd_(fd) {}
  ~Connection() { Close(); }
  Connection(Connection&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Connection& operator=(Connection&&) = delete;

  [[nodiscard]] bool IsOpen() const { return fd_ >= 0; }
  [[nodiscard]] int fd() const { return fd_; }

  void Close() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }

  // Closes so that the peer sees "connection reset" rather than an end.
  void Reset() {
    const linger hard{.l_onoff = 1, .l_linger = 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    Close();
  }

  void FinishSending() const { shutdown(fd_, SHUT_WR); }

  // False when the peer does not take it all.
  bool Send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }

  // What comes next, at most `bytes_max`; empty at the end of the stream, a reset or a time-out.
  [[nodiscard]] std::string ReceiveSome(size_t bytes_max = 65536, int wait_ms = kWaitMs) const {
    pollfd readable{.fd = fd_, .events = POLLIN, .revents = 0};
    if (poll(&readable, 1, wait_ms) != 1) return {};
    std::string bytes(bytes_max, '\0');
    const ssize_t received = recv(fd_, bytes.data(), bytes.size(), 0);
    bytes.resize(received > 0 ? static_cast<size_t>(received) : 0);
    return bytes;
  }

  // How the stream ended, where nothing is left to receive: errno, or 0 for an orderly end.
  [[nodiscard]] int ReceiveError() const {
    pollfd readable{.fd = fd_, .events = POLLIN, .revents = 0};
    if (poll(&readable, 1, kWaitMs) != 1) return ETIMEDOUT;
    char byte = 0;
    const ssize_t received = recv(fd_, &byte, 1, 0);
    return received < 0 ? errno : received == 0 ? 0 : EPROTO;
  }

  // Everything up to the end of the stream.
  std::string ReceiveAll() {
    std::string all = std::exchange(rest_, {});
    for (std::string part = ReceiveSome(); !part.empty(); part = ReceiveSome()) all += part;
    return all;
  }

  // One message with a Content-Length (or none): head and body. Empty where none came whole.
  std::string ReceiveMessage(bool has_body = true) {
    size_t end = std::string::npos;
    while ((end = rest_.find("\r\n\r\n")) == std::string::npos) {
      const std::string part = ReceiveSome();
      if (part.empty()) return {};
      rest_ += part;
    }
    size_t length = end + 4;
    const size_t field = rest_.find("Content-Length: ");
    if (has_body && field < end) length += std::strtoull(rest_.c_str() + field + 16, nullptr, 10);
    while (rest_.size() < length) {
      const std::string part = ReceiveSome();
      if (part.empty()) return {};
      rest_ += part;
    }
    std::string message = rest_.substr(0, length);
    rest_.erase(0, length);
    return message;
  }

 private:
  int fd_;
  std::string rest_;  // received beyond the last message
};

inline sockaddr_in Loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// `from`: 127.0.0.0 + this many, for whoever makes so many connections that one address would run
// out of ports.
inline Connection Connect(uint16_t port, uint32_t from = 1) {
  const sockaddr_in address = Loopback(port);
  sockaddr_in source = Loopback(0);
  source.sin_addr.s_addr = htonl((INADDR_LOOPBACK & 0xFF000000) + from);
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int late = 1;  // the port is chosen by connect, for this pair of addresses
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &late, sizeof late);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&source), sizeof source) != 0 ||
      connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    close(fd);
    return Connection(-1);
  }
  return Connection(fd);
}

class Listener {
 public:
  explicit Listener(int backlog = 128) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = Loopback(0);
    socklen_t size = sizeof address;
    CHECK(bind(fd_, reinterpret_cast<const sockaddr*>(&address), size) == 0);
    CHECK(listen(fd_, backlog) == 0);
    CHECK(getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port_ = ntohs(address.sin_port);
  }
  ~Listener() { close(fd_); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  [[nodiscard]] uint16_t port() const { return port_; }
  [[nodiscard]] std::string url(std::string_view path = "/") const {
    return "http://127.0.0.1:" + std::to_string(port_) + std::string(path);
  }

  // A closed Connection where nobody comes in time.
  [[nodiscard]] Connection Accept(int wait_ms = kWaitMs) const {
    pollfd readable{.fd = fd_, .events = POLLIN, .revents = 0};
    if (poll(&readable, 1, wait_ms) != 1) return Connection(-1);
    return Connection(accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC));
  }

 private:
  int fd_;
  uint16_t port_ = 0;
};

}  // namespace vecload::http::testing
