#!/usr/bin/env bash
# Runs clang-tidy with the compile commands of build/dev, on the project's own files among them.
#
# usage: tools/clang_tidy.sh all       the whole tree
#        tools/clang_tidy.sh changed   what differs from origin/main, or in a fresh clone of it what
#                                      the last day's commits changed; capped
set -euo pipefail
cd "$(dirname "$0")/.."

# A file takes 5 to 15 s on one core; this many fit the step's budget in tools/ci.sh.
changed_files_max=${CLANG_TIDY_FILES_MAX:-40}

mapfile -t known < <(python3 -c '
import json, os
for entry in json.load(open("build/dev/compile_commands.json")):
    print(os.path.relpath(entry["file"]))' | grep -E '^(src|tests|fuzz|bench)/' | sort -u)

files=("${known[@]}")
if [[ ${1:-changed} == changed ]]; then
  base=$(git merge-base HEAD origin/main 2>/dev/null || true)
  if [[ -z $base || $base == $(git rev-parse HEAD) ]]; then
    base=$(git rev-list -1 --before='24 hours ago' HEAD)
    base=${base:-$(git hash-object -t tree /dev/null)}
  fi
  # A header is checked through the .cc beside it, or its test.
  mapfile -t wanted < <(git diff --name-only --diff-filter=d "$base" -- '*.cc' '*.h' |
    sed -E 's/\.h$/.cc/; p; s/\.cc$/_test.cc/' | sort -u)
  mapfile -t files < <(comm -12 <(printf '%s\n' "${known[@]}") <(printf '%s\n' "${wanted[@]}"))
  if ((${#files[@]} > changed_files_max)); then
    echo "clang-tidy: $changed_files_max of ${#files[@]} changed files; make check does them all"
    # Another choice each time, so that all of them come up in the end.
    mapfile -t files < <(printf '%s\n' "${files[@]}" | shuf -n "$changed_files_max")
  fi
fi
[[ -z ${files[0]:-} ]] && { echo "clang-tidy: nothing changed"; exit 0; }

printf '%s\0' "${files[@]}" |
  xargs -0 -n 1 -P "${JOBS:-$(nproc)}" .venv/bin/clang-tidy --quiet -p build/dev 2> >(
    grep -vE '^[0-9]+ warnings? generated|^Suppressed|^Use -header-filter' >&2 || true)
echo "clang-tidy: ${#files[@]} files clean"
