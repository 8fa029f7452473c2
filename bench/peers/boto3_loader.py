"""boto3 as a loader, by the method of AWS's article: what bench/speed.py measures vecload beside.

Batches of 500 dicts built in the worker, a pool of connections, and either threads that share one
client or processes with a client each, to which whole files are handed.

    python bench/peers/boto3_loader.py --endpoint URL (--threads N | --processes N) FILE...

Prints {"vectors", "wall_s", "build_s", "put_s", "batches"}; the seconds are sums over workers.
"""

import argparse
import concurrent.futures
import json
import time
from collections.abc import Iterator

import boto3
import botocore.config
import pyarrow as pa
import pyarrow.parquet as pq

BATCH_VECTORS = 500


def make_client(endpoint: str, connections: int):
    return boto3.client(
        "s3vectors",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="bench",
        aws_secret_access_key="bench",
        config=botocore.config.Config(
            max_pool_connections=connections, retries={"mode": "adaptive", "max_attempts": 10}
        ),
    )


def read_batches(path: str) -> Iterator[pa.RecordBatch]:
    yield from pq.ParquetFile(path).iter_batches(batch_size=BATCH_VECTORS)


def build(batch: pa.RecordBatch) -> list[dict]:
    return [
        {
            "key": row["id"],
            "data": {"float32": row["embedding"]},
            "metadata": {"category": row["category"], "year": row["year"]},
        }
        for row in batch.to_pylist()
    ]


def put_batch(client, batch: pa.RecordBatch) -> dict[str, float]:
    begin = time.perf_counter()
    vectors = build(batch)
    built = time.perf_counter()
    client.put_vectors(vectorBucketName="null-bucket", indexName="null-index", vectors=vectors)
    return {
        "vectors": len(vectors),
        "batches": 1,
        "build_s": built - begin,
        "put_s": time.perf_counter() - built,
    }


def add_up(parts: list[dict[str, float]]) -> dict[str, float]:
    names = ("vectors", "batches", "build_s", "put_s")
    return {name: sum(part[name] for part in parts) for name in names}


def load_with_threads(endpoint: str, threads: int, files: list[str]) -> dict[str, float]:
    client = make_client(endpoint, threads)
    parts = []
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        waiting: set[concurrent.futures.Future] = set()
        for path in files:
            for batch in read_batches(path):
                waiting.add(pool.submit(put_batch, client, batch))
                if len(waiting) >= 2 * threads:  # bounds what is in memory
                    done, waiting = concurrent.futures.wait(
                        waiting, return_when=concurrent.futures.FIRST_COMPLETED
                    )
                    parts += [future.result() for future in done]
        parts += [future.result() for future in waiting]
    return add_up(parts)


def load_files(endpoint: str, files: list[str]) -> dict[str, float]:
    client = make_client(endpoint, 1)
    return add_up([put_batch(client, batch) for path in files for batch in read_batches(path)])


def load_with_processes(endpoint: str, processes: int, files: list[str]) -> dict[str, float]:
    shares = [files[i::processes] for i in range(processes) if files[i::processes]]
    with concurrent.futures.ProcessPoolExecutor(processes) as pool:
        return add_up(list(pool.map(load_files, [endpoint] * len(shares), shares)))


def main() -> None:
    parser = argparse.ArgumentParser(description="boto3 as a loader.")
    parser.add_argument("--endpoint", required=True)
    how = parser.add_mutually_exclusive_group(required=True)
    how.add_argument("--threads", type=int)
    how.add_argument("--processes", type=int)
    parser.add_argument("files", nargs="+")
    options = parser.parse_args()
    begin = time.perf_counter()
    if options.threads:
        result = load_with_threads(options.endpoint, options.threads, options.files)
    else:
        result = load_with_processes(options.endpoint, options.processes, options.files)
    print(json.dumps(result | {"wall_s": time.perf_counter() - begin}))


if __name__ == "__main__":
    main()
