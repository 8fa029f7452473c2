"""Goal: QueryVectors finds what numpy finds in float64, and orders what is equally near by key.

Method: boto3 puts and asks. Distances are held against numpy's within the error that sums in
float32 can have; duplicates of a vector under many keys must come in the keys' order, wherever
topK, a page or a filter cuts.
"""

import random
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from support.vectors import Floats, create_index, make_index, random_vectors

INDEX = {"vectorBucketName": "bucket", "indexName": "index"}
DIMENSIONS = [1, 2, 3, 7, 8, 15, 16, 17, 127, 128, 1024, 4096]
Doubles = npt.NDArray[np.float64]


def rounding(dimension: int) -> float:
    """The relative error of a sum of products in float32.

    At least 16 sums run side by side (four registers of four lanes), so a product goes through
    dimension/16 additions, then those that put the 16 together; each rounds by 2^-24 at most, as
    do the product itself and, under cosine, the two vectors that are brought to length 1.
    """
    return (dimension / 16 + 8) * 2.0**-24


def put(client: Any, keys: list[str], vectors: Floats, metadata: dict[str, Any]) -> None:
    rows = zip(keys, vectors, strict=True)
    client.put_vectors(
        **INDEX,
        vectors=[
            {"key": key, "data": {"float32": row.tolist()}, "metadata": metadata}
            for key, row in rows
        ],
    )


def query(client: Any, wanted: Floats, top_k: int, **more: Any) -> list[tuple[str, float]]:
    pages = client.get_paginator("query_vectors").paginate(
        **INDEX,
        topK=top_k,
        queryVector={"float32": wanted.tolist()},
        returnDistance=True,
        **more,
    )
    return [(v["key"], v["distance"]) for page in pages for v in page["vectors"]]


# --- distances


def neighbours(wanted: Floats) -> Floats:
    """Vectors of all kinds, seen from `wanted`: anywhere, of other magnitudes, and very near."""
    dimension = len(wanted)
    anywhere = random_vectors(8, dimension, seed=dimension) * np.abs(wanted).max()
    noise = random_vectors(8, dimension, seed=dimension + 1)
    near = wanted * (1 + noise * np.logspace(-8, -1, 8, dtype=np.float32)[:, None])
    one_step = np.tile(wanted, (3, 1))
    one_step[0, 0] = np.nextafter(wanted[0], np.float32(np.inf), dtype=np.float32)
    one_step[1, -1] = np.nextafter(wanted[-1], np.float32(-np.inf), dtype=np.float32)
    rows = [anywhere, anywhere * 1e-12, anywhere * 1e12, near, one_step, -wanted[None]]
    return np.concatenate(rows).astype(np.float32)


def in_float64(metric: str, wanted: Floats, vectors: Floats) -> Doubles:
    exact, target = vectors.astype(np.float64), wanted.astype(np.float64)
    if metric == "euclidean":
        return np.linalg.norm(exact - target, axis=1)
    return 1 - exact @ target / (np.linalg.norm(exact, axis=1) * np.linalg.norm(target))


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_distances_are_numpys(client: Any, metric: str) -> None:
    client.create_vector_bucket(vectorBucketName="bucket")
    for dimension in DIMENSIONS:
        # 1e-20 and 1e18: squares that vanish in float32, and squares that overflow it.
        for scale in (1, 1e-20, 1e18):
            case = f"{dimension} x {scale}"
            create_index(client, dimension, metric)
            wanted = (random_vectors(1, dimension, seed=99)[0] * scale).astype(np.float32)
            vectors = neighbours(wanted)
            keys = [f"k{row:02d}" for row in range(len(vectors))]
            put(client, keys, vectors, {})
            reference = dict(zip(keys, in_float64(metric, wanted, vectors), strict=True))
            answer = query(client, wanted, len(keys))
            assert sorted(key for key, _ in answer) == keys, case
            for key, distance in answer:
                # Cosines are at most 1, which the error is relative to; a Euclidean distance is the
                # root of a sum without cancellation, and the error is relative to itself.
                error = rounding(dimension) * (1 if metric == "cosine" else reference[key])
                assert abs(distance - reference[key]) <= error, (
                    case,
                    key,
                    distance,
                    reference[key],
                )
            assert answer == sorted(answer, key=lambda match: (match[1], match[0])), case
            assert query(client, wanted, 7) == answer[:7], case
            client.delete_index(**INDEX)


# --- ties

# Bytes order the last two one way, UTF-16 the other way; ASCII's letters are not in a dictionary's.
KEYS = [f"{letter}{n}" for letter in "zaZAäé" for n in range(40)] + ["\uffff", "\U00010000"]


@pytest.fixture(params=["cosine", "euclidean"])
def ties(client: Any, request: pytest.FixtureRequest) -> Any:
    """An index in which all of KEYS have one vector; three are nearer, two farther."""
    make_index(client, 5, request.param)
    keys = KEYS.copy()
    random.Random(1).shuffle(keys)
    twin = np.array([1, 2, 3, 4, 5], dtype=np.float32)
    put(client, ["far1", "far2", "far3"], np.tile(-twin, (3, 1)), {})
    put(client, keys[:100], np.tile(twin, (100, 1)), {"half": 0})
    put(client, keys[100:], np.tile(twin, (len(keys) - 100, 1)), {"half": 1})
    put(client, ["near1", "near2", "near3"], np.tile(WANTED, (3, 1)), {})
    # Erased vectors leave holes that others are moved into.
    put(client, ["gone"], twin[None], {})
    client.delete_vectors(**INDEX, keys=["gone", "far2"])
    return client, set(keys[100:])


WANTED = np.array([1, 2, 3, 4, 4.5], dtype=np.float32)
IN_ORDER = sorted(KEYS, key=str.encode)


def test_ties_come_by_key_wherever_top_k_cuts(ties: Any) -> None:
    client, _ = ties
    for top_k in (1, 3, 4, 5, 50, 100, 103, 104, 200, len(KEYS) + 3):
        answer = query(client, WANTED, top_k)
        assert [key for key, _ in answer] == ["near1", "near2", "near3", *IN_ORDER][:top_k]
        assert len({distance for _, distance in answer[3:]}) <= 1


def test_a_filter_cuts_before_top_k_does(ties: Any) -> None:
    client, second_half = ties
    expected = [key for key in IN_ORDER if key in second_half]
    for top_k in (1, 30, 120):
        answer = query(client, WANTED, top_k, filter={"half": 1})
        assert [key for key, _ in answer] == expected[:top_k]
