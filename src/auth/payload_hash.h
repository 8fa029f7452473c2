#pragma once

#include <memory>
#include <string_view>

#include "auth/sigv4.h"

namespace vecload::auth {

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

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vecload::auth
