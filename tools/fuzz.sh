#!/usr/bin/env bash
# Runs every fuzzer of the fuzz preset for FUZZ_SECONDS, from the stored corpus.
# New inputs go to build/fuzz/corpus/<name>; move the telling ones to fuzz/corpus/<name>.
set -euo pipefail
cd "$(dirname "$0")/.."

shopt -s nullglob
fuzzers=(build/fuzz/*_fuzz)
if ((${#fuzzers[@]} == 0)); then
  echo "fuzz: no fuzzers were built" >&2
  exit 1
fi
for fuzzer in "${fuzzers[@]}"; do
  name=$(basename "$fuzzer" _fuzz)
  found=build/fuzz/corpus/$name
  mkdir -p "$found" build/fuzz/artifacts
  options=(-max_total_time="${FUZZ_SECONDS:-60}" -timeout=10 -rss_limit_mb=2048
           -artifact_prefix="build/fuzz/artifacts/$name-" -print_final_stats=1)
  [[ -f fuzz/$name.dict ]] && options+=(-dict="fuzz/$name.dict")
  echo "== fuzz $name, ${FUZZ_SECONDS:-60} s"
  stored=()
  [[ -d fuzz/corpus/$name ]] && stored=("fuzz/corpus/$name")
  log=build/fuzz/$name.log
  if ! "$fuzzer" "${options[@]}" "$found" "${stored[@]}" >"$log" 2>&1; then
    tail -n 60 "$log"
    echo "fuzz: $name failed; the input is in build/fuzz/artifacts/" >&2
    exit 1
  fi
  grep -E '^Done|stat::(number_of_executed_units|new_units_added)' "$log"
done
