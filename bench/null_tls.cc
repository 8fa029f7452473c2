#include "null_tls.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include <openssl/err.h>
#include <openssl/ssl.h>

namespace null_service {

TlsSession::TlsSession(ssl_ctx_st* context, int fd) : session_(SSL_new(context), SSL_free) {
  SSL_set_fd(session_.get(), fd);
  SSL_set_accept_state(session_.get());
}

ssize_t TlsSession::Receive(char* buffer, size_t size) {
  ERR_clear_error();
  size_t received = 0;
  if (SSL_read_ex(session_.get(), buffer, size, &received) == 1) {
    return static_cast<ssize_t>(received);
  }
  switch (SSL_get_error(session_.get(), 0)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:  // a few bytes of handshake always find room
      errno = EAGAIN;
      return -1;
    default:
      return 0;
  }
}

bool TlsSession::Send(std::string_view bytes) {
  size_t sent = 0;
  return SSL_write_ex(session_.get(), bytes.data(), bytes.size(), &sent) == 1;
}

TlsServer::TlsServer(const std::string& certificate_file, const std::string& key_file)
    : context_(SSL_CTX_new(TLS_server_method()), SSL_CTX_free) {
  SSL_CTX* context = context_.get();
  if (context == nullptr ||
      SSL_CTX_use_certificate_chain_file(context, certificate_file.c_str()) != 1 ||
      SSL_CTX_use_PrivateKey_file(context, key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    ERR_print_errors_fp(stderr);
    std::exit(1);
  }
}

std::unique_ptr<TlsSession> TlsServer::Accept(int fd) const {
  return std::make_unique<TlsSession>(context_.get(), fd);
}

}  // namespace null_service
