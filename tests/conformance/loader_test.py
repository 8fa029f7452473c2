"""Goal: our loader speaks to strangers: moto's S3 Vectors server, and any JSON parser.

Method: the real binary fills moto and boto3 reads it back; a recording server keeps the very
bodies that were sent and Python's json reads them, going straight to float32 and through a double.
"""

import ctypes
import json
from collections.abc import Callable
from typing import Any

import numpy as np

from support.program import Program
from support.servers import MotoServer, ScriptedServer
from support.vectors import (
    Floats,
    make_index,
    random_vectors,
    same_bits,
    stored,
    write_vectors,
)


def special_floats(count: int) -> Floats:
    """Every exponent with its edge mantissas and both signs, then random finite bit patterns."""
    mantissas = np.array([0, 1, 2, 0x2AAAAA, 0x3FFFFF, 0x400000, 0x7FFFFE, 0x7FFFFF], np.uint32)
    exponents = np.arange(255, dtype=np.uint32) << 23
    edges = (exponents[:, None] | mantissas[None, :]).reshape(-1)
    edges = np.concatenate([edges, edges | 0x80000000])
    bits = np.random.default_rng(7).integers(0, 2**32, 2 * count, dtype=np.uint32)
    bits = bits[(bits >> 23) & 0xFF != 0xFF]
    return np.concatenate([edges, bits])[:count].view(np.float32)


def test_moto_is_filled_and_reads_back_bit_equal(bare_program: Program, moto: MotoServer) -> None:
    bare_program.env["AWS_ENDPOINT_URL_S3VECTORS"] = moto.url
    dimension, rows = 256, 700
    vectors = special_floats(dimension * rows).reshape(rows, dimension)
    tags = [f"t{i % 7}" for i in range(rows)]
    write_vectors(bare_program.folder / "in.parquet", vectors, n=list(range(rows)), tag=tags)
    index = make_index(moto.client(), dimension)
    done = bare_program.run("load", "in.parquet", "--index", index, "--key-column", "id")
    assert done.exit_code == 0, done.stderr
    found = stored(moto.client())
    assert len(found) == rows
    for row in range(rows):
        vector = found[f"k{row:06d}"]
        assert same_bits(vector["data"], vectors[row])
        assert vector["metadata"] == {"n": row, "tag": tags[row]}


def test_create_index_on_moto(bare_program: Program, moto: MotoServer) -> None:
    bare_program.env["AWS_ENDPOINT_URL_S3VECTORS"] = moto.url
    write_vectors(bare_program.folder / "in.parquet", random_vectors(600, 12))
    done = bare_program.run("load", "in.parquet", "--index", "fresh/index", "--create-index",
                            "--distance-metric", "euclidean")  # fmt: skip
    assert done.exit_code == 0, done.stderr
    assert len(stored(moto.client(), "fresh/index")) == 600


def test_control_plane_commands_on_moto(bare_program: Program, moto: MotoServer) -> None:
    bare_program.env["AWS_ENDPOINT_URL_S3VECTORS"] = moto.url
    assert bare_program.run("bucket", "create", "bkt").exit_code == 0
    made = bare_program.run("index", "create", "bkt/idx", "--dimension", "3", "--distance-metric",
                            "cosine")  # fmt: skip
    assert made.exit_code == 0, made.stderr
    shown = bare_program.run("index", "show", "bkt/idx", "--output", "json").json
    assert (shown["dimension"], shown["distance_metric"]) == (3, "cosine")
    listed = bare_program.run("index", "list", "bkt", "--output", "json").json["indexes"]
    assert [index["index"] for index in listed] == ["bkt/idx"]
    assert bare_program.run("index", "delete", "bkt/idx").exit_code == 0
    assert bare_program.run("bucket", "delete", "bkt").exit_code == 0
    assert bare_program.run("bucket", "list", "--output", "json").json == {"buckets": []}


def test_bodies_read_back_to_the_same_bits_in_both_ways(
    bare_program: Program, scripted: Callable[..., ScriptedServer]
) -> None:
    dimension, rows = 512, 400
    vectors = special_floats(dimension * rows).reshape(rows, dimension)
    write_vectors(bare_program.folder / "in.parquet", vectors)
    service = scripted(dimension, "euclidean")
    done = bare_program.run("load", "in.parquet", "--index", "bucket/index")
    assert done.exit_code == 0, done.stderr

    # numpy reads text through a double; glibc's strtof rounds the decimal once.
    strtof = ctypes.CDLL(None).strtof
    strtof.restype, strtof.argtypes = ctypes.c_float, (ctypes.c_char_p, ctypes.c_void_p)
    seen: set[str] = set()
    for body in service.bodies:
        # As any consumer reads it, where "-0" would become the integer 0.
        plain = json.loads(body)
        texts = json.loads(body, parse_float=str, parse_int=str)
        assert len(plain["vectors"]) <= 500
        for sent, text in zip(plain["vectors"], texts["vectors"], strict=True):
            row = int(sent["key"][1:])
            seen.add(sent["key"])
            doubles = np.array(sent["data"]["float32"], dtype=np.float64)
            assert same_bits(doubles.astype(np.float32), vectors[row])
            direct = [strtof(t.encode(), None) for t in text["data"]["float32"]]
            assert same_bits(np.array(direct, dtype=np.float32), vectors[row])
    assert len(seen) == rows
    assert dimension * rows >= 100_000


def test_bodies_are_short(bare_program: Program, scripted: Callable[..., ScriptedServer]) -> None:
    vectors = random_vectors(500, 256)
    write_vectors(bare_program.folder / "in.parquet", vectors)
    service = scripted(256)
    assert bare_program.run("load", "in.parquet", "--index", "bucket/index").exit_code == 0
    sent = sum(map(len, service.bodies))
    as_boto3 = len(json.dumps(vectors.astype(np.float64).tolist()))
    assert sent < 0.65 * as_boto3, "every byte is hashed, encrypted and sent"


def test_metadata_and_keys_are_valid_json(
    bare_program: Program, scripted: Callable[..., ScriptedServer]
) -> None:
    texts = ['quo"te', "back\\slash", "\x00\x01\x1f\x7f", "\u2028\u2029", "ü𝄞", "a/b", ""]
    keys = [f"{i}{text}" for i, text in enumerate(texts)]
    numbers = [0.0, -0.0, 1e300, 5e-324, 0.1, -1 / 3, 2.0**53]
    write_vectors(bare_program.folder / "in.parquet", random_vectors(7, 3), keys, text=texts,
                  number=numbers)  # fmt: skip
    service = scripted(3)
    done = bare_program.run("load", "in.parquet", "--index", "bucket/index", "--key-column", "id")
    assert done.exit_code == 0, done.stderr
    vectors: list[Any] = [v for body in service.bodies for v in json.loads(body)["vectors"]]
    assert [v["key"] for v in vectors] == keys
    assert [v["metadata"]["text"] for v in vectors] == texts
    assert [v["metadata"]["number"] for v in vectors] == numbers
