"""Blocks that are made anew for each pass."""

import gc
import itertools
import threading
import weakref

import array_api_strict
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

import matbackprop as mb
from matbackprop.errors import DataError, DtypeError, ShapeError
from matbackprop.network import magnitudes
from matbackprop.streaming import Problem

NET = mb.Network("tanh")


class Anew:
    """Begins anew each time; what it yields may differ from pass to pass."""

    def __init__(self, *passes):
        self.passes, self.begun = passes, 0

    def __iter__(self):
        self.begun += 1
        return iter(self.passes[min(self.begun, len(self.passes)) - 1])


def blocks(X, y, cuts, weights=None):
    edges = [0, *cuts, len(X)]
    pairs = list(itertools.pairwise(edges))
    if weights is None:
        return [(X[i:j], y[i:j]) for i, j in pairs]
    return [(X[i:j], y[i:j], weights[i:j]) for i, j in pairs]


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(0, 8),
    f=st.sampled_from(["relu", "tanh"]),
    norm=st.sampled_from([None, mb.BatchNorm(1, 0.0), mb.BatchNorm(0, 0.3)]),
    threads=st.sampled_from([1, 2, 5]),
    weighted=st.booleans(),
    offset=st.sampled_from([0.0, 30.0]),
)
def test_the_partition_does_not_matter(
    draw, assert_agree, seed, count, f, norm, threads, weighted, offset
):
    rng = np.random.default_rng(seed)
    net = mb.Network(f, norm)
    par, X, y = draw(rng, N=200, batch_norm=norm is not None)
    X = X + offset
    w = rng.uniform(0, 2, 200) if weighted else None
    cuts = np.sort(rng.choice(np.arange(1, 200), count, replace=False))
    whole = Problem.from_arrays(net, X, y, weights=w)
    problem = Problem.from_blocks(net, blocks(X, y, cuts, w), threads=threads)
    sizes = magnitudes(net, par, X, y)
    assert (problem.rows, problem.weight) == (200, pytest.approx(whole.weight, rel=1e-14))
    assert_agree(problem.gradient(par), whole.gradient(par), sizes, 1e-12)
    assert abs(problem.loss(par) - whole.loss(par)) <= 1e-12 * sizes["loss"]
    fitted = [np.concatenate([*p.predict(par)]) for p in (problem, whole)]
    # Of the largest: with weights other entries may be on the flat side of relu than without.
    assert np.abs(fitted[0] - fitted[1]).max() <= 1e-12 * sizes["fitted"].max()


@pytest.mark.parametrize("f", ["relu", "tanh"])
def test_threads_change_not_one_bit(rng, draw, same_bits, f):
    par, X, y = draw(rng, N=3000)
    cuts = np.sort(rng.choice(np.arange(1, 3000), 40, replace=False))
    found = [
        Problem.from_blocks(mb.Network(f), blocks(X, y, cuts), threads=t).gradient(par)
        for t in (1, 2, 5)
    ]
    assert same_bits(found[0], found[1])
    assert same_bits(found[0], found[2])


@pytest.mark.parametrize("where", [[0], [3], [10], [0, 1, 5, 10, 10]])
@pytest.mark.parametrize("threads", [1, 2])
def test_blocks_without_rows_may_come_in_between(rng, draw, assert_agree, where, threads):
    """As they do from a filter, or from files one of which is empty."""
    par, X, y = draw(rng)
    parts = blocks(X, y, range(15, 150, 15))
    for i in where:
        parts.insert(i, (X[:0], y[:0]))
    problem = Problem.from_blocks(NET, parts, threads=threads)
    assert problem.rows == 150
    assert_agree(problem.gradient(par), mb.gradient(NET, par, X, y), magnitudes(NET, par, X, y))
    assert np.concatenate([*problem.predict(par)]).shape == (150,)


def test_what_may_be_iterated_and_what_may_not(rng, draw):
    _, X, y = draw(rng)
    for fine in ([(X, y)], ((X, y),), Anew([(X, y)]), {0: (X, y)}.values()):
        assert Problem.from_blocks(NET, fine).rows == 150
    for wrong, name in [
        (((X, y) for _ in range(1)), "generator"),
        (iter([(X, y)]), "list_iterator"),
        (map(tuple, [(X, y)]), "map"),
        (5, "int"),
        (None, "NoneType"),
    ]:
        with pytest.raises(
            DtypeError, match=rf"iterated again and again; got {name}. Pass a list, or"
        ):
            Problem.from_blocks(NET, wrong)


X2, X3, Y = np.ones((4, 2)), np.ones((4, 3)), np.arange(4.0)
R = np.random.default_rng(0).standard_normal((4, 2))
BAD = {
    "no block": ([], DataError, "needs at least one block; there was none"),
    "nothing but blocks without rows": ([(X2[:0], Y[:0])], DataError, "at least one row"),
    "not a tuple": (
        [(R, Y), R],
        DtypeError,
        "block 1` needs each block to be a tuple .*; got ndarray",
    ),
    "the arrays themselves": (
        (R, Y),
        DtypeError,
        "block 0` needs each block to be a tuple .*; got ndarray",
    ),
    "a dict": (
        [{"X": R, "y": Y}],
        DtypeError,
        "block 0` needs each block to be a tuple .*; got dict",
    ),
    "four in a tuple": ([(R, Y, Y, Y)], DtypeError, "block 0` needs each block to be a tuple"),
    "width": (
        [(R, Y), (R, Y), (X3, Y)],
        ShapeError,
        r"block 0 has X \(n, 2\) and y \(n,\), block 2 has X \(n, 3\) and y \(n,\)",
    ),
    "outcomes": (
        [(R, Y), (R, R)],
        ShapeError,
        r"block 0 has X \(n, 2\) and y \(n,\), block 1 has X \(n, 2\) and y \(n, 2\)",
    ),
    "dtype": (
        [(R, Y), (np.float32(R), np.float32(Y))],
        DtypeError,
        "block 0 is float64, block 1 is float32. Convert them with `.astype`",
    ),
    "weights": (
        [(R, Y), (R, Y, Y)],
        ShapeError,
        "weights in every block or in none; block 0 and block 1 differ",
    ),
    "no weights": (
        [(R, Y, Y), (R, Y)],
        ShapeError,
        "weights in every block or in none; block 0 and block 1",
    ),
    "rows of y": (
        [(R, Y), (R, Y[:3])],
        ShapeError,
        r"block 1` needs y of shape .* 4 rows of X; got \(3,\)",
    ),
    "text": (
        [(R, Y), (R.astype(str), Y)],
        DtypeError,
        "block 1` needs real numbers in X; got dtype <U",
    ),
    "a negative weight": (
        [(R, Y, Y), (R, Y, Y - 1)],
        DataError,
        r"weights has a negative entry at row 0 of block 1 \(row 4 of all\)",
    ),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("threads", [1, 2])
def test_bad_blocks(case, threads):
    given_, error, text = BAD[case]
    with pytest.raises(error, match=rf"^`Problem.from_blocks\(net, blocks\).*{text}"):
        Problem.from_blocks(NET, given_, threads=threads)


def test_libraries_are_not_mixed_between_blocks(torch):
    tensors = torch.tensor(R), torch.tensor(Y)
    for given_ in ([(R, Y), tensors], [tensors, (R, Y)]):
        with pytest.raises(DtypeError, match="block 1"):
            Problem.from_blocks(NET, given_)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("norm", [None, mb.BatchNorm()], ids=["plain", "batch norm"])
def test_the_block_and_the_row_of_a_fault_are_named(rng, bad, norm):
    parts = [(rng.standard_normal((3, 2)), rng.standard_normal(3)) for _ in range(800)]
    parts[713][0][2, 1] = bad
    parts[799][1][0] = bad
    what = "NaN" if np.isnan(bad) else "an infinite value"
    where = r"row 2 of block 713 \(row 2141 of all\), column 1"
    text = rf"X has {what} at {where} \(counted from 0\), 2 such in all"
    for threads in (1, 3):
        with np.errstate(invalid="ignore"), pytest.raises(DataError, match=text):
            Problem.from_blocks(mb.Network(batch_norm=norm), parts, threads=threads)


def test_the_row_of_a_fault_in_a_block_of_several_stretches(rng):
    parts = [(rng.standard_normal((3000, 2)), rng.standard_normal(3000)) for _ in range(3)]
    parts[1][0][2500, 0] = np.nan
    text = r"X has NaN at row 2500 of block 1 \(row 5500 of all\), column 0"
    with pytest.raises(DataError, match=text):
        Problem.from_blocks(NET, parts)


def test_the_names_of_frames(rng):
    frame = pd.DataFrame(rng.standard_normal((4, 2)), columns=["a", "b"])
    problem = Problem.from_blocks(NET, [(frame, pd.Series(Y, name="t")), (frame, Y)])
    g = problem.gradient(mb.Parameters.random(2, 2, rng=rng))
    assert (g.input_names, g.output_names) == (("a", "b"), ("t",))
    bad = frame.copy()
    bad.loc[1, "b"] = np.nan
    with pytest.raises(DataError, match=r"row 1 of block 1 \(row 5 of all\), column 1 \('b'\)"):
        Problem.from_blocks(NET, [(frame, Y), (bad, Y)])


@pytest.mark.parametrize("method", ["gradient", "loss", "gauss_newton"])
@pytest.mark.parametrize(
    ("second", "text"),
    [
        ([(R, Y)], "passed over 4 rows, where the first look had found 8"),
        ([(R, Y)] * 3, "passed over 12 rows, where the first look had found 8"),
        ([], "rows|at least one row"),
    ],
    ids=["fewer", "more", "none"],
)
def test_other_rows_the_second_time(rng, method, second, text):
    par = mb.Parameters.random(2, 2, rng=rng)
    # The first block is looked at once before all passes.
    problem = Problem.from_blocks(NET, Anew([(R, Y)] * 2, [(R, Y)] * 2, second))

    def take(at):
        result = getattr(problem, method)(at)
        if method == "gauss_newton":
            result @ np.ones(at.to_vector().size)

    with pytest.raises(DataError, match=rf"^`problem.{method}\(par\)`.*{text}"):
        take(par)


@pytest.mark.parametrize("method", ["gradient", "loss"])
@pytest.mark.parametrize("f", ["relu", "tanh"])
def test_what_is_not_finite_the_second_time(rng, method, f):
    """The survey saw good rows; the sums of the next pass tell, and the row is named."""
    par = mb.Parameters.random(2, 2, rng=rng)
    bad = R.copy()
    bad[1, 1] = np.nan
    problem = Problem.from_blocks(
        mb.Network(f), Anew([(R, Y)] * 2, [(R, Y)] * 2, [(R, Y), (bad, Y)])
    )
    with pytest.raises(
        DataError, match=r"X has NaN at row 1 of block 1 \(row 5 of all\), column 1"
    ):
        getattr(problem, method)(par)


def test_another_width_the_second_time(rng):
    par = mb.Parameters.random(2, 2, rng=rng)
    problem = Problem.from_blocks(NET, Anew([(R, Y)] * 2, [(R, Y)] * 2, [(R, Y), (X3, Y)]))
    with pytest.raises(ShapeError, match=r"block 1 has X \(n, 3\)"):
        problem.gradient(par)


class BrokenError(Exception):
    """What a user's iterable may raise."""


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize(
    "error", [BrokenError("disk on fire"), KeyboardInterrupt(), OSError(5, "I/O")]
)
@pytest.mark.parametrize("at", [0, 1, 20])
def test_an_error_of_the_iterable_surfaces_as_it_is(threads, error, at):
    class Failing:
        armed = False

        def __iter__(self):
            for number in range(30):
                if self.armed and number == at:
                    raise error
                yield R, Y

    failing = Failing()
    problem = Problem.from_blocks(NET, failing, threads=threads)
    par = mb.Parameters.random(2, 2, rng=np.random.default_rng(0))
    good = problem.gradient(par)
    failing.armed = True
    with pytest.raises(type(error)) as caught:
        problem.gradient(par)
    assert caught.value is error
    failing.armed = False
    assert problem.gradient(par).loss == good.loss


def test_the_iterable_runs_in_the_calling_thread(rng):
    class Watched:
        def __iter__(self):
            assert threading.current_thread() is threading.main_thread()
            for _ in range(20):
                assert threading.current_thread() is threading.main_thread()
                yield R, Y

    problem = Problem.from_blocks(NET, Watched(), threads=3)
    problem.gradient(mb.Parameters.random(2, 2, rng=rng))


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("f", ["relu", "tanh"])
def test_few_blocks_are_alive_at_a_time(threads, f):
    """Two a thread, and the one being made: memory does not grow with the number of blocks."""
    alive = most = 0

    class Block(np.ndarray):
        """An array that says when it is gone: it lives as long as any view of it."""

    def gone():
        nonlocal alive
        alive -= 1

    class Made:
        def __iter__(self):
            nonlocal alive, most
            rng = np.random.default_rng(0)
            for _ in range(60):
                X = rng.standard_normal((200, 2)).view(Block)
                weakref.finalize(X, gone)
                alive += 1
                most = max(most, alive)
                yield X, np.zeros(200)
                del X

    problem = Problem.from_blocks(mb.Network(f), Made(), threads=threads)
    most = 0
    par = mb.Parameters.random(2, 2, rng=np.random.default_rng(0))
    problem.gradient(par)
    assert 1 <= most <= 2 * threads + 1
    most = 0
    for _ in problem.predict(par):
        pass
    assert most <= 3
    gc.collect()
    assert alive <= 1


def test_a_list_of_arrays_of_other_libraries(rng, draw, torch, assert_agree):
    par, X, y = draw(rng)
    for make in (torch.tensor, array_api_strict.asarray):
        parts = [(make(a), make(b)) for a, b in blocks(X, y, [40, 41, 120])]
        g = Problem.from_blocks(NET, parts).gradient(par)
        assert_agree(g, mb.gradient(NET, par, X, y), magnitudes(NET, par, X, y))


def test_each_pass_begins_anew(rng):
    given_ = Anew([(R, Y), (R + 1, Y)])
    problem = Problem.from_blocks(NET, given_)
    begun = given_.begun
    par = mb.Parameters.random(2, 2, rng=rng)
    first = problem.gradient(par)
    assert given_.begun == begun + 1
    assert_array_equal(problem.gradient(par).to_vector(), first.to_vector())
    assert given_.begun == begun + 2


@pytest.mark.parametrize("threads", [1, 2])
def test_warnings_of_the_iterable_are_heard(rng, threads):
    """What is silenced is the package's own arithmetic, not that of who makes the blocks."""

    class Noisy:
        def __iter__(self):
            for _ in range(3):
                np.log(np.zeros(1))
                yield R, Y

    with pytest.warns(RuntimeWarning, match="divide by zero encountered in log"):
        problem = Problem.from_blocks(NET, Noisy(), threads=threads)
    with pytest.warns(RuntimeWarning, match="divide by zero encountered in log"):
        problem.gradient(mb.Parameters.random(2, 2, rng=rng))
