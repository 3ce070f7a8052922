"""Symbolic derivatives: how large beside the ideal, how long they take, how fast they run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from matbackprop._typing import Progress
from matbackprop._validation import check_count
from matbackprop.batchnorm import without_compiling
from matbackprop.bench.cases import Case, read_cases
from matbackprop.bench.timing import median_seconds
from matbackprop.network import BatchNorm, Network, Parameters
from matbackprop.network.closed_form import compact
from matbackprop.symbolic import Expr, parse
from matbackprop.symbolic.differentiation import derived
from matbackprop.symbolic.emission import to_numpy
from matbackprop.symbolic.expressions.construct import forget
from matbackprop.symbolic.notations import count_nodes, tree_of

if TYPE_CHECKING:
    import pandas as pd

CASES: tuple[Case, ...] = read_cases()
NETWORK = "H = batchnorm(X*Gamma1, gamma, beta); norm2({a}(H)*Gamma2-y)^2/N"
NETWORK_SHAPES = {
    "X": ("N", "p1"),
    "Gamma1": ("p1", "p2"),
    "gamma": ("p2", 1),
    "beta": ("p2", 1),
    "Gamma2": ("p2", 1),
    "y": ("N", 1),
}
WANTED = tuple(name for name in NETWORK_SHAPES if name != "y")
SIZES = {"N": 20_000, "p1": 32, "p2": 64}
ACTIVATIONS = ("tanh", "relu")


def bench_symbolic(
    *, repeats: int = 15, progress: Progress = lambda done, total, what: None
) -> pd.DataFrame:
    """Measure every case of the package, and the batch-norm network with all five gradients.

    The size is the number of different nodes of the printed result, read again as it stands.
    A time is that of derivation and simplification; the certificate is not counted.

    Parameters
    ----------
    repeats
        How many rounds; the medians are reported.
    progress
        Called before each case.

    Returns
    -------
    Columns `part` and `case`, then `size`, `ideal`, `ratio` and `milliseconds`, NaN where there
    is none. The parts are a row for each case, by its category; "all cases", the median and the
    largest of these; and "batch-norm network": the derivation of its gradients, and their
    emitted NumPy code beside the closed form written by hand, whose ratio is one of times.

    Raises
    ------
    OptionError
        If `repeats` is no positive integer.
    """
    import pandas as pd

    check_count(repeats, call="bench_symbolic(repeats=)", name="repeats")
    total = len(CASES) + 1
    rows: list[dict[str, Any]] = []
    for done, case in enumerate(CASES):
        progress(done, total, case.id)
        rows.append(_measured(case, repeats))
    frame = pd.DataFrame(rows)
    for what, of in (("median", frame.median), ("largest", frame.max)):
        rows.append({"part": "all cases", "case": what, **of(numeric_only=True)})
    progress(len(CASES), total, "the batch-norm network")
    rows += [{"part": "batch-norm network", **row} for row in _network_rows(repeats)]
    progress(total, total, "done")
    return pd.DataFrame(rows)


def _measured(case: Case, repeats: int) -> dict[str, Any]:
    source, X = case.source(), case.variable()

    def run() -> Expr:
        forget()  # each time as the first time
        return derived(source, [X], case.kind)[X]

    size = count_nodes(tree_of(str(run())))
    ideal = np.nan if case.ideal is None else count_nodes(tree_of(case.ideal))
    return {
        "part": case.category.replace("_", " "),
        "case": case.id,
        "size": size,
        "ideal": ideal,
        "ratio": size / ideal,
        "milliseconds": 1e3 * median_seconds({"": run}, repeats=repeats)[""],
    }


def _network_rows(repeats: int) -> Iterator[dict[str, Any]]:
    for a in ACTIVATIONS:
        L = parse(NETWORK.format(a=a), shapes=NETWORK_SHAPES)
        variables = [L.variables()[name] for name in WANTED]

        def run(L: Expr = L, variables: Any = variables) -> dict[Any, Expr]:
            forget()
            return derived(L, variables, "gradient")

        found = {X.name: G for X, G in run().items()}
        seconds = median_seconds({"": run}, repeats=repeats)[""]
        yield {"case": f"{a}: five gradients derived", "milliseconds": 1e3 * seconds}
        times = median_seconds(_contenders(a, L, found), repeats=repeats)
        for who, taken in times.items():
            ratio = taken / times["by hand"]
            yield {"case": f"{a}: {who}", "ratio": ratio, "milliseconds": 1e3 * taken}


def _contenders(a: str, L: Expr, found: dict[str, Expr]) -> dict[str, Callable[[], object]]:
    """Return the ways to the five gradients, at one point."""
    rng = np.random.default_rng(0)
    par = Parameters.random(SIZES["p1"], SIZES["p2"], rng=rng)
    X = rng.standard_normal((SIZES["N"], SIZES["p1"]))
    y = rng.standard_normal(SIZES["N"])
    net = Network(activation=a, batch_norm=BatchNorm(), loss="mse")
    code: dict[str, Any] = {}
    exec(to_numpy({"gradient": found}, arguments=list(L.variables().values())), code)
    values = {"X": X, "y": y}
    values |= {name: getattr(par, name) for name in WANTED[1:]}
    arguments = [values[name] for name in L.variables()]

    def by_hand() -> object:
        return compact(net, par, X, y, inputs=True)

    def by_hand_uncompiled() -> object:
        with without_compiling():
            return by_hand()

    return {
        "by hand": by_hand,
        "by hand, NumPy alone": by_hand_uncompiled,
        "emitted": lambda: code["gradient"](*arguments),
    }
