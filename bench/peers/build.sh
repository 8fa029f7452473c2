#!/usr/bin/env bash
# Builds the peers of bench/speed.py into build/bench/peers, each where its language's tools are
# installed; versions are in Cargo.lock and go.sum.
set -euo pipefail
cd "$(dirname "$0")/../.."

built=$PWD/build/bench/peers
mkdir -p "$built"
if command -v cargo >/dev/null; then
  CARGO_TARGET_DIR=$built/rust cargo build --release --locked --quiet \
    --manifest-path bench/peers/rust/Cargo.toml
else
  echo "bench: no cargo here; the Rust SDK is left out" >&2
fi
if command -v go >/dev/null; then
  go build -C bench/peers/go -o "$built/go/peer" .
else
  echo "bench: no go here; the Go SDK is left out" >&2
fi
