"""What competes: the task, an engine, and the engine with the task at hand."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from matbackprop._typing import Array
from matbackprop.bench.pairing import second_of_two
from matbackprop.errors import MissingExtraError, OptionError
from matbackprop.network import BatchNorm, Gradient, Network, Parameters

NETWORK = Network("relu", BatchNorm(ddof=0, eps=1e-5), loss="mse")
BLOCKS = ("loss", "Gamma1", "Gamma2", "gamma", "beta")


class Task(NamedTuple):
    """What to differentiate, all of one dtype, and with how many threads."""

    X: Array  # (N, p1)
    y: Array  # (N,)
    par: Parameters
    threads: int


class Contender(NamedTuple):
    """An engine that has its data.

    Attributes
    ----------
    run
        Returns the loss and the four gradients, in arrays of the engine's own; None from what
        is only a part of the work.
    seconds
        Takes a turn by a clock of its own; None: it is timed from outside.
    note
        What a reader of its time should know.
    """

    run: Callable[[], Sequence[Any] | None]
    seconds: Callable[[], float] | None = None
    note: str = ""

    def turn(self) -> float:
        """Take a turn, and return its seconds."""
        return self.seconds() if self.seconds is not None else second_of_two(self.run)


class Engine(NamedTuple):
    """A way to the gradient.

    Attributes
    ----------
    make
        Gives it its data; called by `prepare`.
    needs
        The modules without which it does not.
    rounds
        The most rounds in which it takes part, where it is slow.
    work, enough
        A measure of its work for a shape (N, p1, p2), and how much of that is a matter of
        seconds.
    """

    make: Callable[[Task], Contender]
    needs: tuple[str, ...] = ()
    rounds: int | None = None
    work: Callable[[int, int, int], int] = lambda N, p1, p2: 0
    enough: int = 0

    def prepare(self, task: Task, /) -> Contender:
        """Give it its data.

        Raises
        ------
        MissingExtraError, RUnavailableError
            If it does not work here.
        OptionError
            If it would take too long.

        Examples
        --------
        >>> slow = Engine(lambda task: Contender(list), work=lambda N, p1, p2: N**2, enough=100)
        >>> slow.prepare(draw(20, 2, 2))
        Traceback (most recent call last):
            ...
        matbackprop.errors.OptionError: too slow for this shape
        """
        missing = [name for name in self.needs if find_spec(name) is None]
        if missing:
            raise MissingExtraError(f"not installed: pip install {' '.join(missing)}")
        N, p2 = len(task.X), len(task.par.Gamma2)
        if self.work(N, len(task.par.Gamma1), p2) > self.enough:
            raise OptionError("too slow for this shape")
        return self.make(task)


def draw(
    N: int, p1: int, p2: int, /, *, dtype: str = "float64", threads: int | None = None
) -> Task:
    """Return data and parameters of these sizes, always the same.

    Examples
    --------
    >>> draw(10, 3, 2, dtype="float32").par.Gamma1.dtype
    dtype('float32')
    """
    rng = np.random.default_rng(0)
    kind = np.dtype(dtype).type
    X, y = rng.standard_normal((N, p1), dtype=kind), rng.standard_normal(N, dtype=kind)
    par = Parameters.random(p1, p2, rng=rng)
    narrow = Parameters(*(block.astype(dtype) for block in blocks_of(par)))
    return Task(X, y, narrow, threads or os.cpu_count() or 1)


def largest_error(found: Sequence[Any] | None, exact: Gradient, /) -> float:
    """Return the largest difference in a block, relative to the block's largest entry.

    NaN for what is not a gradient.
    """
    if found is None:
        return np.nan
    errors = []
    for name, block in zip(BLOCKS, found, strict=True):
        true = np.asarray(getattr(exact, name))
        scale = np.abs(true).max() or 1.0
        errors.append(
            np.abs(np.asarray(block, np.float64).reshape(true.shape) - true).max() / scale
        )
    return float(max(errors))


@contextmanager
def equal_threads(threads: int, libraries: Collection[str], /) -> Iterator[None]:
    """Let these libraries and BLAS have so many threads, and afterwards what they had.

    JAX takes what it takes: the number of its threads is fixed when it starts.
    """
    with ExitStack() as stack:
        if "torch" in libraries and find_spec("torch"):
            import torch

            stack.callback(torch.set_num_threads, torch.get_num_threads())
            torch.set_num_threads(threads)
        stack.enter_context(threadpool_limits(limits=threads))
        yield


def blocks_of(par: Parameters, /) -> tuple[Array, Array, Array, Array]:
    """Return Γ₁, Γ₂, γ and β of parameters that have them all."""
    assert par.gamma is not None
    assert par.beta is not None
    return par.Gamma1, par.Gamma2, par.gamma, par.beta
