import numpy as np
import pandas as pd
import pytest

from matbackprop.bench import bench_engines, fastest_other, one_pass
from matbackprop.bench.contender import Contender
from matbackprop.bench.engines import ENGINES, MOMENTS_PASS, ONE_PASS, PRODUCTS
from matbackprop.errors import OptionError

QUICK = ("matbackprop, compact", "torch", MOMENTS_PASS, PRODUCTS)


def test_a_row_for_each_shape_and_engine():
    said = []
    frame = bench_engines(
        [(60, 3, 2), (90, 3, 2)],
        engines=QUICK,
        repeats=2,
        memory=False,
        progress=lambda *now: said.append(now),
    )
    assert frame["shape"].unique().tolist() == ["60 × 3 × 2", "90 × 3 × 2"]
    names = [name for name in ENGINES if name in (ONE_PASS, *QUICK)]  # ours in any case
    assert frame["engine"].tolist() == 2 * names
    assert (frame["milliseconds"] > 0).all()
    assert (frame[["ratio", "ratio_q25", "ratio_q75", "to_products"]] > 0).all(axis=None)
    assert (frame["ratio_q25"] <= frame["ratio_q75"]).all()
    assert (frame["rounds"] == 2).all()
    assert (frame.query("engine == @ONE_PASS")["ratio"] == 1).all()
    assert (frame.query("engine == @PRODUCTS")["to_products"] == 1).all()
    errors = frame.set_index("engine")["largest_error"]
    assert errors.drop(index=[MOMENTS_PASS, PRODUCTS]).max() < 1e-10
    assert errors[[MOMENTS_PASS, PRODUCTS]].isna().all()
    assert frame["peak_mib"].isna().all()
    # Five are prepared and take two turns, for each shape.
    assert [done for done, _, _ in said] == list(range(15))
    assert {total for _, total, _ in said} == {14}
    assert said[0][2] == "60 × 3 × 2 float64, preparing matbackprop, one pass"
    assert said[-1][2] == "done"


@pytest.fixture
def table(monkeypatch):
    """Let these engines, beside ours, be all there are."""

    def only(**engines):
        few = {ONE_PASS: ENGINES[ONE_PASS]} | engines
        monkeypatch.setattr(one_pass, "ENGINES", few)

    return only


def test_a_wrong_engine_is_seen(table):
    right = ENGINES["matbackprop, compact"]

    def make(task):
        run = right.make(task).run

        def halved():
            loss, Gamma1, *others = run()
            return [loss, Gamma1 / 2, *others]

        return Contender(halved)

    table(wrong=right._replace(make=make))
    frame = bench_engines([(60, 3, 2)], repeats=1, memory=False).set_index("engine")
    assert frame.loc["wrong", "largest_error"] == pytest.approx(0.5)
    assert frame.loc[ONE_PASS, "largest_error"] < 1e-10


def test_who_takes_no_part_has_a_row_that_says_why(table):
    compact = ENGINES["matbackprop, compact"]
    table(
        absent=compact._replace(needs=("no_such_library",)),
        endless=compact._replace(work=lambda N, p1, p2: N**2),
        slow=compact._replace(rounds=1),
    )
    frame = bench_engines([(60, 3, 2)], repeats=3, memory=False).set_index("engine")
    assert frame["rounds"].to_dict() == {ONE_PASS: 3, "absent": 0, "endless": 0, "slow": 1}
    assert frame.loc["absent", "note"] == "not installed: pip install no_such_library"
    assert frame.loc["endless", "note"] == "too slow for this shape"
    numbers = ["milliseconds", "ratio", "ratio_q25", "ratio_q75", "to_products", "largest_error"]
    assert frame.loc[["absent", "endless"], numbers].isna().all(axis=None)
    assert frame.loc["slow", ["milliseconds", "ratio"]].gt(0).all()


def test_in_float32_errors_are_of_its_rounding():
    frame = bench_engines(
        [(60, 3, 2)], dtype="float32", engines=["matbackprop, compact"], repeats=1, memory=False
    )
    assert (frame["dtype"] == "float32").all()
    assert frame["largest_error"].between(1e-9, 1e-4).all()


def test_memory_is_measured_where_it_can_be(table, monkeypatch):
    table(absent=ENGINES["matbackprop, compact"]._replace(needs=("no_such_library",)))
    asked = []

    def peak(*arguments, **options):
        asked.append((*arguments, options))
        return 7.0

    monkeypatch.setattr(one_pass, "peak_mib", peak)
    frame = bench_engines([(60, 3, 2)], repeats=1, threads=1)
    np.testing.assert_array_equal(frame["peak_mib"], [7.0, np.nan])
    assert asked == [(ONE_PASS, (60, 3, 2), {"dtype": "float64", "threads": 1})]


def test_the_fastest_of_three():
    columns = ["shape", "dtype", "engine", "milliseconds"]
    times = [
        *[("a", "torch", 3.0), ("a", "JAX", 2.0), ("a", "autograd", 1.0)],
        *[("b", "torch", np.nan), ("b", "torch.compile", 4.0), ("c", "autograd", 1.0)],
    ]
    frame = pd.DataFrame([(s, "float64", who, t) for s, who, t in times], columns=columns)
    best = fastest_other(frame)
    assert best["engine"].tolist() == ["JAX", "torch.compile"]
    assert best["of"].tolist() == [["torch", "JAX"], ["torch.compile"]]
    assert fastest_other(frame.query("engine == 'autograd'")).empty


@pytest.mark.parametrize(
    ("shapes", "options", "text"),
    [
        ([(60, 3)], {}, r"needs shapes of three sizes: .*; got \(60, 3\)"),
        ([(60, 0, 2)], {}, "needs an integer p1 >= 1; got 0"),
        ([(60.5, 3, 2)], {}, "needs an integer N >= 1; got 60.5"),
        ([(60, 3, 2)], {"dtype": "float16"}, 'knows dtype = "float64", "float32"; got'),
        ([(60, 3, 2)], {"engines": ["keras"]}, 'engines = "matbackprop, one pass", .*"JAX"'),
        ([(60, 3, 2)], {"repeats": 0}, "needs an integer repeats >= 1; got 0"),
        ([(60, 3, 2)], {"threads": 0}, "needs an integer threads >= 1; got 0"),
        ([(60, 3, 2)], {"memory": 1}, "knows memory = True, False; got memory=1"),
    ],
)
def test_bad_options(shapes, options, text):
    with pytest.raises(OptionError, match=text):
        bench_engines(shapes, **options)
