#include "http/curl_transfer.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <system_error>

#include <fmt/format.h>

namespace vecload::http {
namespace {

// Each turn of the loop sends at most one buffer. bench/http_transport_bench, 6.3 MB bodies, 8 in
// flight, loopback: 64 KiB to 1 MiB all cost 2.0 to 2.4 us per 12.7 KB, 2 MiB costs 3.0 (it falls
// out of the L2 cache). The buffer stays with the handle, so take little.
constexpr long kUploadBufferBytes = 256 << 10;
constexpr long kReceiveBufferBytes = 128 << 10;
constexpr const char* kCiphersTls13 =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
// Ours is the only bound: curl 7.88 limits one line, not the sum.
constexpr size_t kReplyHeaderBytesMax = 256 << 10;

bool HasLineBreak(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
}

// Without user name, password and query, none of which belongs into a message.
std::string UrlForMessage(std::string_view url) {
  url = url.substr(0, url.find_first_of("?#"));
  const size_t scheme = url.find("://");
  const size_t host = scheme == std::string_view::npos ? 0 : scheme + 3;
  const size_t at = url.substr(0, url.find('/', host)).rfind('@');
  if (at == std::string_view::npos || at < host) return std::string(url);
  return std::string(url.substr(0, host)) + std::string(url.substr(at + 1));
}

std::string_view Trim(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

}  // namespace

std::unique_ptr<CurlTransfer> CurlTransfer::Make(const CurlOptions& options) {
  std::unique_ptr<CurlTransfer> transfer(new CurlTransfer(options));
  transfer->easy_ = curl_easy_init();
  if (transfer->easy_ == nullptr || !transfer->SetFixedOptions()) return nullptr;
  return transfer;
}

CurlTransfer::~CurlTransfer() {
  curl_easy_cleanup(easy_);
  curl_slist_free_all(header_list_);
}

bool CurlTransfer::SetFixedOptions() {
  bool fine = true;
  const auto set = [&](CURLoption option, auto value) {
    fine = fine && curl_easy_setopt(easy_, option, value) == CURLE_OK;
  };
  set(CURLOPT_ERRORBUFFER, detail_.data());
  set(CURLOPT_PRIVATE, static_cast<void*>(this));
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_TCP_NODELAY, 1L);
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set(CURLOPT_UPLOAD_BUFFERSIZE, kUploadBufferBytes);
  set(CURLOPT_BUFFERSIZE, kReceiveBufferBytes);
  set(CURLOPT_CONNECTTIMEOUT_MS,
      static_cast<long>(
          std::chrono::ceil<std::chrono::milliseconds>(options_.connect_timeout).count()));
  // A name look-up cannot be interrupted: without this, giving one up would hold the transport's
  // only thread until the resolver's own time-outs have passed.
  set(CURLOPT_QUICK_EXIT, 1L);
  if (!options_.ca_bundle.empty()) set(CURLOPT_CAINFO, options_.ca_bundle.c_str());
  // OpenSSL's own order begins with AES-256, which costs 0.6 us more per 12.7 KB; servers that have
  // an order of their own, as AWS's, take AES-128 too. Not every TLS library can be told.
  (void)curl_easy_setopt(easy_, CURLOPT_TLS13_CIPHERS, kCiphersTls13);

  void* self = this;
  set(CURLOPT_READFUNCTION, &CurlTransfer::ReadBody);
  set(CURLOPT_READDATA, self);
  set(CURLOPT_SEEKFUNCTION, &CurlTransfer::SeekBody);
  set(CURLOPT_SEEKDATA, self);
  set(CURLOPT_PREREQFUNCTION, &CurlTransfer::BeforeSending);
  set(CURLOPT_PREREQDATA, self);
  set(CURLOPT_HEADERFUNCTION, &CurlTransfer::TakeHeader);
  set(CURLOPT_HEADERDATA, self);
  set(CURLOPT_WRITEFUNCTION, &CurlTransfer::TakeBody);
  set(CURLOPT_WRITEDATA, self);
  return fine;
}

Status CurlTransfer::Begin(Request request, Transport::Done done, TimePoint now) {
  request_ = std::move(request);
  done_ = std::move(done);
  detail_[0] = '\0';
  body_read_ = 0;
  reply_ = Reply();
  reply_header_bytes_ = 0;
  reply_head_whole_ = false;
  reply_too_large_ = false;
  mark_bytes_ = 0;
  mark_time_ = now;
  if (HasLineBreak(request_.url) || HasLineBreak(request_.method)) {
    return Status::InvalidArgument(Label() + ": a line break in the URL or the method");
  }
  VECLOAD_RETURN_IF_ERROR(SetHeaders());
  if (curl_easy_setopt(easy_, CURLOPT_URL, request_.url.c_str()) != CURLE_OK || !SetMethod()) {
    return Status::Internal(Label() + ": curl refused the request's options");
  }
  return Status::Ok();
}

bool CurlTransfer::SetMethod() {
  bool fine = true;
  const auto set = [&](CURLoption option, auto value) {
    fine = fine && curl_easy_setopt(easy_, option, value) == CURLE_OK;
  };
  set(CURLOPT_HTTPGET, 1L);  // clears what the last request left: POST, HEAD
  const bool is_post = request_.method == "POST";
  if (is_post || !request_.body.empty()) {
    set(CURLOPT_POST, 1L);
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
  } else if (request_.method == "HEAD") {
    set(CURLOPT_NOBODY, 1L);
  }
  const bool is_own = is_post || request_.method == "GET" || request_.method == "HEAD";
  set(CURLOPT_CUSTOMREQUEST, is_own ? static_cast<const char*>(nullptr) : request_.method.c_str());
  return fine;
}

Status CurlTransfer::SetHeaders() {
  curl_slist_free_all(header_list_);
  header_list_ = nullptr;
  bool fine = true;
  const auto append = [&](const std::string& line) {
    curl_slist* longer = curl_slist_append(header_list_, line.c_str());
    fine = fine && longer != nullptr;
    if (longer != nullptr) header_list_ = longer;
  };
  for (const auto& [name, value] : request_.headers) {
    if (name.empty() || HasLineBreak(name) || HasLineBreak(value) ||
        name.find(':') != std::string::npos) {
      return Status::InvalidArgument(Label() + ": header \"" + std::string(Trim(name)) +
                                     "\" would break the message");
    }
    std::string line = name;
    line += value.empty() ? ";" : ": ";  // curl's way to send an empty one
    line += value;
    append(line);
  }
  // What curl would add by itself, and nobody signed or asked for. Expect costs a round trip.
  for (const char* name : {"Expect", "Accept", "Content-Type"}) {
    if (FindHeader(request_.headers, name).empty()) append(std::string(name) + ":");
  }
  fine = fine && curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, header_list_) == CURLE_OK;
  return fine ? Status::Ok() : Status::Io(Label() + ": out of memory");
}

void CurlTransfer::Forget() {
  request_ = Request();
  done_ = nullptr;
}

size_t CurlTransfer::ReadBody(char* buffer, size_t size, size_t count, void* self) {
  auto* transfer = static_cast<CurlTransfer*>(self);
  const std::string_view body = transfer->request_.body;
  const size_t bytes = std::min(size * count, body.size() - transfer->body_read_);
  std::memcpy(buffer, body.data() + transfer->body_read_, bytes);
  transfer->body_read_ += bytes;
  return bytes;
}

// curl asks for this when a kept-alive connection broke and a part of the body was gone already.
// Sending again is the caller's decision, who counts and paces attempts; so say no. Where nothing
// of the body was gone, curl connects anew by itself and BeforeSending starts the body over.
int CurlTransfer::SeekBody(void*, curl_off_t, int) { return CURL_SEEKFUNC_FAIL; }

int CurlTransfer::BeforeSending(void* self, char*, char*, int, int) {
  static_cast<CurlTransfer*>(self)->body_read_ = 0;
  return CURL_PREREQFUNC_OK;
}

size_t CurlTransfer::TakeHeader(char* line, size_t size, size_t count, void* self) {
  auto* transfer = static_cast<CurlTransfer*>(self);
  transfer->reply_header_bytes_ += size * count;
  if (transfer->reply_header_bytes_ > kReplyHeaderBytesMax) {
    transfer->reply_too_large_ = true;
    return 0;
  }
  transfer->OnHeaderLine(std::string_view(line, size * count));
  return size * count;
}

void CurlTransfer::OnHeaderLine(std::string_view line) {
  line = Trim(line);
  if (line.starts_with("HTTP/")) {  // also after a 100 Continue
    reply_.headers.clear();
    reply_head_whole_ = false;
    return;
  }
  if (reply_head_whole_) return;  // a trailer
  if (line.empty()) {
    reply_head_whole_ = true;
    uint64_t length = 0;
    const std::string_view text = FindHeader(reply_.headers, "Content-Length");
    std::from_chars(text.data(), text.data() + text.size(), length);
    reply_.body.reserve(std::min<uint64_t>(length, options_.reply_bytes_max));
    return;
  }
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return;
  reply_.headers.emplace_back(Trim(line.substr(0, colon)), Trim(line.substr(colon + 1)));
}

size_t CurlTransfer::TakeBody(char* data, size_t size, size_t count, void* self) {
  auto* transfer = static_cast<CurlTransfer*>(self);
  const size_t bytes = size * count;
  if (bytes > transfer->options_.reply_bytes_max - transfer->reply_.body.size()) {
    transfer->reply_too_large_ = true;
    return 0;
  }
  transfer->reply_.body.append(data, bytes);
  return bytes;
}

bool CurlTransfer::Stalled(TimePoint now) {
  curl_off_t started_us = 0;
  curl_off_t sent = 0;
  curl_off_t received = 0;
  long head = 0;
  curl_easy_getinfo(easy_, CURLINFO_PRETRANSFER_TIME_T, &started_us);
  curl_easy_getinfo(easy_, CURLINFO_SIZE_UPLOAD_T, &sent);
  curl_easy_getinfo(easy_, CURLINFO_SIZE_DOWNLOAD_T, &received);
  curl_easy_getinfo(easy_, CURLINFO_HEADER_SIZE, &head);
  const auto bytes_expected = static_cast<curl_off_t>(Seconds(options_.stall_timeout));
  const curl_off_t bytes = sent + received + head;
  // Before the transfer's start the connect time-out rules.
  if (started_us == 0 || bytes >= mark_bytes_ + std::max<curl_off_t>(1, bytes_expected)) {
    mark_bytes_ = bytes;
    mark_time_ = now;
  }
  return now - mark_time_ >= options_.stall_timeout;
}

Result<Reply> CurlTransfer::Outcome(CURLcode code) {
  if (code != CURLE_OK) return Failure(code);
  // curl calls a reply that ends in the middle of its head a success.
  if (!reply_head_whole_) return Failure(CURLE_PARTIAL_FILE);
  long status = 0;
  curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
  reply_.status = static_cast<int>(status);
  return std::move(reply_);
}

std::string CurlTransfer::Label() const {
  return request_.method + " " + UrlForMessage(request_.url);
}

std::string CurlTransfer::SendProgress() const {
  curl_off_t sent = 0;
  curl_easy_getinfo(easy_, CURLINFO_SIZE_UPLOAD_T, &sent);
  return fmt::format("{} of {} body bytes sent", sent, request_.body.size());
}

Status CurlTransfer::StallFailure() const {
  return Status::Unavailable(
      fmt::format("{}: nothing moved for {:.3g} s ({}); gave the connection up", Label(),
                  Seconds(options_.stall_timeout), SendProgress()));
}

Status CurlTransfer::Failure(CURLcode code) const {
  switch (code) {
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_SEND_FAIL_REWIND:
    case CURLE_RECV_ERROR:
    case CURLE_PARTIAL_FILE:
      return BrokenConnection(code);
    case CURLE_WRITE_ERROR:
      if (!reply_too_large_) break;
      return Status::Corrupt(fmt::format(
          "{}: the reply is over {} bytes (or its head over {}); is this the right endpoint?",
          Label(), options_.reply_bytes_max, kReplyHeaderBytesMax));
    default:
      break;
  }
  return NoConnection(code);
}

Status CurlTransfer::BrokenConnection(CURLcode code) const {
  const std::string label = Label();
  if (reply_head_whole_ || code == CURLE_PARTIAL_FILE) {
    return Status::Unavailable(
        fmt::format("{}: the reply was cut short ({})", label, Detail(code)));
  }
  curl_off_t sent = 0;
  curl_easy_getinfo(easy_, CURLINFO_SIZE_UPLOAD_T, &sent);
  if (static_cast<size_t>(sent) < request_.body.size()) {
    return Status::Unavailable(fmt::format("{}: the connection broke while sending: {} ({})", label,
                                           Reason(code), SendProgress()));
  }
  return Status::Unavailable(
      fmt::format("{}: the connection broke before the reply: {}", label, Reason(code)));
}

Status CurlTransfer::NoConnection(CURLcode code) const {
  const std::string label = Label();
  const std::string detail = Detail(code);
  long system_error = 0;
  curl_easy_getinfo(easy_, CURLINFO_OS_ERRNO, &system_error);
  switch (code) {
    case CURLE_URL_MALFORMAT:
      return Status::InvalidArgument(
          fmt::format("{}: not a usable URL ({}); write http://HOST[:PORT] or https://HOST[:PORT]",
                      label, detail));
    case CURLE_UNSUPPORTED_PROTOCOL:
      if (request_.url.starts_with("http://") || request_.url.starts_with("https://")) {
        return Status::Unavailable(
            fmt::format("{}: the reply is not HTTP/1.1 ({})", label, detail));
      }
      return Status::InvalidArgument(
          fmt::format("{}: not a usable URL ({}); only http and https are spoken", label, detail));
    case CURLE_COULDNT_RESOLVE_HOST:
      return Status::Unavailable(fmt::format(
          "{}: no address found for the host (DNS: {}); check endpoint and region", label, detail));
    case CURLE_COULDNT_RESOLVE_PROXY:
      return Status::Unavailable(fmt::format(
          "{}: no address found for the proxy (DNS); check HTTPS_PROXY, HTTP_PROXY and NO_PROXY",
          label));
    case CURLE_COULDNT_CONNECT:
      if (system_error == ECONNREFUSED) {
        return Status::Unavailable(label + ": connection refused; nothing listens there");
      }
      return Status::Unavailable(fmt::format("{}: no connection: {}", label, Reason(code)));
    case CURLE_OPERATION_TIMEDOUT:
      return Status::Unavailable(fmt::format("{}: time-out: no connection within {:.3g} s", label,
                                             Seconds(options_.connect_timeout)));
    case CURLE_PEER_FAILED_VERIFICATION:
      return Status::Denied(fmt::format(
          "{}: the server's TLS certificate was not accepted ({}); if a private authority signed "
          "it, name that authority's PEM file in AWS_CA_BUNDLE",
          label, detail));
    case CURLE_SSL_CACERT_BADFILE:
      return Status::InvalidArgument(
          fmt::format("{}: the CA bundle \"{}\" cannot be used ({}); check AWS_CA_BUNDLE", label,
                      options_.ca_bundle, detail));
    case CURLE_SSL_CONNECT_ERROR:
      return Status::Unavailable(fmt::format("{}: TLS handshake failed ({})", label, detail));
    default:
      return Status::Unavailable(fmt::format("{}: {}", label, detail));
  }
}

std::string CurlTransfer::Detail(CURLcode code) const {
  return detail_[0] != '\0' ? detail_.data() : curl_easy_strerror(code);
}

std::string CurlTransfer::Reason(CURLcode code) const {
  long system_error = 0;
  curl_easy_getinfo(easy_, CURLINFO_OS_ERRNO, &system_error);
  if (system_error == 0) return Detail(code);
  return std::system_category().message(static_cast<int>(system_error));
}

}  // namespace vecload::http
