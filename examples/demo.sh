#!/usr/bin/env bash
# The tour that `make demo` gives: real embeddings into a local S3 Vectors server, their neighbours,
# then a hundred thousand vectors at full speed. Needs no AWS account, touches none of your AWS
# settings, and leaves nothing running or lying about.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
vecload=${VECLOAD_BIN:-$root/build/release/vecload}
folder=$(mktemp -d -t vecload-demo.XXXXXX)
server=

clean_up() {
  local status=$?
  trap - EXIT
  if [[ -n $server ]]; then
    kill "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
  fi
  rm -rf "$folder"
  exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Prints the command, then runs it.
run() {
  printf '\n$ vecload'
  printf ' %s' "${@//$root\//}"
  printf '\n'
  "$vecload" "$@"
}

[[ -x $vecload ]] || { echo "demo: $vecload is not there; run make build" >&2; exit 1; }

# Any keys do for the local server; your own must not be needed, nor seen.
unset AWS_PROFILE AWS_SESSION_TOKEN AWS_ENDPOINT_URL
export AWS_ACCESS_KEY_ID=demo AWS_SECRET_ACCESS_KEY=demo AWS_REGION=us-east-1
export AWS_CONFIG_FILE=$folder/no-config AWS_SHARED_CREDENTIALS_FILE=$folder/no-credentials
export no_proxy=127.0.0.1
export XDG_STATE_HOME=$folder/state  # where loads keep their journals

cd "$folder"
echo "1. A local S3 Vectors server, on a free port, its data in $folder"
"$vecload" serve --data-dir "$folder/data" --port 0 --port-file "$folder/port" >serve.log 2>&1 &
server=$!
for _ in $(seq 300); do
  [[ -e port ]] && break
  kill -0 "$server" 2>/dev/null || { cat serve.log >&2; exit 1; }
  sleep 0.1
done
[[ -e port ]] || { echo "demo: the server was not ready within 30 s" >&2; exit 1; }
export AWS_ENDPOINT_URL_S3VECTORS=http://127.0.0.1:$(<port)
cat serve.log

echo
echo "2. 4,000 packages of Debian 12, as sentence embeddings of their descriptions, at the pace"
echo "   that the real service takes: 2,500 vectors/s"
run load "$root/examples/data/debian-packages-small.parquet" --index demo/packages \
  --create-index --distance-metric cosine --key-column package

echo
echo "3. What is like ffmpeg?"
run query --index demo/packages --like ffmpeg --top-k 5

echo
echo "4. 100,000 vectors of 1,024 dimensions in 4 files. The real service would take 40 s for them;"
echo "   the local server has no limit, so neither has the loader."
run generate vectors.parquet --rows 100000 --dimension 1024 --files 4
run load 'vectors-*.parquet' --index demo/vectors --create-index --distance-metric cosine \
  --rate-vectors unlimited --rate-requests unlimited

echo
echo "Done; the server stops now and its data goes away. What next: README.md, \"A tour\"."
