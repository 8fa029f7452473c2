#!/usr/bin/env bash
# Runs the measuring tools of bench/ on this machine and writes build/bench/<name>.json.
# A number that is quoted names machine, command and commit, so they are printed first.
set -euo pipefail
cd "$(dirname "$0")/.."

mkdir -p build/bench
port_file=build/bench/null_server.port
rm -f "$port_file"
echo "commit $(git rev-parse --short HEAD), $(nproc) cores, $(lscpu | sed -n 's/^Model name: *//p')"

build/release/null_server --port 0 --port-file "$port_file" >build/bench/null_server.json &
server=$!
trap 'kill "$server" 2>/dev/null || true' EXIT
for _ in $(seq 100); do
  [[ -s $port_file ]] && break
  sleep 0.05
done

echo "== http_transport: what sending costs the client"
build/release/http_transport_bench --url "http://127.0.0.1:$(<"$port_file")/PutVectors" |
  tee build/bench/http_transport.json

echo "== float_text: ns and bytes a float, beside std::to_chars"
build/release/float_text_bench --benchmark_out=build/bench/float_text.json 2>/dev/null

echo "== journal: what resuming costs, and opening a large journal"
build/release/journal_bench | tee build/bench/journal.json

echo "== duplicates: what choosing one row per key costs"
build/release/duplicates_bench | tee build/bench/duplicates.json

# script <name> <bench/*.py without its ending> <what it measures>
script() {
  echo "== $1: $3"
  python "bench/$2.py" --build build/release --json "build/bench/$1.json"
}

script speed speed "vecload beside the official SDKs"
script article article "the experiment of AWS's article"
script scaling scaling "what a load costs as its input grows"
script s3_source s3_source_bench "loads from S3 at a distance"
script load load_bench "what a whole load costs the client"

echo "== service_model: what the local server's --model aws lets through, and a load against it"
python bench/service_model_bench.py --out build/bench/service_model.json

script query query_bench "what the local server gives, and how soon after a start"
script server server_bench "how fast vectors get into a local server, others beside it"
script memory memory_bench "what a local server takes for the vectors it searches"
script plan plan_bench "planning 100,000 small files"
script verify verify_bench "what proving a load costs, and whether planted faults are found"
script shards shards_bench "many shards at once, each at its limit"
script export export_bench "what an export costs, and whether all of it is in the files"

echo "== charts, in build/bench/charts"
python bench/charts.py --out build/bench/charts
