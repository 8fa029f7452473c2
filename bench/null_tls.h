#pragma once

// TLS for the null server: OpenSSL over a non-blocking socket, with recv's way of saying "later".

#include <sys/types.h>

#include <memory>
#include <string>
#include <string_view>

struct ssl_st;
struct ssl_ctx_st;

namespace null_service {

class TlsSession {
 public:
  TlsSession(ssl_ctx_st* context, int fd);

  /// As recv: 0 at the end, -1 with errno EAGAIN when there is nothing now. Shakes hands first.
  ssize_t Receive(char* buffer, size_t size);
  bool Send(std::string_view bytes);

 private:
  std::unique_ptr<ssl_st, void (*)(ssl_st*)> session_;
};

class TlsServer {
 public:
  /// Ends the program where the files are no certificate and key.
  TlsServer(const std::string& certificate_file, const std::string& key_file);

  [[nodiscard]] std::unique_ptr<TlsSession> Accept(int fd) const;

 private:
  std::unique_ptr<ssl_ctx_st, void (*)(ssl_ctx_st*)> context_;
};

}  // namespace null_service
