"""Dask's arrays and data frames: the same gradient, lazily, over processes, one of them killed."""

import sys

import cloudpickle
import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

import matbackprop as mb
from matbackprop.errors import DataError, DtypeError, MissingExtraError, ShapeError
from matbackprop.network import magnitudes
from matbackprop.streaming import Problem
from matbackprop.streaming.sources.dask_graph import FAN_IN, dask_source
from matbackprop.streaming.works.parts import Total
from matbackprop.streaming.works.survey import SurveyWork

N, P1, P2 = 1000, 3, 4
CALL = "Problem.from_dask(net, X, y)"
NORMS = {"plain": None, "ddof1": mb.BatchNorm(1, 0.0), "eps": mb.BatchNorm(0, 1e-5)}
SURVEY = SurveyWork("float64", 512, True)
CHUNKS = {
    "one": ((N, P1), (N, -1)),
    "alike": ((64, P1), (64, -1)),
    "columns apart": ((100, 1), (100, 1)),
    "rows apart": ((97, 2), (311, -1)),
    "empty ones": (((0, 600, 0, 400, 0), P1), (500, -1)),
}


def arrays(rng, q=None):
    X = rng.standard_normal((N, P1)) + 1
    y = rng.standard_normal(N if q is None else (N, q))
    return X, y, rng.integers(0, 4, N).astype(float)


def frame(X, y, weights, npartitions=7):
    columns = {f"x{j}": X[:, j] for j in range(P1)} | {"w": weights}
    columns |= {"y": y} if y.ndim == 1 else {f"y{k}": y[:, k] for k in range(y.shape[1])}
    table = dd.from_pandas(pd.DataFrame(columns), npartitions=npartitions)
    outcome = "y" if y.ndim == 1 else [f"y{k}" for k in range(y.shape[1])]
    return table[[f"x{j}" for j in range(P1)]], table[outcome], table["w"]


def parameters(rng, q=None, batch_norm=True):
    return mb.Parameters.random(P1, P2, rng=rng, q=q, batch_norm=batch_norm)


class Spy:
    """A work that notes of which library the rows are, and carries parameters about."""

    def __init__(self, parameters=None):
        self.seen, self.parameters = set(), parameters

    def __call__(self, chunk):
        self.seen.add(type(chunk.X))
        return Total(0)


class RefusalError(AssertionError):
    """Raised by a scheduler that is not to be used."""


def refuse(*args, **kwargs):
    raise RefusalError


@pytest.fixture
def nothing_computed():
    with dask.config.set(scheduler=refuse):
        with pytest.raises(RefusalError):
            da.ones(3).compute()
        yield


class TestTheSameGradient:
    @pytest.mark.parametrize("chunks", CHUNKS)
    @pytest.mark.parametrize("weighted", [False, True], ids=["", "weights"])
    @pytest.mark.parametrize("norm", NORMS)
    @pytest.mark.parametrize("q", [None, 3])
    def test_of_arrays(self, rng, assert_agree, chunks, weighted, norm, q):
        X, y, weights = arrays(rng, q)
        weights = weights if weighted else None
        net, par = mb.Network("relu", NORMS[norm]), parameters(rng, q, norm != "plain")
        of_X, of_y = CHUNKS[chunks]
        lazy = None if weights is None else da.from_array(weights, chunks=77)
        found = Problem.from_dask(
            net, da.from_array(X, of_X), da.from_array(y, of_y[: y.ndim]), weights=lazy
        )
        wanted = Problem.from_arrays(net, X, y, weights=weights)
        assert (found.rows, found.weight) == (wanted.rows, wanted.weight)
        sizes = magnitudes(net, par, X, y)
        if weights is not None:
            repeated = (np.repeat(a, weights.astype(int), axis=0) for a in (X, y))
            sizes = magnitudes(net, par, *repeated)
        assert_agree(found.gradient(par), wanted.gradient(par), sizes, 1e-12)
        assert abs(found.loss(par) - wanted.loss(par)) <= 1e-12 * sizes["loss"]

    @pytest.mark.parametrize("weighted", [False, True], ids=["", "weights"])
    @pytest.mark.parametrize("q", [None, 3])
    @pytest.mark.parametrize("mixed", [False, True], ids=["", "with an array"])
    def test_of_data_frames(self, rng, assert_agree, weighted, q, mixed):
        X, y, weights = arrays(rng, q)
        net, par = mb.Network("tanh"), parameters(rng, q)
        of_X, of_y, of_weights = frame(X, y, weights)
        if mixed:
            of_X = of_X.to_dask_array()
        given = of_weights if weighted else None
        found = Problem.from_dask(net, of_X, of_y, weights=given).gradient(par)
        wanted = Problem.from_arrays(net, X, y, weights=weights if weighted else None).gradient(par)
        assert_agree(found, wanted, magnitudes(net, par, X, y), 1e-12)
        assert found.input_names == (None if mixed else ("x0", "x1", "x2"))
        assert found.output_names == (("y",) if q is None else ("y0", "y1", "y2"))

    @pytest.mark.parametrize("of_frames", [False, True], ids=["arrays", "frames"])
    def test_in_float32(self, rng, assert_agree, of_frames):
        X, y, weights = (a.astype(np.float32) for a in arrays(rng))
        net, wide = mb.Network("relu"), parameters(rng)
        par = mb.Parameters.from_vector(wide.to_vector().astype(np.float32), like=wide)
        par = mb.Parameters(*(np.float32(b) for b in (par.Gamma1, par.Gamma2, par.gamma, par.beta)))
        lazy = frame(X, y, weights)[:2] if of_frames else (da.from_array(X, (64, 3)), da.asarray(y))
        problem = Problem.from_dask(net, *lazy)
        g = problem.gradient(par)
        assert g.Gamma1.dtype == problem.predict(par).dtype == np.float32
        wanted = Problem.from_arrays(net, X, y).gradient(par)
        assert_agree(g, wanted, magnitudes(net, par, X, y), tolerance=1e-6)

    def test_blocks_of_another_library_stay_what_they_are(self, rng, torch):
        """As blocks of CuPy's would."""
        X, y, _ = arrays(rng)
        foreign = [
            da.from_array(a, 128).map_blocks(torch.tensor, meta=np.empty((0,) * a.ndim))
            for a in (X, y)
        ]
        work = Spy()
        source = dask_source(*foreign, None, call=CALL)
        assert source.total(work, threads=1, progress=print)[1] == N
        assert work.seen == {torch.Tensor}

    @pytest.mark.parametrize("q", [None, 1, 3])
    @pytest.mark.parametrize("of_frames", [False, True], ids=["arrays", "frames"])
    def test_predictions(self, rng, q, of_frames):
        X, y, weights = arrays(rng, q)
        net, par = mb.Network("tanh"), parameters(rng, q)
        lazy = (da.from_array(X, (97, 2)), da.from_array(y, 100))
        problem = Problem.from_dask(net, *(frame(X, y, weights)[:2] if of_frames else lazy))
        fitted = problem.predict(par)
        assert isinstance(fitted, da.Array)
        assert fitted.ndim == y.ndim
        assert fitted.dtype == np.float64
        if not of_frames:
            assert fitted.chunks[0] == lazy[0].chunks[0]
            assert fitted.shape == y.shape
        error = np.abs(fitted.compute() - mb.predict(net, par, X))
        assert (error <= 1e-12 * magnitudes(net, par, X, y)["fitted"]).all()

    def test_predictions_of_unknown_and_empty_partitions(self, rng):
        X, y, _ = arrays(rng)
        par = parameters(rng)
        first = da.from_array(np.arange(N) < 500, 100)
        kept = (da.from_array(a, (100, -1)[: a.ndim])[first] for a in (X, y))
        net = mb.Network()
        problem = Problem.from_dask(net, *kept)
        assert problem.rows == 500
        fitted = problem.predict(par)
        assert np.isnan(fitted.shape[0])
        error = np.abs(fitted.compute() - mb.predict(net, par, X[:500]))
        assert (error <= 1e-12 * magnitudes(net, par, X[:500], y[:500])["fitted"]).all()

    @pytest.mark.parametrize("place", ["order", "address"])
    def test_where_a_block_has_been_does_not_show(self, rng, place):
        """Equal to the last bit, however blocks lie in memory after a journey."""

        def elsewhere(block):
            if place == "order":
                return np.asfortranarray(block)
            buffer = np.empty(block.nbytes + 1, dtype=np.uint8)[1:]
            buffer[...] = np.ascontiguousarray(block).view(np.uint8).ravel()
            return buffer.view(block.dtype).reshape(block.shape)

        X, y, _ = arrays(rng)
        net, par = mb.Network("tanh"), parameters(rng)
        lazy = da.from_array(X, (50, -1)), da.from_array(y, 50)
        moved = [a.map_blocks(elsewhere, dtype=float, meta=a._meta) for a in lazy]
        one, other = (Problem.from_dask(net, *columns) for columns in (lazy, moved))
        assert_array_equal(one.gradient(par).to_vector(), other.gradient(par).to_vector())
        assert_array_equal(one.predict(par).compute(), other.predict(par).compute())

    def test_the_scheduler_does_not_show(self, rng):
        X, y, _ = arrays(rng)
        net, par = mb.Network("silu"), parameters(rng)
        problem = Problem.from_dask(net, da.from_array(X, (11, -1)), da.from_array(y, 11))
        vectors = []
        for scheduler in ("synchronous", "threads"):
            with dask.config.set(scheduler=scheduler):
                vectors.append(problem.gradient(par).to_vector())
        assert_array_equal(*vectors)


def made_when_needed(partitions, rows=10):
    """X and y from a task a partition: the same numbers whenever it runs."""

    def make(block_info):
        rng = np.random.default_rng(block_info[None]["chunk-location"])
        return rng.standard_normal(block_info[None]["chunk-shape"])

    chunks = ((rows,) * partitions, (P1 + 1,))
    data = da.map_blocks(make, chunks=chunks, dtype=float, meta=np.empty((0, 0)))
    return data[:, :P1], data[:, P1]


class TestTheGraph:
    @pytest.mark.parametrize("of_frames", [False, True], ids=["arrays", "frames"])
    @pytest.mark.parametrize(("partitions", "merges"), [(1, 0), (8, 1), (9, 2), (100, 13 + 2 + 1)])
    def test_a_task_a_partition_and_a_tree(self, rng, partitions, merges, of_frames):
        columns = arrays(rng)
        if of_frames:
            lazy = frame(*columns, partitions)
        else:
            lazy = [da.from_array(a, (-(-N // partitions), -1)[: a.ndim]) for a in columns]
        kept = dask.persist(*lazy, scheduler="synchronous")
        (graph,) = dask.optimize(dask_source(*kept, call=CALL).graph(SURVEY))
        nodes = [type(node).__name__ for node in dict(graph.__dask_graph__()).values()]
        # Dask wraps each partition of a frame that was kept in a task, whatever is done with it.
        own = 3 * partitions if of_frames else 0
        assert nodes.count("Task") == partitions + merges + own
        assert merges <= partitions / (FAN_IN - 1) + 2

    def test_the_parameters_are_in_it_once(self):
        source = dask_source(*made_when_needed(50), None, call=CALL)
        work = Spy(parameters=np.random.default_rng(0).random(40_000))
        (graph,) = dask.optimize(source.graph(work))
        size = len(cloudpickle.dumps(dict(graph.__dask_graph__())))
        assert 1 < size / work.parameters.nbytes < 1.25

    def test_nothing_is_computed_early(self, nothing_computed):
        X, y = made_when_needed(1000, rows=10**9)
        assert X.nbytes > 1e13
        source = dask_source(X, y, abs(y), call=CALL)
        assert source.layout.p1 == P1
        assert source.graph(SURVEY).numblocks == (1,)
        with pytest.raises(RefusalError):
            source.total(SURVEY, threads=1, progress=print)

    @pytest.mark.parametrize("of_frames", [False, True], ids=["arrays", "frames"])
    def test_predictions_are_not_computed_early(self, rng, of_frames):
        X, y, weights = arrays(rng)
        lazy = frame(X, y, weights)[:2] if of_frames else made_when_needed(5)
        problem = Problem.from_dask(mb.Network("tanh"), *lazy)
        with dask.config.set(scheduler=refuse):
            fitted = problem.predict(parameters(rng))
            with pytest.raises(RefusalError):
                fitted.compute()

    def test_only_sums_travel(self, rng):
        """What a task hands on, and what comes back, is as large as a gradient, not as the rows."""
        X, y, weights = (a.repeat(20, axis=0) for a in arrays(rng))
        kept = dask.persist(*(da.from_array(a, 500) for a in (X, y, weights)))
        problem = Problem.from_dask(mb.Network("relu"), *kept[:2], weights=kept[2])
        handed_on, came_back = [], []

        def get(graph, keys, **options):
            came_back.append(dask.get(graph, keys, **options))
            return came_back[-1]

        class Watch(dask.callbacks.Callback):
            def _posttask(self, key, result, graph, state, worker):
                handed_on.append(result)

        with dask.config.set(scheduler=get), Watch():
            problem.gradient(parameters(rng))
        sizes = [len(cloudpickle.dumps(r)) for r in handed_on if not isinstance(r, np.ndarray)]
        assert len(sizes) > len(X) / 500
        assert max(*sizes, len(cloudpickle.dumps(came_back))) < 3000 < X[:500].nbytes


class TestBadInput:
    def source(self, X, y, weights=None):
        return dask_source(X, y, weights, call=CALL)

    def test_arrays_in_memory(self, rng):
        X, y, _ = arrays(rng)
        message = r"got X a numpy\.ndarray\. Arrays in memory go to `Problem\.from_arrays`"
        with pytest.raises(DtypeError, match=message):
            Problem.from_dask(mb.Network(), X, y)
        with pytest.raises(DtypeError, match=r"got weights a builtins\.list"):
            self.source(da.from_array(X), da.from_array(y), [1.0] * N)

    @pytest.mark.parametrize("module", ["dask", "dask.array"])
    def test_dask_is_not_installed(self, monkeypatch, module):
        monkeypatch.setitem(sys.modules, module, None)
        with pytest.raises(MissingExtraError, match=r"pip install 'matbackprop\[dask\]'"):
            Problem.from_dask(mb.Network(), None, None)

    @pytest.mark.parametrize(
        ("shapes", "message"),
        [
            (((9,), (9,)), r"needs X of shape \(N, p1\); got \(9,\)"),
            (((9, 2), (8,)), r"a row for each of the 9 rows of X; got \(8,\)"),
            (((9, 2), ()), r"needs y of shape"),
            (((9, 2), (9,), (9, 1)), r"weights of shape \(9,\).*got \(9, 1\)"),
        ],
    )
    def test_shapes(self, nothing_computed, shapes, message):
        with pytest.raises(ShapeError, match=message):
            self.source(*map(da.ones, shapes))

    def test_no_row(self, rng):
        with pytest.raises(DataError, match=r"at least one row; X has shape \(0, 2\)"):
            self.source(da.ones((0, 2)), da.ones(0))
        X, y, weights = frame(*arrays(rng))
        with pytest.raises(DataError, match="needs at least one row; there was none"):
            Problem.from_dask(mb.Network(), X[weights > 99], y[weights > 99])

    def test_complex_numbers(self, nothing_computed):
        y = da.ones(9)
        with pytest.raises(DtypeError, match=r"real numbers in X; got dtype complex128.*real part"):
            self.source(da.ones((9, 2), dtype=complex), y)
        with pytest.raises(DtypeError, match="real numbers in weights; got dtype object"):
            self.source(da.ones((9, 2)), y, y.astype(object))

    def test_a_column_of_text(self, nothing_computed):
        table = dd.from_pandas(pd.DataFrame({"a": [1.0, 2.0], "b": ["u", "v"]}), npartitions=1)
        with pytest.raises(DtypeError, match=r"real numbers in X; column 'b' has dtype str"):
            self.source(table, table["a"])
        with pytest.raises(DtypeError, match=r"real numbers in y; column 'b' has dtype str"):
            self.source(table[["a"]], table["b"])

    def test_partitions_that_do_not_match(self, rng, nothing_computed):
        columns = arrays(rng)
        X = frame(*columns)[0]
        with pytest.raises(ShapeError, match=r"same partitions.*got X 7, y 3 of them"):
            self.source(X, frame(*columns, npartitions=3)[1])
        with pytest.raises(ShapeError, match=r"X 7, y 1 of them.*compute_chunk_sizes"):
            self.source(X, da.from_array(columns[1]))

    @pytest.mark.parametrize("of_frames", [False, True], ids=["arrays", "frames"])
    def test_rows_that_do_not_match(self, rng, of_frames):
        X, y, weights = frame(*arrays(rng), npartitions=2)
        fewer = y[weights > 0]
        if of_frames:
            with pytest.raises(
                DataError, match=r"partition [01]` needs X and y with the same row l"
            ):
                Problem.from_dask(mb.Network(), X, fewer)
        else:
            message = r"partition [01]` needs y of shape .* each of the 500 rows of X; got \(\d+,\)"
            with pytest.raises(ShapeError, match=message):
                Problem.from_dask(mb.Network(), X.to_dask_array(), fewer.to_dask_array())

    def test_blocks_that_are_not_as_declared(self):
        wrong = da.from_delayed(dask.delayed(np.ones)((5, 4)), shape=(5, 3), dtype=float)
        with pytest.raises(ShapeError, match=r"partition 0` needs .*\(3,\) columns.*got \(4,\)"):
            Problem.from_dask(mb.Network(), wrong, da.ones(5))
        unknown = da.from_delayed(dask.delayed(np.ones)((5, 4)), shape=(5, np.nan), dtype=float)
        with pytest.raises(ShapeError, match="how many columns X has"):
            self.source(unknown, da.ones(5))

    @pytest.mark.parametrize("kind", ["arrays", "frames", "unknown sizes"])
    def test_a_missing_entry(self, rng, kind):
        X, y, weights = arrays(rng)
        X[753, 1] = np.nan
        if kind == "arrays":
            lazy = [da.from_array(X, (100, -1)), da.from_array(y, 100)]
            where = r"row 53 of partition 7 \(row 753 of all\), column 1 \(counted"
        else:
            lazy = frame(X, y, weights, npartitions=10)[:2]
            where = r"row 53 of partition 7 \(row 753 of all\), column 1"
            if kind == "unknown sizes":
                lazy = [column.to_dask_array() for column in lazy]
            else:
                where += r" \('x1'\)"
        with pytest.raises(DataError, match=rf"X has NaN at {where}"):
            Problem.from_dask(mb.Network(), *lazy)

    def test_integers_with_a_missing_entry(self):
        table = pd.DataFrame({"a": pd.array([1, 2, None, 4], dtype="Int64"), "y": [0.0] * 4})
        lazy = dd.from_pandas(table, npartitions=2)
        with pytest.raises(DataError, match=r"X has NaN at row 0 of partition 1 \(row 2 of all\)"):
            Problem.from_dask(mb.Network(), lazy[["a"]], lazy["y"])
        with pytest.raises(DataError, match=r"y has NaN at row 0 of partition 1"):
            Problem.from_dask(mb.Network(), lazy[["y"]], lazy["a"])
