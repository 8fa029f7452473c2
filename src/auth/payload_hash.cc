#include "auth/payload_hash.h"

#include <openssl/evp.h>

#include "base/check.h"

namespace vecload::auth {

struct PayloadHasher::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~State() { EVP_MD_CTX_free(context); }

  void Begin() {
    // Looked up once in the program's life: a lookup by name takes a lock.
    static const EVP_MD* const kAlgorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    CHECK(EVP_DigestInit_ex2(context, kAlgorithm, nullptr) == 1);
  }
};

PayloadHasher::PayloadHasher() : state_(std::make_unique<State>()) { state_->Begin(); }

PayloadHasher::~PayloadHasher() = default;

void PayloadHasher::Update(std::string_view bytes) {
  CHECK(EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) == 1);
}

PayloadHash PayloadHasher::Finish() { return ToHex(FinishDigest()); }

Digest PayloadHasher::FinishDigest() {
  Digest digest;
  CHECK(EVP_DigestFinal_ex(state_->context, digest.data(), nullptr) == 1);
  state_->Begin();
  return digest;
}

Digest Sha256(std::string_view bytes) {
  thread_local PayloadHasher hasher;
  hasher.Update(bytes);
  return hasher.FinishDigest();
}

PayloadHash Sha256Hex(std::string_view bytes) { return ToHex(Sha256(bytes)); }

PayloadHash ToHex(const Digest& digest) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  PayloadHash hex;
  for (size_t i = 0; i < digest.size(); ++i) {
    hex[2 * i] = kDigits[digest[i] >> 4];
    hex[2 * i + 1] = kDigits[digest[i] & 15];
  }
  return hex;
}

}  // namespace vecload::auth
