#!/usr/bin/env bash
# All that must hold before a change goes in: `make ci`. Each step has a budget on two cores with
# a warm ccache, 40 minutes in all; its time is printed beside it. A failed step does not hide
# the ones after it.
set -uo pipefail
cd "$(dirname "$0")/.."

logs=build/ci
mkdir -p "$logs"
failed=0
total_s=0
table=""

step() { # step <name> <budget in s> <command...>
  local name=$1 budget_s=$2 begin=$SECONDS verdict=ok
  shift 2
  printf '\n== %s (budget %d s): %s\n' "$name" "$budget_s" "$*"
  if ! "$@" 2>&1 | tee "$logs/$name.log"; then
    verdict=FAILED
    failed=1
  fi
  local took_s=$((SECONDS - begin))
  total_s=$((total_s + took_s))
  if ((took_s > budget_s)); then verdict+=", over its budget"; fi
  printf '== %s: %d s of %d s: %s\n' "$name" "$took_s" "$budget_s" "$verdict"
  table+=$(printf '%-12s %5d s of %5d s  %s' "$name" "$took_s" "$budget_s" "$verdict")$'\n'
}

step lint        60 make --no-print-directory lint
step test       660 make --no-print-directory test
step python     240 make --no-print-directory python-test
step engines    240 make --no-print-directory engines-test
step docs        90 make --no-print-directory docs-test
step dashboard   90 make --no-print-directory dashboard-test
step sim-long   180 ctest --preset release --label-regex '^long$'
# Those that `make test` left out.
step conformance 120 make --no-print-directory conformance PYTEST="-m slow"
step asan       780 make --no-print-directory asan
step fuzz-replay 60 ctest --preset dev --label-regex fuzz --no-tests=ignore
step tsan       480 make --no-print-directory tsan
step clang-tidy 360 tools/clang_tidy.sh changed

printf '\n%s%-12s %5d s of  2400 s\n\n' "$table" total "$total_s"
# The closing lines of the test runs, those of `make test` last.
for name in asan tsan engines dashboard python test; do
  printf '%s: ' "$name"
  grep -hE 'tests passed, .* out of|^=+ .*(passed|failed|error).* in ' "$logs/$name.log" |
    tr '\n' ' '
  echo
done
exit "$failed"
