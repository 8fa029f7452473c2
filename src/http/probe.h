#pragma once

#include <string>

#include "base/clock.h"

namespace vecload::http {

struct ProbeOptions {
  std::string url;        // whole
  std::string ca_bundle;  // empty: the system's
  Duration timeout = std::chrono::seconds(5);
};

// What one GET found on its way to a server, as far as it came.
struct Probe {
  enum class Stage { kName, kConnect, kTls, kAnswer, kDone };
  Stage reached = Stage::kName;  // the one that failed, or kDone
  std::string failure;           // of that stage, in curl's words; empty with kDone
  bool is_certificate = false;   // kTls failed since the server's certificate was not accepted

  std::string address;  // "127.0.0.1 port 443"
  std::string tls;      // "TLSv1.3 / TLS_AES_128_GCM_SHA256"; empty without TLS
  std::string certificate_subject;
  std::string certificate_issuer;
  std::string certificate_expires;
  int http_status = 0;
  std::string date;    // the reply's header
  Duration latency{};  // of the answer, from the request's end
};

// Asks the server for `url` unsigned and tells what came of it: any answer will do. Follows the
// proxy of the usual environment variables, as all requests do. Blocks for `timeout` at most.
Probe ProbeServer(const ProbeOptions& options);

}  // namespace vecload::http
