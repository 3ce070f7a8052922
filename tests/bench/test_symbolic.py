import numpy as np
import pytest

from matbackprop.bench import bench_symbolic, symbolic
from matbackprop.bench.cases import read_cases
from matbackprop.errors import OptionError

SOME = ("ols", "trace_kron", "bn_net_G1")


@pytest.fixture
def small(monkeypatch):
    """Measure three cases, and a small network."""
    chosen = tuple(case for case in read_cases() if case.id in SOME)
    monkeypatch.setattr(symbolic, "CASES", chosen)
    monkeypatch.setattr(symbolic, "SIZES", {"N": 50, "p1": 4, "p2": 3})


def test_a_row_for_each_case_then_the_summary_and_the_network(small):
    said = []
    frame = bench_symbolic(repeats=1, progress=lambda *now: said.append(now))
    assert frame["case"].tolist() == [
        *("ols", "trace_kron", "bn_net_G1", "median", "largest"),
        *("tanh: five gradients derived", "tanh: by hand", "tanh: by hand, NumPy alone"),
        *("tanh: emitted", "relu: five gradients derived", "relu: by hand"),
        *("relu: by hand, NumPy alone", "relu: emitted"),
    ]
    assert frame["part"].tolist()[::4] == [
        "least squares",
        "all cases",
        *["batch-norm network"] * 2,
    ]
    assert (frame["milliseconds"] > 0).all()
    by_hand = frame.query("case.str.endswith('by hand')")
    assert (by_hand["ratio"] == 1).all()
    assert said[0] == (0, 4, "ols")
    assert said[-1] == (4, 4, "done")


def test_sizes_are_counted_in_the_printed_text(small):
    frame = bench_symbolic(repeats=1).set_index("case")
    ols = frame.loc["ols"]  # 2*X'*(X*b-y)
    assert (ols["size"], ols["ideal"], ols["ratio"]) == (9, 9, 1)
    assert np.isnan(frame.loc["trace_kron", "ideal"])
    cases = frame.loc[[*SOME]]
    for row, of in (("median", cases.median), ("largest", cases.max)):
        np.testing.assert_equal(
            frame.loc[row].drop("part").tolist(), of(numeric_only=True).tolist()
        )


def test_the_contenders_give_the_same_gradients(monkeypatch):
    monkeypatch.setattr(symbolic, "SIZES", {"N": 50, "p1": 4, "p2": 3})
    for a in symbolic.ACTIVATIONS:
        L = symbolic.parse(symbolic.NETWORK.format(a=a), shapes=symbolic.NETWORK_SHAPES)
        variables = [L.variables()[name] for name in symbolic.WANTED]
        found = {X.name: G for X, G in symbolic.derived(L, variables, "gradient").items()}
        contenders = symbolic._contenders(a, L, found)
        by_hand, emitted = contenders["by hand"](), contenders["emitted"]()
        assert set(emitted) == set(symbolic.WANTED)
        for name, G in emitted.items():
            wanted = getattr(by_hand, name)
            np.testing.assert_allclose(np.reshape(G, wanted.shape), wanted, rtol=1e-9, atol=1e-12)


def test_repeats_is_a_count():
    with pytest.raises(OptionError, match="needs an integer repeats >= 1; got 0"):
        bench_symbolic(repeats=0)
