#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "base/check.h"
#include "base/testing_folder.h"

// A self-signed certificate for localhost and 127.0.0.1, for tests: the key is no secret. Made by
//   openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500
//     -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1
namespace vecload::http::testing {

inline constexpr char kCertificate[] = R"(-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUeqYHVT6+zU1Habh1QpMjasYBPA4wCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyNTAzMTkyMFoYDzIxMjYxMTAx
MDMxOTIwWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAT5JkVe0OGt6XjjkqqnqN1zo2OKzyfX2/44WUEQ0xANiVvGWBUgAxd0
sPPBOcEdpwskJ6SpmO8BIiFQLoFkS6Vco28wbTAdBgNVHQ4EFgQUpSMPAqkS+qxf
lE6FaK2KCpP9HgcwHwYDVR0jBBgwFoAUpSMPAqkS+qxflE6FaK2KCpP9HgcwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSAAwRQIgT1Jq5MQRiKCIdY/+FBoA1gti7e7KuxpMbFze2IHHsJECIQCD
hn9T35Z3WhX4txpNV4Fe5Hfhc2H3f/O5k4lP8BShtA==
-----END CERTIFICATE-----
)";

inline constexpr char kCertificateKey[] = R"(-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgQNMkrzG5X0zNaSVK
IsvM17N59+upmfEEtAldM6y+sguhRANCAAT5JkVe0OGt6XjjkqqnqN1zo2OKzyfX
2/44WUEQ0xANiVvGWBUgAxd0sPPBOcEdpwskJ6SpmO8BIiFQLoFkS6Vc
-----END PRIVATE KEY-----
)";

// Both as files, for as long as it lives.
class CertificateFiles {
 public:
  CertificateFiles() {
    std::ofstream(certificate()) << kCertificate;
    std::ofstream(key()) << kCertificateKey;
  }

  [[nodiscard]] std::string certificate() const { return folder_.path() + "/certificate.pem"; }
  [[nodiscard]] std::string key() const { return folder_.path() + "/key.pem"; }

 private:
  TestingFolder folder_;
};

}  // namespace vecload::http::testing
