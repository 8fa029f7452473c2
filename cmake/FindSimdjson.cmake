# simdjson::simdjson, compiled from .venv/simdjson (tools/fetch_simdjson.sh) into a namespace of its
# own: libparquet exports another version's symbols, which would be taken for ours at run time
# (docs/decisions/0008-simdjson-from-source.md).
set(VECLOAD_SIMDJSON ${PROJECT_SOURCE_DIR}/.venv/simdjson CACHE PATH "Folder of simdjson.{h,cpp}")
find_path(Simdjson_INCLUDE_DIR simdjson.h PATHS ${VECLOAD_SIMDJSON} NO_DEFAULT_PATH)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Simdjson REQUIRED_VARS Simdjson_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "run tools/bootstrap.sh")
add_library(vecload_simdjson STATIC ${VECLOAD_SIMDJSON}/simdjson.cpp)
# Foreign code: fast in every preset, and without our warnings.
target_compile_options(vecload_simdjson PRIVATE -O2 -w)
target_compile_definitions(vecload_simdjson PUBLIC simdjson=vecload_simdjson)
target_include_directories(vecload_simdjson SYSTEM PUBLIC ${VECLOAD_SIMDJSON})
add_library(simdjson::simdjson ALIAS vecload_simdjson)
