"""Every case, derived, against witnesses that share no code with the engine.

The witness of a value is the NumPy function of the case, that of a derivative its complex step
(for a Hessian, differences of complex steps); emitted code runs by itself; R runs in R.
"""

import inspect
import re
import warnings
from functools import cache
from pathlib import Path
from statistics import median

import numpy as np
import pytest
import scipy.special
from matplotlib.mathtext import MathTextParser

from matbackprop.bench.cases import read_cases
from matbackprop.rbridge import connect
from matbackprop.symbolic import derive, hessian, jacobian
from matbackprop.symbolic.expressions.dimension import same
from matbackprop.symbolic.notations import count_nodes, read, tree_of

CASES = read_cases()
MORE = read_cases(Path(__file__).with_name("more_cases.json"))
ALL = CASES + MORE
DERIVE = {"gradient": derive, "jacobian": jacobian, "hessian": hessian}
DRAW = {
    "normal": lambda rng, shape: 0.8 * rng.standard_normal(shape),
    "positive": lambda rng, shape: rng.uniform(0.5, 1.5, shape),
    "unit": lambda rng, shape: rng.uniform(0.05, 0.95, shape),
    "well": lambda rng, shape: 2 * np.eye(*shape) + 0.3 * rng.standard_normal(shape),
    "spd": lambda rng, shape: (B := rng.standard_normal(shape)) @ B.T + np.eye(*shape),
    "pm1": lambda rng, shape: rng.choice([-1.0, 1.0], shape),
    "binary": lambda rng, shape: rng.choice([0.0, 1.0], shape),
    "onehot": lambda rng, shape: (
        np.eye(shape[0])[:, [rng.integers(shape[0])]]
        if shape[1] == 1
        else np.eye(shape[1])[rng.integers(shape[1], size=shape[0])]
    ),
    "orthogonal": lambda rng, shape: np.linalg.qr(rng.standard_normal(shape))[0],
}
SIXTH_ORDER = [(k, w) for k, w in ((1, 3 / 4), (2, -3 / 20), (3, 1 / 60))]

each = pytest.mark.parametrize("case", ALL, ids=lambda case: case.id)
each_ideal = pytest.mark.parametrize(
    "case", [case for case in CASES if case.ideal], ids=lambda case: case.id
)


@cache
def derivation(case):
    return DERIVE[case.kind](case.source(), case.wrt)


def function(case):
    return eval(case.numpy, {"np": np, "special": scipy.special})


def points(case, count=3):
    """Draw values of the variables, in order, as the case file says."""
    rng = np.random.default_rng(11)
    return [{name: drawn(case, name, rng) for name in case.shapes} for _ in range(count)]


def drawn(case, name, rng):
    shape = tuple(case.sizes.get(dim, dim) for dim in case.shapes[name])
    flags = case.assume.get(name, ())
    chosen = next((flag for flag in ("orthogonal", "spd") if flag in flags), "normal")
    X = np.asarray(DRAW[case.domains.get(name, chosen)](rng, shape))
    if "diagonal" in flags:
        X = X * np.eye(*shape)
    return (X + X.T) / 2 if {"symmetric", "diagonal", "spd"} & {*flags} else X


def moved(X, index, step):
    Z = X.astype(np.result_type(X, step))
    Z[index] += step
    return Z


def entries(X):
    """Return the indices of X by columns."""
    return [index[::-1] for index in np.ndindex(X.shape[::-1])]


def by_complex_step(f, at, wrt):
    """Return ∂vec f/∂vec(X)ᵀ."""
    columns = [
        np.ravel(np.imag(f(*{**at, wrt: moved(at[wrt], index, 1e-30j)}.values())), order="F")
        for index in entries(at[wrt])
    ]
    return np.stack(columns, axis=1) / 1e-30


def by_differences(f, at, wrt, h=2e-3):
    """Return ∂²f/∂vec(X)∂vec(X)ᵀ."""
    columns = []
    for index in entries(at[wrt]):
        ahead = {
            k: by_complex_step(f, {**at, wrt: moved(at[wrt], index, k * h)}, wrt)[0]
            for k in (-3, -2, -1, 1, 2, 3)
        }
        columns.append(sum(w * (ahead[k] - ahead[-k]) for k, w in SIXTH_ORDER) / h)
    return np.stack(columns, axis=1)


def witness(case, at):
    """Return the derivative, numerically."""
    f = function(case)
    if case.kind == "hessian":
        return by_differences(f, at, case.wrt)
    J = by_complex_step(f, at, case.wrt)
    if case.kind == "jacobian":
        return J
    X = at[case.wrt]
    G = J[0].reshape(X.shape, order="F")
    flags = case.assume.get(case.wrt, ())
    if "diagonal" in flags:
        return G * np.eye(*G.shape)
    if {"symmetric", "spd"} & {*flags}:
        return (G + G.T) / 2
    return (G - X @ G.T @ X) / 2 if "orthogonal" in flags else G


def assert_close(value, wanted, rtol):
    """Compare, relative to the largest entry: small ones are sums of large ones."""
    assert np.shape(value) == np.shape(wanted)
    np.testing.assert_allclose(value, wanted, rtol=0, atol=rtol * max(1, np.max(np.abs(wanted))))


def loaded(code, name):
    """Return a function of Python text."""
    scope = {}
    exec(code, scope)
    return scope[name]


def arguments(f, case, at):
    known = {**case.sizes, **at}
    return [known[parameter] for parameter in inspect.signature(f).parameters]


def called(code, name, case, at):
    f = loaded(code, name)
    return f(*arguments(f, case, at))


@each
def test_equals_the_numerical_derivative(case):
    result = derivation(case).result
    for at in points(case):
        wanted = witness(case, at)
        value = result.evaluate({**case.sizes, **at})
        if case.kind == "jacobian" and wanted.size == 1:
            value = np.reshape(value, wanted.shape)
        assert_close(value, wanted, 1e-9)


@each
def test_has_its_shape_and_its_certificate(case):
    found = derivation(case)
    assert found.certificate.ok
    if case.kind == "gradient":
        assert all(map(same, found.result.shape, case.variable().shape))  # 6 may be k·p


@each
def test_the_text_reads_back(case):
    found = derivation(case)
    text = found.to_dict()["result"]["matlab"]
    again = read(text, shapes=case.shapes, assume=case.assume, domains=case.domains)
    for at in points(case, 1):
        at |= case.sizes
        assert_close(np.squeeze(again.evaluate(at)), np.squeeze(found.result.evaluate(at)), 1e-10)


@each
def test_the_numpy_code_runs(case):
    found = derivation(case)
    code = found.to_numpy()
    with warnings.catch_warnings(), np.errstate(all="raise", under="ignore"):
        warnings.simplefilter("error")
        for at in points(case, 2):
            value = called(code, "value", case, at)
            wanted = np.squeeze(function(case)(*at.values()))
            assert_close(np.squeeze(value), wanted, 1e-11)
            wanted = found.result.evaluate({**case.sizes, **at})
            assert_close(called(code, case.kind, case, at), wanted, 1e-11)


@each
def test_every_step_holds(case):
    steps = derivation(case).steps
    assert len(steps) > 1
    assert all(step.rule and step.error <= 1e-9 for step in steps)


@each
def test_the_latex_parses(case):
    parser = MathTextParser("path")
    latex = re.sub(r"\\([lr])[vV]ert", "|", derivation(case).to_latex())
    for line in re.sub(r"\\(begin|end)\{\w+\}|&", "", latex).split(r"\\"):
        if line.strip() and line.strip() != r"\text{where}":
            parser.parse(f"${line.strip()}$".replace(r"\text{where}", ""))


@each_ideal
def test_is_hardly_larger_than_the_ideal(case):
    assert count_nodes(tree_of(str(derivation(case).result))) <= 2 * count_nodes(
        tree_of(case.ideal)
    )


def test_half_are_no_larger_than_the_ideal():
    ratios = [
        count_nodes(tree_of(str(derivation(case).result))) / count_nodes(tree_of(case.ideal))
        for case in CASES
        if case.ideal
    ]
    assert median(ratios) <= 1


@pytest.mark.parametrize("case", [c for c in MORE if c.ideal], ids=lambda case: case.id)
def test_the_ideal_is_right(case):
    """An author's form must itself be a derivative."""
    (at,) = points(case, 1)
    ideal = read(case.ideal, shapes=case.shapes, assume=case.assume)
    wanted = witness(case, at)
    value = np.reshape(ideal.evaluate({**case.sizes, **at}), wanted.shape)
    assert_close(value, wanted, 1e-8)


HARNESS = """
run <- function(codes, names, arguments) {
  lapply(seq_along(codes), function(i) {
    scope <- new.env(parent = globalenv())
    eval(parse(text = codes[[i]]), scope)
    lapply(seq_along(names[[i]]), function(j) {
      do.call(scope[[names[[i]][[j]]]], arguments[[i]][[j]])
    })
  })
}
"""


@pytest.mark.r
def test_the_r_code_equals_the_numpy_code(live_engine, tmp_path):
    (tmp_path / "all.R").write_text(HARNESS, encoding="ascii")
    names = [["value", case.kind] for case in ALL]
    given, wanted = [], []
    for case, both in zip(ALL, names, strict=True):
        (at,) = points(case, 1)
        functions = [loaded(derivation(case).to_numpy(), name) for name in both]
        # By position, for a name such as c is another one in R.
        takes = [arguments(f, case, at) for f in functions]
        given.append([[np.asarray(a, dtype=float) for a in taken] for taken in takes])
        wanted.append([f(*taken) for f, taken in zip(functions, takes, strict=True)])
    codes = [derivation(case).to_r() for case in ALL]
    backend = connect(live_engine, reference=tmp_path)
    found = backend.call("run", codes=codes, names=names, arguments=given)
    for case, ours, theirs in zip(ALL, wanted, found, strict=True):
        for value, value_in_r in zip(ours, theirs, strict=True):
            assert np.shape(value_in_r) == (np.shape(value) or (1,)), case.id
            assert_close(np.reshape(value_in_r, np.shape(value)), value, 1e-12)
