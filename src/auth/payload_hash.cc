#include "auth/payload_hash.h"

#include <array>

#include <openssl/evp.h>

#include "base/check.h"

namespace vecload::auth {

struct PayloadHasher::State {
  EVP_MD* digest = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~State() {
    EVP_MD_CTX_free(context);
    EVP_MD_free(digest);
  }
};

PayloadHasher::PayloadHasher() : state_(std::make_unique<State>()) {
  CHECK(EVP_DigestInit_ex2(state_->context, state_->digest, nullptr) == 1);
}

PayloadHasher::~PayloadHasher() = default;

void PayloadHasher::Update(std::string_view bytes) {
  CHECK(EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) == 1);
}

PayloadHash PayloadHasher::Finish() {
  std::array<unsigned char, 32> digest{};
  unsigned int size = 0;
  CHECK(EVP_DigestFinal_ex(state_->context, digest.data(), &size) == 1 && size == digest.size());
  CHECK(EVP_DigestInit_ex2(state_->context, state_->digest, nullptr) == 1);
  constexpr char kHex[] = "0123456789abcdef";
  PayloadHash hex;
  for (size_t i = 0; i < digest.size(); ++i) {
    hex[2 * i] = kHex[digest[i] >> 4];
    hex[2 * i + 1] = kHex[digest[i] & 15];
  }
  return hex;
}

}  // namespace vecload::auth
