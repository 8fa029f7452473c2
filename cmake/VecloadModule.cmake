# The house rules of src/: which module may see which, and how a module is declared.
#
# These two tables are the only copy. CMake enforces them on what is linked (below), and
# tools/tidy.py reads this file and enforces them on what is included, so keep the form:
# one `set(VECLOAD_RANK_<n> ...)` a rank, one quoted row a library.

# A module may use modules of a strictly lower rank. include/vecload/ is below all of them.
set(VECLOAD_RANK_0 base)
set(VECLOAD_RANK_1 wire auth http pace sqlite search observe)
set(VECLOAD_RANK_2 client source journal store)
set(VECLOAD_RANK_3 load audit doctor server)
set(VECLOAD_RANK_4 cli)

# A foreign library stays inside the modules named in its row, so that replacing it means
# reading those modules and no others. A library without a row (fmt, spdlog) is open to all.
# OpenSSL has two: its cryptography is auth's, and its TLS serves Boost.Asio's streams in http,
# which includes nothing of OpenSSL by itself.
#   "library | what its #includes start with | its CMake targets | modules that may use it"
set(VECLOAD_FOREIGN
  "arrow      | arrow/              | Arrow::arrow                    | source auth"
  "parquet    | parquet/            | Arrow::parquet                  | source"
  "arrow_s3   | arrow/filesystem/s3 | Arrow::s3                       | source auth"
  "simdjson   | simdjson            | simdjson::simdjson              | wire"
  "openssl    | openssl/            | OpenSSL::Crypto                 | auth"
  "asio_tls   | boost/asio/ssl      | OpenSSL::SSL                    | http"
  "curl       | curl/               | CURL::libcurl                   | http"
  "boost      | boost/              | Boost::headers                  | http"
  "sqlite     | sqlite3             | SQLite::SQLite3                 | sqlite journal store"
  "cli11      | CLI/                | CLI11::CLI11                    | cli"
  "highway    | hwy/                | hwy::hwy                        | search wire"
  "xxhash     | xxhash              | xxHash::xxhash                  | client audit"
  "prometheus | prometheus/         | prometheus-cpp::core            | observe"
)

# _vecload_rank(<out> <module>): the module's rank, or an error that says what to do.
function(_vecload_rank out module)
  foreach(rank RANGE 4)
    if(module IN_LIST VECLOAD_RANK_${rank})
      set(${out} ${rank} PARENT_SCOPE)
      return()
    endif()
  endforeach()
  message(FATAL_ERROR "Module '${module}' has no rank. A new module needs a decision record "
                      "in docs/decisions/ and a place in cmake/VecloadModule.cmake.")
endfunction()

# _vecload_check_library(<module> <target>): stop if the library belongs to other modules.
function(_vecload_check_library module target)
  foreach(row IN LISTS VECLOAD_FOREIGN)
    string(REPLACE "|" ";" columns "${row}")
    list(GET columns 2 targets)
    list(GET columns 3 modules)
    separate_arguments(targets)
    separate_arguments(modules)
    if(target IN_LIST targets AND NOT module IN_LIST modules)
      message(FATAL_ERROR "Module '${module}' may not link ${target}: it belongs to ${modules}.")
    endif()
  endforeach()
endfunction()

# vecload_test(<target> SOURCES ... [LIBRARIES ...] [LABELS ...])
# One GoogleTest executable; each of its TESTs is a ctest of its own.
function(vecload_test target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LIBRARIES;LABELS")
  add_executable(${target} ${arg_SOURCES})
  target_link_libraries(${target} PRIVATE
    ${arg_LIBRARIES} GTest::gmock_main rapidcheck vecload_flags)
  gtest_discover_tests(${target}
    TEST_PREFIX "${target}."
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
    DISCOVERY_TIMEOUT 120
    PROPERTIES LABELS "${arg_LABELS}" TIMEOUT 120)
endfunction()

# vecload_module(<name> [DEPENDS <module>...] [LIBRARIES <imported target>...])
#
# Declares src/<name>: the static library vecload_<name> from its *.cc, and the executable
# <name>_test from its *_test.cc. main.cc, where there is one, is left to vecload_program().
function(vecload_module name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "DEPENDS;LIBRARIES")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "vecload_module(${name}): what is '${arg_UNPARSED_ARGUMENTS}'?")
  endif()
  _vecload_rank(rank ${name})
  foreach(dependency IN LISTS arg_DEPENDS)
    _vecload_rank(dependency_rank ${dependency})
    if(NOT dependency_rank LESS rank)
      message(FATAL_ERROR "Module '${name}' (rank ${rank}) may not depend on '${dependency}' "
                          "(rank ${dependency_rank}): only on strictly lower ranks.")
    endif()
    if(NOT TARGET vecload_${dependency})
      message(FATAL_ERROR "Module '${name}' depends on '${dependency}', but "
                          "src/${dependency}/CMakeLists.txt does not exist.")
    endif()
  endforeach()
  foreach(library IN LISTS arg_LIBRARIES)
    _vecload_check_library(${name} ${library})
  endforeach()

  file(GLOB sources CONFIGURE_DEPENDS "*.cc")
  file(GLOB headers CONFIGURE_DEPENDS "*.h")
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER sources EXCLUDE REGEX "(_test|/main)\\.cc$")

  if(sources)
    add_library(vecload_${name} STATIC ${sources} ${headers})
    set(scope PUBLIC)
    target_link_libraries(vecload_${name} PRIVATE vecload_flags)
  else()
    add_library(vecload_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(vecload_${name} ${scope}
    ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)
  list(TRANSFORM arg_DEPENDS PREPEND vecload_)
  target_link_libraries(vecload_${name} ${scope} ${arg_DEPENDS} ${arg_LIBRARIES})
  set_property(GLOBAL APPEND PROPERTY VECLOAD_MODULES vecload_${name})

  if(tests AND VECLOAD_TESTS)
    vecload_test(${name}_test SOURCES ${tests} LIBRARIES vecload_${name} LABELS fast unit)
  endif()
endfunction()

# vecload_program(<name> <module>): the executable <name> from the module's main.cc.
function(vecload_program name module)
  add_executable(${name} main.cc)
  target_link_libraries(${name} PRIVATE vecload_${module} vecload_flags)
  install(TARGETS ${name} RUNTIME)
endfunction()
