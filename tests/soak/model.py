"""What an index must answer, kept in plain Python and float64 numpy."""

from typing import Any

import numpy as np
import numpy.typing as npt

from support.filters import Metadata, lets_through

# Of the larger of 1 and the distance; the server sums in float32.
TOLERANCE = 1e-5


class IndexModel:
    """The vectors of one index by key, and what is nearest among them."""

    def __init__(self, dimension: int, metric: str) -> None:
        self.dimension = dimension
        self.metric = metric
        self.vectors: dict[str, npt.NDArray[np.float32]] = {}
        self.metadata: dict[str, Metadata] = {}

    def put(self, key: str, vector: npt.NDArray[np.float32], metadata: Metadata) -> None:
        self.vectors[key] = vector
        self.metadata[key] = metadata

    def delete(self, key: str) -> None:
        self.vectors.pop(key, None)
        self.metadata.pop(key, None)

    def distances(
        self, query: npt.NDArray[np.float32], wanted: dict[str, Any] | None
    ) -> dict[str, float]:
        """The distance of each vector that the filter lets through."""
        keys = [
            key
            for key, metadata in self.metadata.items()
            if wanted is None or lets_through(wanted, metadata)
        ]
        if not keys:
            return {}
        rows = np.array([self.vectors[key] for key in keys], dtype=np.float64)
        point = query.astype(np.float64)
        if self.metric == "cosine":
            lengths = np.linalg.norm(rows, axis=1) * np.linalg.norm(point)
            found = 1 - rows @ point / lengths
        else:
            found = np.linalg.norm(rows - point, axis=1)
        return dict(zip(keys, found.tolist(), strict=True))

    def check_answer(
        self,
        answer: list[dict[str, Any]],
        query: npt.NDArray[np.float32],
        top_k: int,
        wanted: dict[str, Any] | None,
    ) -> None:
        """`answer`: the neighbours of all pages, with distances and metadata."""
        distances = self.distances(query, wanted)
        nearest = sorted(distances.values())[:top_k]
        assert len(answer) == len(nearest), f"{len(answer)} of {len(nearest)} neighbours: {wanted}"
        keys = [one["key"] for one in answer]
        assert len(set(keys)) == len(keys), "a neighbour is given twice"
        told = [one["distance"] for one in answer]
        assert told == sorted(told), "not nearest first"
        for one, expected in zip(answer, nearest, strict=True):
            key = one["key"]
            assert key in distances, f"{key} is not there, or does not match {wanted}"
            assert one["metadata"] == self.metadata[key], key
            bound = TOLERANCE * max(1.0, expected)
            # Near ties may change places; the distance at each place may not.
            assert abs(one["distance"] - expected) <= bound, (key, one["distance"], expected)
            assert abs(one["distance"] - distances[key]) <= bound, key
