#!/usr/bin/env bash
# Brings simdjson's two source files into .venv/simdjson from a PyPI source package, which carries
# them unchanged. Why not Debian's library: docs/decisions/0008-simdjson-from-source.md.
set -euo pipefail
cd "$(dirname "$0")/.."

package=pysimdjson==7.0.2 # carries simdjson 3.12.3
sha256=44cf276e48912a3b9c7ca362c14da8420a7ac15a9f1a16ec95becff86db3904a
target=.venv/simdjson

[[ $(cat "$target/sha256" 2>/dev/null || true) == "$sha256" ]] && exit 0
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# pip asks the package for its metadata, which takes setuptools and Cython (requirements-dev.txt);
# nothing of it is built or installed.
.venv/bin/python -m pip download --quiet --disable-pip-version-check --no-deps \
  --no-binary :all: --no-build-isolation --dest "$scratch" "$package"
archive=("$scratch"/*.tar.gz)
echo "$sha256  ${archive[0]}" | sha256sum --check --quiet
mkdir -p "$target"
tar --extract --gzip --file "${archive[0]}" --directory "$target" --strip-components=2 \
  --wildcards '*/simdjson/simdjson.h' '*/simdjson/simdjson.cpp'
echo "$sha256" >"$target/sha256"
