#pragma once

#include <array>
#include <memory>
#include <string>

#include <curl/curl.h>

#include "base/clock.h"
#include "http/transport.h"

namespace vecload::http {

// One request under way on a curl handle, and the handle's further use for the next one: a handle
// keeps its upload buffer, which is worth keeping. Used on the transport's thread only.
class CurlTransfer {
 public:
  // Null when curl is out of memory.
  static std::unique_ptr<CurlTransfer> Make(const CurlOptions& options);
  ~CurlTransfer();
  CurlTransfer(const CurlTransfer&) = delete;
  CurlTransfer& operator=(const CurlTransfer&) = delete;

  // Prepares the handle for `request`. kInvalidArgument: a header that would break the message.
  Status Begin(Request request, Transport::Done done, TimePoint now);
  // What came of it, given curl's verdict. Clears the reply.
  Result<Reply> Outcome(CURLcode code);
  // The same for a transfer that Stalled() found.
  [[nodiscard]] Status StallFailure() const;
  // True when fewer than 1 byte/s went either way since stall_timeout; call it now and then.
  bool Stalled(TimePoint now);
  // Gives the callback back; the request stays until the next Begin or Forget.
  Transport::Done TakeDone() { return std::move(done_); }
  void Forget();

  [[nodiscard]] CURL* easy() const { return easy_; }
  size_t position = 0;  // where the transport's list of active transfers has it

 private:
  explicit CurlTransfer(const CurlOptions& options) : options_(options) {}
  bool SetFixedOptions();
  bool SetMethod();
  Status SetHeaders();
  void OnHeaderLine(std::string_view line);
  [[nodiscard]] std::string Label() const;
  [[nodiscard]] Status Failure(CURLcode code) const;
  [[nodiscard]] Status BrokenConnection(CURLcode code) const;
  [[nodiscard]] Status NoConnection(CURLcode code) const;
  [[nodiscard]] std::string Detail(CURLcode code) const;  // curl's words
  [[nodiscard]] std::string Reason(CURLcode code) const;  // the system's, where it has some
  [[nodiscard]] std::string SendProgress() const;

  static size_t ReadBody(char* buffer, size_t size, size_t count, void* self);
  static int SeekBody(void* self, curl_off_t offset, int origin);
  static int BeforeSending(void* self, char*, char*, int, int);
  static size_t TakeHeader(char* line, size_t size, size_t count, void* self);
  static size_t TakeBody(char* data, size_t size, size_t count, void* self);

  const CurlOptions options_;
  CURL* easy_ = nullptr;
  curl_slist* header_list_ = nullptr;
  std::array<char, CURL_ERROR_SIZE> detail_{};

  Request request_;
  Transport::Done done_;
  size_t body_read_ = 0;
  Reply reply_;
  size_t reply_header_bytes_ = 0;
  bool reply_head_whole_ = false;
  bool reply_too_large_ = false;
  curl_off_t mark_bytes_ = 0;
  TimePoint mark_time_{};
};

}  // namespace vecload::http
