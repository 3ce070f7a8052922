"""Every way to one gradient that a user could take: matbackprop, torch, JAX, autograd, R.

Each computes the loss R = Σ(y − ŷ)²/N of ŷ = relu(b(XΓ₁))Γ₂ on all rows, b batch norm with
the moments of these rows, and its derivatives by Γ₁, Γ₂, γ and β.
"""

from __future__ import annotations

import statistics
import warnings
import weakref
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any
from uuid import uuid4

import numpy as np

from matbackprop._typing import Array
from matbackprop.bench.contender import BLOCKS, NETWORK, Contender, Engine, Task, blocks_of
from matbackprop.bench.pairing import second_of_two
from matbackprop.errors import MissingExtraError
from matbackprop.network import Gradient, gradient
from matbackprop.rbridge import connect, reference_folder
from matbackprop.streaming import Problem
from matbackprop.streaming.blas_threads import one_blas_thread_each

ONE_PASS = "matbackprop, one pass"
MOMENTS_PASS = "matbackprop, moments pass"
PRODUCTS = "the two products alone"
ROWS_OF_A_BLOCK = (256, 512, 1024, 2048, 4096)

_IN_R = Path(__file__).with_name("in_r")


def _problem(task: Task) -> Problem:
    return Problem.from_arrays(NETWORK, task.X, task.y, threads=task.threads)


def _one_pass(task: Task, /) -> Contender:
    problem = _problem(task)
    return Contender(lambda: _parts(problem.gradient(task.par)))


def _moments_pass(task: Task, /) -> Contender:
    def run() -> None:
        _problem(task)

    return Contender(run, note="once for all gradients; not counted in one pass")


def _compact(task: Task, /) -> Contender:
    return Contender(lambda: _parts(gradient(NETWORK, task.par, task.X, task.y)))


def _parts(g: Gradient) -> Sequence[Any]:
    return [getattr(g, name) for name in BLOCKS]


def _products(task: Task, /) -> Contender:
    """Return X_bΓ₁ and X_bᵀ(X_bΓ₁), a block of rows at a time, and nothing else.

    Every method has to multiply as much. Each thread has a part of the rows, and BLAS has one
    thread in each.
    """
    X, Gamma1, threads = task.X, task.par.Gamma1, task.threads
    N, p2 = len(X), Gamma1.shape[1]
    pool = ThreadPoolExecutor(threads)
    bounds = [(N * k // threads, N * (k + 1) // threads) for k in range(threads)]

    def part(start: int, stop: int, size: int) -> Array:
        H, T = np.empty((size, p2), X.dtype), np.empty_like(Gamma1)
        G = np.zeros_like(Gamma1)
        for first in range(start, stop, size):
            block = X[first : min(first + size, stop)]
            np.matmul(block, Gamma1, out=H[: len(block)])
            np.matmul(block.T, H[: len(block)], out=T)
            G += T
        return G

    def run(size: int) -> None:
        with one_blas_thread_each():
            for done in [pool.submit(part, start, stop, size) for start, stop in bounds]:
                done.result()

    def seconds(size: int) -> float:
        return statistics.median(second_of_two(partial(run, size)) for _ in range(3))

    best = min(ROWS_OF_A_BLOCK, key=seconds)
    return Contender(partial(run, best), note=f"blocks of {best} rows")


def _torch(task: Task, /) -> Contender:
    return Contender(_torch_run(task, _torch_loss))


def _torch_compiled(task: Task, /) -> Contender:
    import torch
    from torch import _dynamo

    _dynamo.reset()  # else the second shape would be compiled for shapes of any size
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns of parts of its own
        run = _torch_run(task, torch.compile(_torch_loss, dynamic=False))
        try:
            run()
        except Exception as error:  # whatever the compiler behind it says, if there is one
            words = str(error).strip().splitlines()[:1]
            why = ": ".join([type(error).__name__, *words])
            raise MissingExtraError(f"torch.compile does not work here: {why}") from error
    return Contender(run, note="not counting its compilation")


def _torch_loss(X: Any, y: Any, Gamma1: Any, Gamma2: Any, gamma: Any, beta: Any) -> Any:
    # The fastest of six forms, on two cores in both precisions: explicit operations took twice
    # as long as batch_norm; linear, mse_loss and relu in place save a tenth to a fifth.
    from torch.nn import functional

    H = functional.batch_norm(
        functional.linear(X, Gamma1.T), None, None, gamma, beta, training=True, eps=1e-5
    )
    return functional.mse_loss(functional.relu(H, inplace=True) @ Gamma2, y)


def _torch_run(task: Task, loss: Callable[..., Any]) -> Callable[[], Sequence[Any]]:
    import torch

    X, y = torch.from_numpy(task.X), torch.from_numpy(task.y)
    leaves = [torch.tensor(block, requires_grad=True) for block in blocks_of(task.par)]

    def run() -> Sequence[Any]:
        R = loss(X, y, *leaves)
        return [R.detach(), *torch.autograd.grad(R, leaves)]

    return run


def _jax(task: Task, /) -> Contender:
    import jax
    from jax import numpy as jnp

    # A context: set for the whole process it would change what the caller computes elsewhere.
    home = jax if hasattr(jax, "enable_x64") else import_module("jax.experimental")  # before 0.8
    wide = task.X.dtype == np.float64

    def loss(theta: Sequence[Any], X: Any, y: Any) -> Any:
        Gamma1, Gamma2, gamma, beta = theta
        Z = X @ Gamma1
        H = (Z - Z.mean(0)) * (gamma / jnp.sqrt(Z.var(0) + 1e-5)) + beta
        return jnp.mean((y - jax.nn.relu(H) @ Gamma2) ** 2)

    compiled = jax.jit(jax.value_and_grad(loss))
    with home.enable_x64(wide):
        X, y = jax.dlpack.from_dlpack(task.X), jax.dlpack.from_dlpack(task.y)  # not copied
        theta = [jnp.asarray(block) for block in blocks_of(task.par)]

    def run() -> Sequence[Any]:
        with home.enable_x64(wide):
            R, gradients = compiled(theta, X, y)
            jax.block_until_ready(gradients)  # type: ignore[no-untyped-call]
        return [R, *gradients]

    return Contender(run, note="with the threads it takes; not counting its compilation")


def _autograd(task: Task, /) -> Contender:
    xp, value_and_grad = import_module("autograd.numpy"), import_module("autograd").value_and_grad
    X, y, theta = task.X, task.y, blocks_of(task.par)

    def loss(theta: Sequence[Any]) -> Any:
        Gamma1, Gamma2, gamma, beta = theta
        Z = xp.dot(X, Gamma1)
        centred = Z - xp.mean(Z, axis=0)
        sigma = xp.sqrt(xp.mean(centred**2, axis=0) + 1e-5)
        H = centred * (gamma / sigma) + beta
        return xp.mean((y - xp.dot(xp.maximum(H, 0), Gamma2)) ** 2)

    both = value_and_grad(loss)

    def run() -> Sequence[Any]:
        R, gradients = both(theta)
        return [R, *gradients]

    return Contender(run)


def _in_r(function: str) -> Callable[[Task], Contender]:
    def make(task: Task, /) -> Contender:
        backend = connect("rpy2", reference=_IN_R)  # Rscript would read the data as text
        key = uuid4().hex
        folder = str(reference_folder())
        backend.call("keep", key=key, folder=folder, X=task.X, y=task.y)
        options = {"activation": "relu", "ddof": 0, "eps": 1e-5, "loss": "mse"}
        blocks = dict(zip(BLOCKS[1:], blocks_of(task.par), strict=True))

        def answer() -> dict[str, Any]:
            told: dict[str, Any] = backend.call(
                "timed", key=key, name=function, **blocks, **options
            )
            return told

        def run() -> Sequence[Any]:
            told = answer()
            return [told[name] for name in BLOCKS]

        def seconds() -> float:
            answer()  # as for the others, the second of two runs counts
            return float(answer()["seconds"][0])

        # Not at the exit of Python: R may have ended by then.
        weakref.finalize(run, backend.call, "forget", key=key).atexit = False
        return Contender(run, seconds, note="by R's clock, in double; with the derivative by X")

    return make


ENGINES: Mapping[str, Engine] = MappingProxyType(
    {
        ONE_PASS: Engine(_one_pass),
        MOMENTS_PASS: Engine(_moments_pass),
        "matbackprop, compact": Engine(_compact),
        "torch": Engine(_torch, ("torch",)),
        "torch.compile": Engine(_torch_compiled, ("torch",)),
        "JAX": Engine(_jax, ("jax",)),
        "autograd": Engine(_autograd, ("autograd",), rounds=3),
        "R matrix code": Engine(
            _in_r("network_gradient"),
            rounds=3,
            work=lambda N, p1, p2: N * p1 * p2,
            enough=5 * 10**8,
        ),
        "R loops": Engine(
            _in_r("network_loops"), rounds=3, work=lambda N, p1, p2: N * p2 * (N + p1), enough=10**7
        ),
        PRODUCTS: Engine(_products),
    }
)
"""By name. Above `enough` R would take more than some ten seconds for one gradient."""
