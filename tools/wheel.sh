#!/usr/bin/env bash
# Makes the Python wheel in build/wheel: built with the release preset's flags (ccache knows the
# objects from there), then with every library in it that neither the system nor pyarrow has.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH=$PWD/.venv/bin:$PATH

rm -rf build/wheel
mkdir -p build/wheel/unrepaired
python -m pip wheel . --quiet --disable-pip-version-check --no-build-isolation --no-deps \
  --wheel-dir build/wheel/unrepaired
# Refuses symbols that are newer than glibc 2.34 and GCC 11's libstdc++: Amazon Linux 2023.
auditwheel repair --plat "manylinux_2_34_$(uname -m)" --strip --wheel-dir build/wheel \
  --exclude 'libarrow*.so.*' --exclude 'libparquet*.so.*' build/wheel/unrepaired/*.whl
rm -r build/wheel/unrepaired
ls -l build/wheel
