#!/usr/bin/env bash
# Makes a fresh Debian 12 able to build and test: packages that are missing, and .venv.
# Safe to run again; does nothing where nothing is missing. The Makefile calls it.
#
# usage: tools/bootstrap.sh [fuzz|arm|engines|dashboard]    fuzz: also clang with libFuzzer, which
#     only `make fuzz` needs; arm: also what `make arm` needs; engines: also Java, which Spark
#     needs; dashboard: also Chromium, which its tests drive, and promtool, which checks metrics
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(
  g++ cmake ninja-build ccache git ca-certificates
  libssl-dev libcurl4-openssl-dev libboost1.81-dev libsqlite3-dev
  libfmt-dev libspdlog-dev libcli11-dev libhwy-dev libxxhash-dev prometheus-cpp-dev
  groff-base tmux
  libgtest-dev libgmock-dev librapidcheck-dev libbenchmark-dev
)
[[ ${1:-} == fuzz ]] && packages+=(clang-19 libclang-rt-19-dev)
[[ ${1:-} == arm ]] && packages+=(g++-aarch64-linux-gnu qemu-user-static googletest)
[[ ${1:-} == engines ]] && packages+=(openjdk-17-jre-headless procps)
[[ ${1:-} == dashboard ]] && packages+=(chromium fonts-dejavu-core prometheus)
python3 -c 'import ensurepip, venv' 2>/dev/null || packages+=(python3 python3-venv)
python3 -c 'import os, sysconfig; os.stat(sysconfig.get_path("include") + "/Python.h")' \
  2>/dev/null || packages+=(python3-dev)

missing=()
for package in "${packages[@]}"; do
  state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [[ $state == installed ]] || missing+=("$package")
done
if ((${#missing[@]})); then
  echo "bootstrap: installing ${missing[*]}"
  root=()
  if [[ $(id -u) != 0 ]]; then
    if ! command -v sudo >/dev/null; then
      echo "bootstrap: as root, run: apt-get update && apt-get install ${missing[*]}" >&2
      exit 1
    fi
    root=(sudo)
  fi
  "${root[@]}" apt-get update -qq
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}"
fi

if ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
  echo "bootstrap: python3 is $(python3 --version); 3.11 or later is needed" >&2
  exit 1
fi
[[ -x .venv/bin/python ]] || python3 -m venv .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
tools/fetch_simdjson.sh
