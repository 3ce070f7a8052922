"""Batch norm forward and backward in train mode, beside torch's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from matbackprop._typing import Array, Progress
from matbackprop._validation import check_count
from matbackprop.batchnorm import BatchNormLayer, without_compiling
from matbackprop.bench.timing import median_seconds

if TYPE_CHECKING:
    import pandas as pd
    from torch.nn import Module


class LayerCase(NamedTuple):
    """The shape and dtype of a batch."""

    shape: tuple[int, ...]
    dtype: str


LAYER_CASES: tuple[LayerCase, ...] = tuple(
    LayerCase(shape, dtype)
    for shape in ((20_000, 256), (64, 64, 32, 32))
    for dtype in ("float32", "float64")
)


def bench_layers(
    *, repeats: int = 15, progress: Progress = lambda done, total, what: None
) -> pd.DataFrame:
    """Time forward plus backward of every case, by each engine that is installed.

    Parameters
    ----------
    repeats
        How many rounds; the medians are reported.
    progress
        Called before each case.

    Returns
    -------
    One row for each case and engine: shape, dtype, engine, milliseconds, and `ratio` to torch's
    own batch norm (below 1 is faster); NaN where torch is not installed.

    Raises
    ------
    OptionError
        If `repeats` is no positive integer.

    Examples
    --------
    >>> LAYER_CASES[0]
    LayerCase(shape=(20000, 256), dtype='float32')
    """
    import pandas as pd

    check_count(repeats, call="bench_layers(repeats=)", name="repeats")
    rows = []
    for done, case in enumerate(LAYER_CASES):
        shape = " × ".join(map(str, case.shape))
        progress(done, len(LAYER_CASES), f"{shape} {case.dtype}")
        seconds = median_seconds(dict(_contenders(case)), repeats=repeats)
        theirs = seconds.get("torch", np.nan)
        rows += [
            {
                "shape": shape,
                "dtype": case.dtype,
                "engine": engine,
                "milliseconds": 1e3 * taken,
                "ratio": taken / theirs,
            }
            for engine, taken in seconds.items()
        ]
    progress(len(LAYER_CASES), len(LAYER_CASES), "done")
    return pd.DataFrame(rows)


def _contenders(case: LayerCase) -> Iterator[tuple[str, Callable[[], object]]]:
    rng = np.random.default_rng(0)
    X, dY = (rng.standard_normal(case.shape).astype(case.dtype) for _ in range(2))
    C = case.shape[1]
    gamma, beta = (rng.standard_normal(C).astype(case.dtype) for _ in range(2))
    layer = BatchNormLayer(C)

    def ours() -> object:
        _, cache, running = layer.forward(X, gamma, beta)
        return layer.backward(dY, cache), running

    def generic() -> object:
        with without_compiling():
            return ours()

    if find_spec("numba") is not None:
        yield "matbackprop, compiled", ours
    yield "matbackprop, NumPy", generic
    if find_spec("torch") is not None:
        import torch

        from matbackprop.batchnorm import torch as ours_for_torch

        names = {2: "BatchNorm1d", 4: "BatchNorm2d"}
        for engine, room in (("torch", torch.nn), ("matbackprop.batchnorm.torch", ours_for_torch)):
            yield engine, _module_step(getattr(room, names[X.ndim])(C), X, gamma, beta, dY)


def _module_step(
    module: Module, X: Array, gamma: Array, beta: Array, dY: Array
) -> Callable[[], object]:
    import torch

    # Copies, so that no engine finds its input in the cache because the one before it read it.
    x, g = (torch.from_numpy(array.copy()) for array in (X, dY))
    module.to(x.dtype).load_state_dict(
        {"weight": torch.from_numpy(gamma), "bias": torch.from_numpy(beta)}, strict=False
    )
    x.requires_grad_()

    def run() -> object:
        x.grad = None
        module.zero_grad()
        module(x).backward(g)
        return x.grad

    return run
