#!/usr/bin/env bash
# Installs build/wheel's wheel into an environment of its own (build/python-venv), where nothing of
# the source tree is, and runs python/tests there. The sinks of Spark and Ray have theirs
# (build/engines-venv), and so have table formats (build/lakes-venv): each is larger than all the
# rest.
#
# usage: tools/python_test.sh python|engines|lakes [pytest arguments]
set -euo pipefail
cd "$(dirname "$0")/.."

case ${1:-} in
  python) tests=python/tests options=(-n "${JOBS:-2}" --ignore=python/tests/{engines,lakes}) ;;
  lakes) tests=python/tests/lakes options=(-n "${JOBS:-2}") ;;
  # One cluster at a time, each of which takes a while to start.
  engines) tests=python/tests/engines options=(-o timeout=300) ;;
  *) sed -n 's/^# usage: /usage: /p' "$0" >&2; exit 2 ;;
esac
venv=build/$1-venv
shift
if ! cmp -s $tests/requirements.txt "$venv/requirements.txt"; then
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    -r $tests/requirements.txt
  cp $tests/requirements.txt "$venv/requirements.txt"
fi
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --force-reinstall \
  build/wheel/*.whl
"$venv/bin/python" -m pip check --disable-pip-version-check
"$venv/bin/python" -m pytest $tests "${options[@]}" "$@"
