#!/usr/bin/env bash
# The float writer on Arm: built by Debian's cross compiler for NEON alone, run in an emulator over
# one array of bit patterns in 97. Highway's own library is not needed, since one instruction set
# leaves nothing to choose.
set -euo pipefail
cd "$(dirname "$0")/.."

googletest=/usr/src/googletest/googletest
build=build/arm
mkdir -p "$build"
aarch64-linux-gnu-g++ -std=c++20 -O2 -static -DHWY_COMPILE_ONLY_STATIC \
  -Isrc -Iinclude -idirafter /usr/include -I"$googletest" -I"$googletest/include" \
  src/wire/float_list.cc src/wire/float_text.cc tests/exhaustive/float_text_test.cc \
  "$googletest/src/gtest-all.cc" "$googletest/src/gtest_main.cc" -o "$build/float_text"
FLOAT_TEXT_STRIDE=${FLOAT_TEXT_STRIDE:-97} qemu-aarch64-static "$build/float_text"
