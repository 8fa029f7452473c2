"""What proving a load costs, and whether planted faults are found.

Method: `vecload load` fills an index of a durable server with 1,000,000 x 384-d, and `vecload
verify` compares it with its source, both on the same cores. Then boto3 plants one fault of each
kind (a bit of a float, a missing and an extra key, a metadata value, two vectors swapped) and
verify must name exactly those. At last it is compared with another source, of which every vector is
different. Memory is the program's peak (wait4).

    python bench/verify_bench.py --build build/release [--rows 1000000] [--json FILE]
"""

import json
import pathlib
from typing import Any

import boto3
import numpy as np
from programs import UNPACED, Server, environment, generate, load, run, run_bench, running

DIMENSION = 384
INDEX = "bench/index"
TARGET = {"vectorBucketName": "bench", "indexName": "index"}
GOAL_S = 60
GOAL_MIB = 200


def key(row: int) -> str:
    return f"v-{row:09}"


class Planter:
    def __init__(self, server: Server) -> None:
        self._client = boto3.client(
            "s3vectors",
            endpoint_url=server.url,
            region_name="us-east-1",
            aws_access_key_id="bench",
            aws_secret_access_key="bench",
        )

    def _get(self, row: int) -> dict[str, Any]:
        reply = self._client.get_vectors(
            **TARGET, keys=[key(row)], returnData=True, returnMetadata=True
        )
        return reply["vectors"][0]

    def _put(self, *vectors: dict[str, Any]) -> None:
        self._client.put_vectors(**TARGET, vectors=list(vectors))

    def plant(self) -> None:
        flipped = self._get(10)
        floats = np.array(flipped["data"]["float32"], dtype=np.float32)
        floats.view(np.uint32)[7] ^= 1
        flipped["data"] = {"float32": floats.astype(float).tolist()}
        changed = self._get(20)
        changed["metadata"]["year"] += 1
        left, right = self._get(30), self._get(31)
        left["data"], right["data"] = right["data"], left["data"]
        self._put(flipped, changed, left, right, self._get(40) | {"key": "extra"})
        self._client.delete_vectors(**TARGET, keys=[key(50)])


# What verify must count then.
PLANTED = {"missing": 1, "extra": 1, "different_vector": 3, "different_metadata": 1}
PLANTED_KEYS = {key(row) for row in (10, 20, 30, 31, 50)}


def verify(build: pathlib.Path, source: pathlib.Path, server: Server, exit_code: int) -> dict:
    folder = source.parent
    found = folder / "differences.jsonl"
    command = [build / "vecload", "verify", source, "--index", INDEX, "--output", "json"]
    command += ["--differences", found, "--extra", folder / "extra.jsonl"]
    done = run(command, environment(server.url), folder, exit_code=exit_code)
    report = json.loads(done.stdout)
    lines = found.read_text().splitlines() if found.exists() else []
    keys = [json.loads(line)["key"] for line in lines[: len(PLANTED_KEYS) + 1]]
    return report | {
        "keys": keys,
        "wall_s": done.wall_s,
        "cpu_s": done.cpu_s,
        "rss_mib": done.rss_bytes_max / 2**20,
    }


def show(case: str, result: dict) -> dict:
    print(
        f"{case}: {result['wall_s']:.1f} s (goal {GOAL_S}), {result['cpu_s']:.1f} s of CPU, "
        f"{result['rss_mib']:.0f} MiB (goal {GOAL_MIB}), {result['list_calls']} List calls",
        flush=True,
    )
    return {"case": case} | {name: value for name, value in result.items() if name != "keys"}


def measure(build: pathlib.Path, folder: pathlib.Path, rows: int) -> list[dict]:
    source = generate(build, folder / "source.parquet", rows, DIMENSION, "--seed", 1)[0]
    other = generate(build, folder / "other.parquet", rows, DIMENSION, "--seed", 2)[0]
    with running([build / "vecload", "serve", "--data-dir", folder / "data"]) as server:
        create = ("--create-index", "--distance-metric", "cosine")
        load(build, source, server.url, *UNPACED, *create, index=INDEX)
        results = [show("equal", verify(build, source, server, 0))]
        Planter(server).plant()
        planted = verify(build, source, server, 5)
        if set(planted["keys"]) != PLANTED_KEYS or any(
            planted[name] != count for name, count in PLANTED.items()
        ):
            raise SystemExit(f"planted {PLANTED} at {PLANTED_KEYS}, found {planted}")
        results.append(show("planted faults, all named", planted))
        results.append(show("every vector different", verify(build, other, server, 5)))
    return results


if __name__ == "__main__":
    run_bench("What proving a load costs.", measure, 1_000_000)
