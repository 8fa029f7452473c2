// Goal: prove that the ASan preset catches a heap overflow. Method: read one byte past a
// buffer; the ctest asan_works passes only if AddressSanitizer reports it.

#include <memory>

int main(int argc, char**) {
  const auto size = static_cast<std::size_t>(argc) + 15;  // Not known to the compiler.
  const auto buffer = std::make_unique<char[]>(size);
  const volatile char* bytes = buffer.get();
  return bytes[size];
}
