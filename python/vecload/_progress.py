"""Progress as a bar, on a terminal or in a notebook."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Callable, Generator
from typing import Any

from vecload._reports import LoadProgress


@contextlib.contextmanager
def bar() -> Generator[Callable[[LoadProgress], None]]:
    """A tqdm bar that follows a load."""
    try:
        tqdm: Any = importlib.import_module("tqdm.auto").tqdm
    except ImportError as error:
        raise ImportError("progress=True draws with tqdm: pip install tqdm") from error
    with tqdm(unit="rows", unit_scale=True, dynamic_ncols=True) as drawn:

        def follow(now: LoadProgress) -> None:
            drawn.total = now.rows_total
            drawn.set_postfix(rejected=now.vectors_rejected, throttled=now.throttled, refresh=False)
            drawn.update(now.rows_done - drawn.n)

        yield follow
