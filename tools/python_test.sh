#!/usr/bin/env bash
# Installs build/wheel's wheel into an environment of its own (build/python-venv), where nothing of
# the source tree is, and runs python/tests there.
#
# usage: tools/python_test.sh [pytest arguments]
set -euo pipefail
cd "$(dirname "$0")/.."

venv=build/python-venv
if ! cmp -s python/tests/requirements.txt "$venv/requirements.txt"; then
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    -r python/tests/requirements.txt
  cp python/tests/requirements.txt "$venv/requirements.txt"
fi
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --force-reinstall \
  build/wheel/*.whl
"$venv/bin/python" -m pip check --disable-pip-version-check
"$venv/bin/python" -m pytest python/tests -n "${JOBS:-2}" "$@"
