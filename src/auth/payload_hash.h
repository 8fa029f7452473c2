#pragma once

#include <array>
#include <memory>
#include <string_view>

namespace vecload::auth {

// Lower-case hex of a SHA-256.
using PayloadHash = std::array<char, 64>;
PayloadHash Sha256Hex(std::string_view bytes);

// The digest itself, for what is compared and never shown.
using Digest = std::array<unsigned char, 32>;
Digest Sha256(std::string_view bytes);

// SHA-256 of a payload that comes in pieces: the encoder hashes each record while it is still in
// the cache. Reusable: Finish starts anew. Not thread-safe.
class PayloadHasher {
 public:
  PayloadHasher();
  ~PayloadHasher();
  PayloadHasher(const PayloadHasher&) = delete;
  PayloadHasher& operator=(const PayloadHasher&) = delete;

  void Update(std::string_view bytes);
  PayloadHash Finish();
  Digest FinishDigest();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The hex digits of a digest.
PayloadHash ToHex(const Digest& digest);

}  // namespace vecload::auth
