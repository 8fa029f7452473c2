# vecload_flags: the warnings and sanitizers that every target of ours is built with.
#
# VECLOAD_WERROR    warnings stop the build (presets dev, tsan)
# VECLOAD_SANITIZE  what goes to -fsanitize=, e.g. "address,undefined"

add_library(vecload_flags INTERFACE)
target_compile_features(vecload_flags INTERFACE cxx_std_20)
target_compile_options(vecload_flags INTERFACE
  -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wextra-semi -Wvla
  -Wimplicit-fallthrough
  # An options struct is set field by field, the rest by default: that is what it is for.
  -Wno-missing-field-initializers
  $<$<BOOL:${VECLOAD_WERROR}>:-Werror>)

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 sees overlapping copies in std::string's operator+ (GCC bug 105329).
  target_compile_options(vecload_flags INTERFACE
    $<$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>:-Wno-restrict>)
endif()

if(VECLOAD_SANITIZE)
  target_compile_options(vecload_flags INTERFACE
    -fsanitize=${VECLOAD_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(vecload_flags INTERFACE -fsanitize=${VECLOAD_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # The instrumentation hides initialisations from GCC's flow analysis; release still warns.
    target_compile_options(vecload_flags INTERFACE -Wno-maybe-uninitialized)
    if(VECLOAD_SANITIZE MATCHES "thread")
      # Asio uses atomic_thread_fence, which TSan does not model and GCC warns about.
      target_compile_options(vecload_flags INTERFACE -Wno-tsan)
    endif()
  endif()
endif()
