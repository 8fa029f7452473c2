# Makes the C++ file that holds the page and its policy: cmake -D page=... -D out=... -P embed.cmake

file(READ ${page} html)
string(REGEX MATCH "http-equiv=\"Content-Security-Policy\" content=\"([^\"]+)\"" _ "${html}")
set(policy "${CMAKE_MATCH_1}")
if(policy STREQUAL "")
  message(FATAL_ERROR "${page} has no policy")
endif()
string(FIND "${html}" ")vecload_page\"" end)
if(NOT end EQUAL -1)
  message(FATAL_ERROR "${page} holds the end of the literal that is to hold it")
endif()
file(WRITE ${out} "// Made by dashboard/embed.cmake.
#include \"dashboard/page.h\"

namespace vecload::dashboard {

std::string_view PageHtml() { return R\"vecload_page(${html})vecload_page\"; }

std::string_view PagePolicy() { return \"${policy}; frame-ancestors 'none'\"; }

}  // namespace vecload::dashboard
")
