"""One index for each value of the column `tenant`: names and tags as the documentation has them,
with nothing of vecload in it, and how tests load them."""

import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import xxhash

from support.program import Outcome, Program
from support.vectors import Floats, random_vectors, write_vectors

DIMENSION = 8
CREATE = ("--create-index", "--distance-metric", "cosine")
UNLIMITED = ("--rate-vectors", "unlimited", "--rate-requests", "unlimited")


def index_of(value: str, base: str = "base") -> str:
    """The name as the documentation has it, with nothing of vecload in it."""
    data = value.encode()
    slug = re.sub(rb"[^a-z0-9]+", b"-", data.lower()).decode().strip("-")
    slug = slug[: 49 - len(base)].strip("-")
    return "-".join(filter(None, (base, slug, xxhash.xxh3_64_hexdigest(data)[:12])))


def tag_of(text: str) -> str:
    """The same of a tag's text."""
    tag = ""
    data = text.encode()
    cut = 0
    for byte in data:
        plain = re.fullmatch(rb"[A-Za-z0-9_.:/+@-]", bytes([byte]))
        tag += chr(byte) if plain else f"={byte:02X}"
        cut = len(tag) if len(tag) <= 256 - 18 else cut
    return tag if len(tag) <= 256 else f"{tag[:cut]}=={xxhash.xxh3_64_hexdigest(data)}"


def tags_of(value: str, column: str = "tenant") -> dict[str, str]:
    return {
        "vecload:shard-scheme": "value-xxh3-64",
        "vecload:shard-by": tag_of(column),
        "vecload:shard-value": tag_of(value),
    }


def load(program: Program, *flags: str | Path, source: str = "in.parquet", **run: Any) -> Outcome:
    return program.run("load", source, "--index", "bucket/base", "--shard-by", "tenant",
                       "--output", "json", *UNLIMITED, *flags, **run)  # fmt: skip


def write(program: Program, tenants: Any, name: str = "in.parquet", **more: Any) -> Floats:
    """One row a tenant of the list; returns the vectors. Keys are k000000, k000001, ..."""
    column = tenants if isinstance(tenants, pa.Array) else pa.array(tenants, pa.string())
    vectors = random_vectors(len(column), DIMENSION, seed=more.pop("seed", 1))
    write_vectors(program.folder / name, vectors, tenant=column, **more)
    return vectors


def create(client: Any, name: str, tags: dict[str, str], **changed: Any) -> None:
    settings = {"dataType": "float32", "dimension": DIMENSION, "distanceMetric": "cosine"}
    client.create_index(
        vectorBucketName="bucket", indexName=name, tags=tags, **(settings | changed)
    )


def assert_refused(done: Outcome, exit_code: int, *words: str) -> None:
    assert done.exit_code == exit_code, done.stdout + done.stderr
    for word in words:
        assert word in done.stderr, done.stderr
    assert done.stdout == ""
