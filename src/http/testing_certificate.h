#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "base/check.h"

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
    std::string folder =
        (std::filesystem::temp_directory_path() / ("vecload-tls-" + std::string(6, 'X'))).string();
    CHECK(mkdtemp(folder.data()) != nullptr);
    folder_ = folder;
    std::ofstream(certificate()) << kCertificate;
    std::ofstream(key()) << kCertificateKey;
  }
  ~CertificateFiles() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  CertificateFiles(const CertificateFiles&) = delete;
  CertificateFiles& operator=(const CertificateFiles&) = delete;

  [[nodiscard]] std::string certificate() const { return folder_ + "/certificate.pem"; }
  [[nodiscard]] std::string key() const { return folder_ + "/key.pem"; }

 private:
  std::string folder_;
};

}  // namespace vecload::http::testing
