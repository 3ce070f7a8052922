import array_api_strict
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matbackprop.streaming.rows import Rows
from matbackprop.streaming.works.first_fault import Fault, FirstFault


def fault(X, y=None, weights=None, start=0, origin="", offset=0):
    y = np.zeros(len(X)) if y is None else y
    return FirstFault()(Rows(X, y, weights, start, origin, offset))


def with_entry(value, row, column, n=5, dtype=float):
    X = np.zeros((n, 3), dtype)
    X[row, column] = value
    return X


@pytest.mark.parametrize(
    ("value", "what"),
    [(np.nan, "NaN"), (np.inf, "an infinite value"), (-np.inf, "an infinite value")],
)
def test_where_it_is(value, what):
    found = fault(with_entry(value, 3, 1), start=100, origin="block 7", offset=20)
    assert found == Fault(1, what, "X", 103, 23, 1, "block 7")
    found = fault(np.zeros((5, 2)), np.array([0, 0, value, 0, value]), start=10)
    assert found == Fault(2, what, "y", 12, 2, None, "")
    found = fault(np.zeros((5, 2)), with_entry(value, 4, 2), start=10)
    assert found == Fault(1, what, "y", 14, 4, 2, "")


def test_nothing_there():
    assert fault(np.zeros((5, 2))) == Fault()
    assert fault(np.zeros((5, 2), int), np.ones(5, bool), np.zeros(5, np.float16)).number == 0


def test_weights():
    w = np.array([0.0, 1.0, -2.0, 1.0, -0.0])
    assert fault(np.zeros((5, 2)), weights=w) == Fault(1, "a negative entry", "weights", 2, 2)
    w[1] = np.nan
    assert fault(np.zeros((5, 2)), weights=w) == Fault(2, "NaN", "weights", 1, 1)
    assert fault(np.zeros((3, 2)), weights=np.array([0, -1, 2])).row == 1


def test_of_several_the_first_row_and_in_it_the_first_column():
    X, y = with_entry(np.nan, 2, 1), np.array([0, 0, np.inf, 0, np.nan])
    X[2, 2] = X[4, 0] = np.inf
    found = fault(X, y, np.array([1, 1, 1, -1, 1]))
    assert found == Fault(6, "NaN", "X", 2, 2, 1, "")
    assert fault(np.zeros((5, 3)), y, np.array([1, -1, 1, 1, 1])).name == "weights"


@given(st.lists(st.integers(0, 3), min_size=1, max_size=8))
def test_merging_keeps_the_first_and_counts_all(numbers):
    parts = [Fault(n, f"what {i}", "X", i) if n else Fault() for i, n in enumerate(numbers)]
    whole = parts[0]
    for part in parts[1:]:
        whole = whole.merge(part)
    assert whole.number == sum(numbers)
    if whole.number:
        assert whole.row == next(i for i, n in enumerate(numbers) if n)


@pytest.mark.parametrize("library", ["torch", "array_api_strict"])
@pytest.mark.parametrize("weights", [[1.0, -1.0], [True, False]])
def test_other_libraries(torch, library, weights):
    make = torch.tensor if library == "torch" else array_api_strict.asarray
    X = make([[1.0, 2.0], [float("nan"), 1.0]])
    found = FirstFault()(Rows(X, make([1, 2]), make(weights), 0))
    assert found.name == "X"
    assert (found.row, found.column, found.what) == (1, 0, "NaN")
    assert type(found.row) is int
    assert found.number == (2 if weights[1] == -1 else 1)
