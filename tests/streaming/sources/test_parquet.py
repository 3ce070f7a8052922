"""Columns of Parquet files, row group by row group."""

import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.testing import assert_array_equal

import matbackprop as mb
from matbackprop.errors import DataError, DtypeError, MissingExtraError, OptionError
from matbackprop.network import magnitudes
from matbackprop.streaming import Problem
from matbackprop.streaming.sources import parquet

NET = mb.Network("tanh")
NAMES = ["a", "b", "c"]


@pytest.fixture
def data(rng, draw):
    return draw(rng, N=1000, q=2)


def table(X, y, **more):
    columns = dict(zip(NAMES, X.T, strict=True)) | {f"y{k}": column for k, column in enumerate(y.T)}
    return pa.table(columns | more)


def write(path, *args, group=1000, **more):
    pq.write_table(table(*args, **more), path, row_group_size=group)
    return path


def of(files, net=NET, inputs=tuple(NAMES), outputs=("y0", "y1"), **options):
    return Problem.from_parquet(net, files, inputs=inputs, outputs=outputs, **options)


@pytest.fixture
def same(data, assert_agree):
    def check(problem, net=NET, tolerance=1e-12):
        par, X, y = data
        assert problem.rows == len(X)
        assert_agree(
            problem.gradient(par),
            mb.gradient(net, par, X, y),
            magnitudes(net, par, X, y),
            tolerance,
        )

    return check


@pytest.mark.parametrize("f", ["relu", "tanh"])
@pytest.mark.parametrize("group", [1, 7, 64, 333, 1000, 5000])
def test_row_groups_do_not_matter(tmp_path, data, same, f, group):
    _, X, y = data
    if group == 1:  # a thousand groups are a lot to read three times
        X, y = X[:50], y[:50]
        path = write(tmp_path / "a.parquet", X, y, group=1)
        assert of(path).rows == of(path, threads=1).rows == 50
        return
    path = write(tmp_path / "a.parquet", X, y, group=group)
    net = mb.Network(f)
    problem = of(str(path), net)
    same(problem, net)
    g = problem.gradient(data[0])
    assert (g.input_names, g.output_names) == (("a", "b", "c"), ("y0", "y1"))
    for threads in (1, 2, 5):
        assert_array_equal(
            of(path, net, threads=threads).gradient(data[0]).to_vector(), g.to_vector()
        )
    fitted = np.concatenate([*problem.predict(data[0])])
    np.testing.assert_allclose(fitted, mb.predict(net, data[0], X), rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("batch_bytes", [1, 8 * 6 * 512, 2**23])
def test_a_row_group_larger_than_a_batch(tmp_path, data, same, monkeypatch, batch_bytes):
    monkeypatch.setattr(parquet, "BATCH_BYTES", batch_bytes)
    same(of(write(tmp_path / "a.parquet", *data[1:])))


def test_files_in_a_folder_by_name_or_in_the_order_given(tmp_path, data, same):
    _, X, y = data
    for number, (i, j) in {2: (0, 300), 10: (300, 301), 1: (301, 1000)}.items():
        write(tmp_path / f"part-{number:02d}.parquet", X[i:j], y[i:j], group=100)
    (tmp_path / "README.txt").write_text("not data")
    (tmp_path / "_SUCCESS").write_bytes(b"")
    same(of(tmp_path))
    ordered = of([tmp_path / f"part-{n}.parquet" for n in ("02", "10", "01")])
    same(ordered)
    fitted = np.concatenate([*ordered.predict(data[0])])
    np.testing.assert_allclose(fitted, mb.predict(NET, data[0], X), rtol=1e-11, atol=1e-12)
    by_name = np.concatenate([*of(tmp_path).predict(data[0])])
    np.testing.assert_allclose(by_name[:699], fitted[301:], rtol=1e-9, atol=1e-12)
    same(
        of(
            (
                str(tmp_path / "part-01.parquet"),
                tmp_path / "part-02.parquet",
                tmp_path / "part-10.parquet",
            )
        )
    )


def test_a_vector_outcome_one_input_and_weights(tmp_path, rng, data):
    _, X, y = data
    w = rng.integers(0, 3, 1000)
    path = write(tmp_path / "a.parquet", X, y, w=w, group=256)
    problem = of(path, inputs="b", outputs="y1", weights="w")
    assert problem.weight == w.sum()
    par = mb.Parameters.random(1, 3, rng=rng)
    arrays = Problem.from_arrays(NET, X[:, [1]], y[:, 1], weights=w)
    np.testing.assert_allclose(
        problem.gradient(par).to_vector(), arrays.gradient(par).to_vector(), rtol=1e-10, atol=1e-12
    )
    column = of(path, inputs=["b"], outputs=["y1"])
    wide = mb.Parameters(par.Gamma1, par.Gamma2[:, None], par.gamma, par.beta)
    assert column.gradient(wide).Gamma2.shape == (3, 1)


def test_columns_in_any_order_and_twice(tmp_path, data):
    par, X, y = data
    path = write(tmp_path / "a.parquet", X, y, text=["x"] * 1000)
    order = [2, 0, 1]
    turned = mb.Parameters(par.Gamma1[order], par.Gamma2, par.gamma, par.beta)
    assert_array_equal(
        of(path, inputs=[NAMES[i] for i in order]).gradient(turned).Gamma2.shape, (4, 2)
    )
    np.testing.assert_allclose(
        of(path, inputs=[NAMES[i] for i in order]).gradient(turned).Gamma1,
        of(path).gradient(par).Gamma1[order],
        rtol=1e-11,
        atol=1e-13,
    )
    assert of(path, inputs=["a", "a", "y0"]).data.mean[0] == of(path).data.mean[0]


def test_names_with_dots_and_other_signs(tmp_path, rng):
    columns = {
        "a.b": rng.standard_normal(9),
        "a": rng.standard_normal(9),
        "größe (cm)": rng.standard_normal(9),
    }
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    problem = of(tmp_path / "a.parquet", inputs=["a.b", "größe (cm)"], outputs="a")
    np.testing.assert_allclose(
        problem.data.mean, [columns["a.b"].mean(), columns["größe (cm)"].mean()]
    )


@pytest.mark.parametrize("narrow_ones", [("X", "y"), ("X",), ("y",), ("X", "y", "weights")])
def test_float32_only_where_everything_is(tmp_path, data, narrow, narrow_ones):
    _, X, y = data
    kinds = {n: np.float32 if n in narrow_ones else np.float64 for n in ("X", "y", "weights")}
    write(
        tmp_path / "a.parquet",
        X.astype(kinds["X"]),
        y.astype(kinds["y"]),
        w=np.ones(1000, kinds["weights"]),
    )
    for weights in (None, "w"):
        everything = all(n in narrow_ones for n in ("X", "y")) and (
            weights is None or "weights" in narrow_ones
        )
        problem = of(tmp_path / "a.parquet", weights=weights)
        g = problem.gradient(narrow(data[0]))
        assert g.Gamma1.dtype == (np.float32 if everything else np.float64)


def test_float32_only_where_all_files_are(tmp_path, data, narrow):
    _, X, y = (a if isinstance(a, mb.Parameters) else np.float32(a) for a in data)
    one, other = write(tmp_path / "1.parquet", X[:500], y[:500]), tmp_path / "2.parquet"
    write(other, X[500:].astype(float), y[500:])
    assert of([one, one]).gradient(narrow(data[0])).Gamma1.dtype == np.float32
    assert of([one, other]).gradient(narrow(data[0])).Gamma1.dtype == np.float64


@pytest.mark.parametrize(
    "kind", [pa.int8(), pa.int64(), pa.uint16(), pa.bool_(), pa.float16(), pa.float32()], ids=str
)
def test_numbers_of_every_kind(tmp_path, rng, kind):
    values = [1, 0, 1, 1, 0, 0, 0, 1]
    column = (
        pa.array(np.array(values, np.float16))
        if kind == pa.float16()
        else pa.array(values).cast(kind)
    )
    pq.write_table(pa.table({"a": column, "y": rng.standard_normal(8)}), tmp_path / "a.parquet")
    problem = of(tmp_path / "a.parquet", inputs=["a"], outputs="y")
    assert problem.data.mean.tolist() == [0.5]


@pytest.mark.parametrize(
    "kind",
    [
        pa.string(),
        pa.timestamp("s"),
        pa.decimal128(5, 2),
        pa.null(),
        pa.list_(pa.float64()),
        pa.date32(),
        pa.dictionary(pa.int32(), pa.string()),
        pa.struct([("x", pa.float64())]),
    ],
    ids=str,
)
def test_what_is_no_number(tmp_path, kind):
    column = pa.array([None, None], pa.string() if pa.types.is_dictionary(kind) else kind)
    column = column.dictionary_encode() if pa.types.is_dictionary(kind) else column
    pq.write_table(pa.table({"a": column, "y": [1.0, 2.0]}), tmp_path / "a.parquet")
    with pytest.raises(
        DtypeError, match=r"needs real numbers; column 'a' of .*a.parquet has type .*Leave it out"
    ):
        of(tmp_path / "a.parquet", inputs=["a"], outputs="y")


@pytest.mark.parametrize("kind", [pa.int64(), pa.float64(), pa.bool_(), pa.float32()], ids=str)
@pytest.mark.parametrize("name", ["a", "y", "w"])
def test_a_missing_entry_is_named(tmp_path, kind, name):
    columns = {n: pa.array([1.0, 0.0] * 4) for n in "ayw"}
    columns[name] = pa.array([1, 0, 1, 0, 1, None, 1, 0]).cast(kind)
    pq.write_table(pa.table(columns), tmp_path / "a.parquet", row_group_size=4)
    pq.write_table(pa.table({n: pa.array([1.0, 0.0]) for n in "ayw"}), tmp_path / "0.parquet")
    role = {"a": "X", "y": "y", "w": "weights"}[name]
    column = r", column 0 \('a'\)" if name == "a" else ""
    text = (
        rf"{role} has NaN at row 1 of row group 1 of a.parquet \(row 7 of all\){column} \(counted"
    )
    for net in (NET, mb.Network(batch_norm=None)):
        with pytest.raises(DataError, match=text):
            of(
                [tmp_path / "0.parquet", tmp_path / "a.parquet"],
                net,
                inputs=["a"],
                outputs="y",
                weights="w",
            )


def test_a_missing_entry_in_a_later_batch(tmp_path, data, monkeypatch):
    """Two row groups of 1500 rows, read 512 at a time."""
    monkeypatch.setattr(parquet, "BATCH_BYTES", 1)
    _, X, y = data
    A, b = np.tile(X, (3, 1)), np.tile(y, (3, 1))
    A[2700, 2] = np.nan
    path = write(tmp_path / "a.parquet", A, b, group=1500)
    text = (
        r"X has NaN at row 1200 of row group 1 of a.parquet \(row 2700 of all\), column 2 \('c'\)"
    )
    with pytest.raises(DataError, match=text):
        of(path)


def test_a_missing_column(tmp_path, data):
    path = write(tmp_path / "a.parquet", *data[1:])
    for wrong in ({"inputs": ["a", "z"]}, {"outputs": "z"}, {"weights": "z"}):
        with pytest.raises(
            DataError, match=r"finds no column 'z' in .*a.parquet; it has 'a', 'b', 'c', 'y0', 'y1'"
        ):
            of(path, **wrong)
    pq.write_table(pa.table({"a": [1.0]}), tmp_path / "b.parquet")
    with pytest.raises(DataError, match=r"finds no column 'b' in .*b.parquet; it has 'a'"):
        of(tmp_path)


def test_files_that_are_not_there_or_not_such(tmp_path, data):
    with pytest.raises(DataError, match=r"finds no file or folder .*nowhere.parquet"):
        of(tmp_path / "nowhere.parquet")
    with pytest.raises(DataError, match=r"finds no `\*.parquet` in"):
        of(tmp_path)
    with pytest.raises(DataError, match=r"finds no `\*.parquet` in"):
        of([])
    (tmp_path / "a.parquet").write_bytes(b"certainly not parquet, but long enough")
    with pytest.raises(DataError, match=r"cannot read .*a.parquet: "):
        of(tmp_path / "a.parquet")
    (tmp_path / "a.parquet").write_bytes(b"")
    with pytest.raises(DataError, match=r"cannot read .*a.parquet: "):
        of(tmp_path)
    with pytest.raises(OptionError, match="at least one input and one output"):
        of(write(tmp_path / "b.parquet", *data[1:]), inputs=[])
    with pytest.raises(OptionError, match="at least one input and one output"):
        of(tmp_path / "b.parquet", outputs=())


def test_a_file_without_rows(tmp_path, data, same):
    _, X, y = data
    write(tmp_path / "1.parquet", X[:0], y[:0])
    with pytest.raises(DataError, match=r"^`Problem.from_parquet\(.*needs at least one row"):
        of(tmp_path)
    write(tmp_path / "2.parquet", X, y)
    same(of(tmp_path))


def test_a_file_that_goes_away(tmp_path, data):
    par, X, y = data
    path = write(tmp_path / "a.parquet", X, y)
    problem = of(path)
    path.unlink()
    with pytest.raises((FileNotFoundError, DataError)):
        problem.gradient(par)


def test_files_of_anything_else(data):
    with pytest.raises((DtypeError, OptionError, DataError)):
        of(3)


@pytest.mark.parametrize("absent", ["pyarrow", "pyarrow.parquet"])
def test_without_pyarrow(monkeypatch, tmp_path, absent):
    monkeypatch.setitem(sys.modules, absent, None)
    with pytest.raises(
        MissingExtraError, match=r"needs pyarrow, .*pip install 'matbackprop\[parquet\]'"
    ):
        of(tmp_path)
