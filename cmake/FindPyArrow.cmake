# Arrow C++ from the pyarrow wheel, which ships both headers and libraries.
#
# Linked by full path with an rpath to the wheel, so that a Python process that has pyarrow
# loaded and the vecload extension beside it share one libarrow.
#
# Input:  VECLOAD_PYARROW, the wheel's folder; by default the one in .venv
# libparquet exports the 900 symbols of an OpenSSL of its own. Whatever is linked before it wins for
# the whole process, Debian's libssl and libcurl included, whose structures are of another version:
# so our OpenSSL stands first on the link line (tests/e2e/one_openssl_test.py).
#
# Output: Arrow::arrow, Arrow::parquet, Arrow::s3

if(NOT VECLOAD_PYARROW)
  file(GLOB _pyarrow_candidates "${PROJECT_SOURCE_DIR}/.venv/lib/python3*/site-packages/pyarrow")
  list(POP_FRONT _pyarrow_candidates _pyarrow_found)
  set(VECLOAD_PYARROW "${_pyarrow_found}" CACHE PATH "The pyarrow wheel's folder" FORCE)
endif()

file(GLOB _pyarrow_library "${VECLOAD_PYARROW}/libarrow.so.*")
string(REGEX MATCH "[0-9]+$" _pyarrow_so_version "${_pyarrow_library}")
set(PyArrow_VERSION "")
if(EXISTS "${VECLOAD_PYARROW}/include/arrow/util/config.h")
  file(STRINGS "${VECLOAD_PYARROW}/include/arrow/util/config.h" _pyarrow_line
       REGEX "define ARROW_VERSION_STRING")
  string(REGEX MATCH "[0-9]+\\.[0-9]+\\.[0-9]+" PyArrow_VERSION "${_pyarrow_line}")
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(PyArrow
  REQUIRED_VARS _pyarrow_library VECLOAD_PYARROW
  VERSION_VAR PyArrow_VERSION
  REASON_FAILURE_MESSAGE "run tools/bootstrap.sh, or set -DVECLOAD_PYARROW=<pyarrow folder>")

if(PyArrow_FOUND AND NOT TARGET Arrow::arrow)
  foreach(_pyarrow_part arrow parquet arrow_s3)
    string(REPLACE "arrow_" "" _pyarrow_target "${_pyarrow_part}")
    set(_pyarrow_file "${VECLOAD_PYARROW}/lib${_pyarrow_part}.so.${_pyarrow_so_version}")
    if(NOT EXISTS "${_pyarrow_file}")
      message(FATAL_ERROR "The pyarrow wheel has no ${_pyarrow_file}")
    endif()
    add_library(Arrow::${_pyarrow_target} SHARED IMPORTED)
    set_target_properties(Arrow::${_pyarrow_target} PROPERTIES
      IMPORTED_LOCATION "${_pyarrow_file}"
      INTERFACE_INCLUDE_DIRECTORIES "${VECLOAD_PYARROW}/include")
  endforeach()
  set_property(TARGET Arrow::parquet Arrow::s3 PROPERTY INTERFACE_LINK_LIBRARIES Arrow::arrow)
  find_package(OpenSSL 3 REQUIRED)
  set(_pyarrow_openssl "${OPENSSL_SSL_LIBRARY},${OPENSSL_CRYPTO_LIBRARY}")
  set_property(TARGET Arrow::parquet PROPERTY INTERFACE_LINK_OPTIONS
    "LINKER:--push-state,--no-as-needed,${_pyarrow_openssl},--pop-state")
endif()
