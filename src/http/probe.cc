#include "http/probe.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <memory>
#include <string_view>

#include <curl/curl.h>
#include <fmt/format.h>

namespace vecload::http {
namespace {

constexpr std::string_view kTlsLine = "SSL connection using ";
// Of an answer's body nothing is of interest; one that never ends is cut off.
constexpr size_t kBodyBytesMax = 64 << 10;

std::string_view Trim(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

bool StartsWith(std::string_view text, std::string_view prefix) {
  const auto lower = [](unsigned char c) { return std::tolower(c); };
  return text.size() >= prefix.size() &&
         std::ranges::equal(text.substr(0, prefix.size()), prefix, {}, lower, lower);
}

struct Collected {
  Probe* probe = nullptr;
  size_t body_bytes = 0;
  bool began_tls = false;  // so there is a connection: curl has no time of it before TLS is done
};

// curl tells the protocol and the cipher nowhere else.
int TakeDebug(CURL*, curl_infotype type, char* data, size_t size, void* out) {
  const std::string_view text(data, size);
  if (type == CURLINFO_SSL_DATA_OUT) static_cast<Collected*>(out)->began_tls = true;
  if (type == CURLINFO_TEXT && text.starts_with(kTlsLine)) {
    static_cast<Collected*>(out)->probe->tls = Trim(text.substr(kTlsLine.size()));
  }
  return 0;
}

size_t TakeHeader(char* line, size_t size, size_t count, void* out) {
  const std::string_view text(line, size * count);
  constexpr std::string_view kDate = "date:";
  if (StartsWith(text, kDate)) {
    static_cast<Collected*>(out)->probe->date = Trim(text.substr(kDate.size()));
  }
  return size * count;
}

size_t TakeBody(char*, size_t size, size_t count, void* out) {
  auto* collected = static_cast<Collected*>(out);
  collected->body_bytes += size * count;
  return collected->body_bytes > kBodyBytesMax ? 0 : size * count;
}

double TimeOf(CURL* easy, CURLINFO info) {
  double seconds = 0;
  curl_easy_getinfo(easy, info, &seconds);
  return seconds;
}

// Where a transfer that failed stood: each stage that was passed has its time.
Probe::Stage StageOf(CURL* easy, CURLcode code, bool began_tls) {
  if (code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_RESOLVE_PROXY) {
    return Probe::Stage::kName;
  }
  if (code == CURLE_COULDNT_CONNECT) return Probe::Stage::kConnect;
  if (TimeOf(easy, CURLINFO_NAMELOOKUP_TIME) == 0) return Probe::Stage::kName;
  if (began_tls && TimeOf(easy, CURLINFO_APPCONNECT_TIME) == 0) return Probe::Stage::kTls;
  if (TimeOf(easy, CURLINFO_CONNECT_TIME) == 0) return Probe::Stage::kConnect;
  return Probe::Stage::kAnswer;
}

void TakeCertificate(CURL* easy, Probe* probe) {
  curl_certinfo* chain = nullptr;
  if (curl_easy_getinfo(easy, CURLINFO_CERTINFO, &chain) != CURLE_OK || chain == nullptr ||
      chain->num_of_certs == 0) {
    return;
  }
  // The first one is the server's own.
  for (const curl_slist* entry = chain->certinfo[0]; entry != nullptr; entry = entry->next) {
    const std::string_view text(entry->data);
    const auto take = [&](std::string_view name, std::string* out) {
      if (text.starts_with(name)) *out = text.substr(name.size());
    };
    take("Subject:", &probe->certificate_subject);
    take("Issuer:", &probe->certificate_issuer);
    take("Expire date:", &probe->certificate_expires);
  }
}

void TakeAddress(CURL* easy, Probe* probe) {
  const char* address = nullptr;
  long port = 0;
  if (curl_easy_getinfo(easy, CURLINFO_PRIMARY_IP, &address) != CURLE_OK || address == nullptr ||
      *address == '\0' || curl_easy_getinfo(easy, CURLINFO_PRIMARY_PORT, &port) != CURLE_OK) {
    return;
  }
  probe->address = fmt::format("{} port {}", address, port);
}

bool SetOptions(CURL* easy, const ProbeOptions& options, Collected* collected) {
  bool fine = true;
  const auto set = [&](CURLoption option, auto value) {
    fine = fine && curl_easy_setopt(easy, option, value) == CURLE_OK;
  };
  const auto timeout = std::chrono::ceil<std::chrono::milliseconds>(options.timeout).count();
  set(CURLOPT_URL, options.url.c_str());
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_QUICK_EXIT, 1L);  // a name look-up cannot be interrupted, only left behind
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(timeout));
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set(CURLOPT_CERTINFO, 1L);
  set(CURLOPT_VERBOSE, 1L);
  set(CURLOPT_DEBUGFUNCTION, &TakeDebug);
  set(CURLOPT_DEBUGDATA, collected);
  set(CURLOPT_HEADERFUNCTION, &TakeHeader);
  set(CURLOPT_HEADERDATA, collected);
  set(CURLOPT_WRITEFUNCTION, &TakeBody);
  set(CURLOPT_WRITEDATA, collected);
  if (!options.ca_bundle.empty()) set(CURLOPT_CAINFO, options.ca_bundle.c_str());
  return fine;
}

}  // namespace

Probe ProbeServer(const ProbeOptions& options) {
  Probe probe;
  Collected collected{.probe = &probe};
  curl_global_init(CURL_GLOBAL_DEFAULT);
  const std::unique_ptr<CURL, void (*)(CURL*)> easy(curl_easy_init(), &curl_easy_cleanup);
  if (easy == nullptr || !SetOptions(easy.get(), options, &collected)) {
    probe.failure = "curl refused the request's options";
    return probe;
  }
  std::array<char, CURL_ERROR_SIZE> detail{};
  curl_easy_setopt(easy.get(), CURLOPT_ERRORBUFFER, detail.data());
  const CURLcode code = curl_easy_perform(easy.get());
  TakeAddress(easy.get(), &probe);
  TakeCertificate(easy.get(), &probe);
  long status = 0;
  curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &status);
  probe.http_status = static_cast<int>(status);
  // A head is an answer, whatever became of its body.
  if (code == CURLE_OK || (status > 0 && code == CURLE_WRITE_ERROR)) {
    probe.reached = Probe::Stage::kDone;
    probe.latency = FromSeconds(TimeOf(easy.get(), CURLINFO_STARTTRANSFER_TIME) -
                                TimeOf(easy.get(), CURLINFO_PRETRANSFER_TIME));
    return probe;
  }
  probe.reached = StageOf(easy.get(), code, collected.began_tls);
  probe.is_certificate = code == CURLE_PEER_FAILED_VERIFICATION;
  probe.failure = detail[0] != '\0' ? detail.data() : curl_easy_strerror(code);
  return probe;
}

}  // namespace vecload::http
