#!/usr/bin/env bash
# clang-format over the tracked C++ files, ruff over Python.
#
# usage: tools/format.sh [--check]    --check: change nothing, fail where something would change
set -euo pipefail
cd "$(dirname "$0")/.."

mapfile -t files < <(git ls-files --cached --others --exclude-standard -- '*.h' '*.cc' |
  xargs -r ls -d 2>/dev/null)
if [[ ${1:-} == --check ]]; then
  ((${#files[@]} == 0)) || .venv/bin/clang-format --dry-run -Werror "${files[@]}"
  .venv/bin/ruff format --check --quiet
else
  ((${#files[@]} == 0)) || .venv/bin/clang-format -i "${files[@]}"
  .venv/bin/ruff format --quiet
  .venv/bin/ruff check --fix --quiet
fi
