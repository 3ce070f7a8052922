"""Every kind of value, to R and back, by each live backend."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from matbackprop.errors import RCallError
from matbackprop.rbridge import NA_REAL, Labelled, is_na

pytestmark = pytest.mark.r

# The backend keeps no state between calls, so sharing it across examples is safe.
shared = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def assert_same(actual, expected):
    """Equal in type, shape, dtype, mask, labels and, for numbers, in every bit."""
    assert type(actual) is type(expected)
    match expected:
        case Labelled():
            assert actual.dimnames == expected.dimnames
            assert_same(actual.values, expected.values)
        case dict():
            assert list(actual) == list(expected)
            for key in expected:
                assert_same(actual[key], expected[key])
        case list():
            assert len(actual) == len(expected)
            for a, e in zip(actual, expected, strict=True):
                assert_same(a, e)
        case np.ndarray():
            assert actual.shape == expected.shape
            assert actual.dtype.kind == expected.dtype.kind
            if expected.dtype.kind == "U":
                assert actual.tolist() == expected.tolist()
                return
            assert actual.dtype == expected.dtype
            assert is_na(actual).tolist() == is_na(expected).tolist()
            if expected.dtype == np.float64:
                bits = [np.ascontiguousarray(a).view(np.uint64) for a in (actual, expected)]
                assert bits[0].tolist() == bits[1].tolist()
            else:
                assert np.ma.asarray(actual).tolist() == np.ma.asarray(expected).tolist()
        case pd.DataFrame():
            pd.testing.assert_frame_equal(actual, expected, check_exact=True)
        case pd.Categorical():
            assert actual.equals(expected)
        case _:
            assert actual == expected


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=200))
@shared
def test_doubles_keep_every_bit(live, patterns):
    values = np.array(patterns, dtype=np.uint64).view(np.float64)
    # Text has one NaN and one NA only; in memory every payload survives (next test).
    values[np.isnan(values)] = NA_REAL
    assert_same(live.call("echo", x=values), values)


def test_subnormal_huge_and_random_doubles_keep_every_bit(live):
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 2**64, size=20_000, dtype=np.uint64)
    bits[:2000] >>= np.uint64(12)
    bits[2000:3000] = np.arange(1000)
    values = bits.view(np.float64)
    values[np.isnan(values)] = 0.1
    assert_same(live.call("echo", x=values), values)


@pytest.mark.parametrize("live_engine", ["rpy2"], indirect=True)  # text has one NaN only
def test_rpy2_keeps_the_payload_of_every_nan(live):
    values = np.array([0x7FF8000000000123, 0xFFF8000000000001], dtype=np.uint64).view(np.float64)
    assert_same(live.call("echo", x=values), values)


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))))
@shared
def test_texts_keep_every_character(live, texts):
    values = np.array(texts, dtype=object)
    actual = live.call("echo", x=values) if texts else np.array([])
    assert actual.tolist() == texts


@given(st.lists(st.integers(-(2**31) + 1, 2**31 - 1) | st.none(), min_size=1))
@shared
def test_integers_and_their_na(live, numbers):
    mask = [n is None for n in numbers]
    values = np.ma.MaskedArray([n or 0 for n in numbers], mask=mask, dtype=np.int64)
    assert_same(live.call("echo", x=values), values if any(mask) else values.data)


VALUES = {
    "null": None,
    "vector": np.array([1.0, -0.0, np.inf, -np.inf]),
    "na": np.array([NA_REAL, 1.0]),
    "matrix": np.arange(6.0).reshape(2, 3),
    "array": np.arange(24).reshape(2, 3, 4),
    "column": np.ones((3, 1)),
    "empty": np.array([]),
    "no rows": np.ones((0, 3)),
    "no integers": np.array([], dtype=np.int64),
    "no texts": np.array([], dtype=np.str_),
    "no logicals": np.ones((2, 0), dtype=bool),
    "logical": np.array([True, False]),
    "logical na": np.ma.MaskedArray([[True], [False]], mask=[[False], [True]]),
    "texts": np.array([["a", 'q"\\'], ["", "ü€𝛾\n\x01"]]),
    "text na": np.array(["NA", None], dtype=object),
    "names": Labelled(np.array([1, 2]), (("a", None),)),
    "dimnames": Labelled(np.arange(6.0).reshape(2, 3), (None, ("x", "y", "γ"))),
    "dimnames 3": Labelled(np.ones((1, 2, 1), dtype=bool), (("r",), ("c", "d"), ("s",))),
    "list": [np.array([1.0]), None, [], {}],
    "dict": {"a": np.array([1]), "b c": {"ü": np.array(["x"])}, "n": None},
    "factor": pd.Categorical(["b", None, "a"], categories=["b", "a", "unused"]),
    "ordered": pd.Categorical(["lo", "hi"], categories=["lo", "hi"], ordered=True),
    "no level": pd.Categorical([], categories=pd.Index([], dtype=object)),
}


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_value(live, value):
    assert_same(live.call("echo", x=value), value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1.5, np.array([1.5])),
        (np.array(2.5), np.array([2.5])),
        (3, np.array([3])),
        (True, np.array([True])),
        ("a", np.array(["a"])),
        ((1.0, "b"), [np.array([1.0]), np.array(["b"])]),
        (np.array([0.1], dtype=np.float32), np.array([np.float32(0.1)], dtype=np.float64)),
        (np.array([2**40]), np.array([2.0**40])),
        (np.asfortranarray([[1.0, 2.0]]), np.array([[1.0, 2.0]])),
        (np.arange(10.0)[::3], np.array([0.0, 3.0, 6.0, 9.0])),
        (np.ma.MaskedArray([1.0, 2.0], mask=[0, 1]), np.array([1.0, NA_REAL])),
        (pd.Series([1.0, 2.0]), np.array([1.0, 2.0])),
        (
            pd.Series([1, None], index=["a", "b"], dtype="Int64"),
            Labelled(np.ma.MaskedArray([1, 0], mask=[0, 1]), (("a", "b"),)),
        ),
    ],
    ids=str,
)
def test_value_that_comes_back_as_another(live, value, expected):
    assert_same(live.call("echo", x=value), expected)


FRAMES = {
    "every kind": pd.DataFrame(
        {
            "x": [1.5, np.nan],
            "i": [1, 2],
            "b": [True, False],
            "I": pd.array([1, None], dtype="Int64"),
            "B": pd.array([None, True], dtype="boolean"),
            "s": ["a", None],
            "f": pd.Categorical(["v", "u"], categories=["v", "u", "w"]),
            "o": pd.Categorical(["v", None], categories=["u", "v"], ordered=True),
        }
    ),
    "row names": pd.DataFrame({"a": [1.0, 2.0]}, index=["first", "second"]),
    "repeated columns": pd.DataFrame([[1.0, 2.0]], columns=["a", "a"]),
    "no rows": pd.DataFrame({"a": np.array([], dtype=np.float64)}),
    "odd names": pd.DataFrame({"a b": [1], "ü": [2]}),
}


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
def test_frame(live, frame):
    assert_same(live.call("echo", x=frame), frame)


def test_na_in_a_float_column_differs_from_nan(live):
    frame = live.call("echo", x=pd.DataFrame({"a": [NA_REAL, np.nan]}))
    assert is_na(frame["a"].to_numpy()).tolist() == [True, False]


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (np.ones(3), ["double", "numeric", "plain"]),
        (1, ["integer", "integer", "plain"]),
        (np.ones((1, 1)), ["double", "matrix", "dimensioned"]),
        (True, ["logical", "logical", "plain"]),
        ([1], ["list", "list", "plain"]),
        (pd.DataFrame({"a": [1]}), ["list", "data.frame", "dimensioned"]),
        (pd.Categorical(["a"]), ["integer", "factor", "plain"]),
    ],
    ids=str,
)
def test_what_r_sees(live, value, kind):
    assert live.call("kind", x=value).tolist() == kind


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        ("quiet_na", np.array([np.nan])),
        ("compact_integers", np.arange(1, 6)),
        ("latin1", np.array(["café"])),
        ("one_dimensional", Labelled(np.array([1, 2]), (("a", "b"),))),
        ("plain_one_dimensional", np.array([1, 2])),
        ("subset_rows", pd.DataFrame({"a": [2, 4]}, index=["2", "4"])),
        ("given_numbers", pd.DataFrame({"a": [1, 2, 3]}, index=["1", "2", "3"])),
    ],
)
def test_values_made_by_r(live, function, expected):
    actual = live.call(function)
    if function == "quiet_na":
        assert is_na(actual).all()
    else:
        assert_same(actual, expected)


@pytest.mark.parametrize(
    "function",
    ["an_environment", "a_date", "a_complex", "odd_names", "list_matrix", "list_in_frame"],
)
def test_values_without_a_lossless_form_are_refused(live, function):
    with pytest.raises(RCallError, match=rf"`{function}\(\)` .*(Convert|Return|Give|Take)"):
        live.call(function)


def test_backends_agree_on_a_product(live):
    rng = np.random.default_rng(3)
    A, B = rng.standard_normal((5, 4)), rng.standard_normal((4, 3))
    np.testing.assert_allclose(live.call("product", A=A, B=B), A @ B, rtol=1e-13, atol=1e-14)


def test_large_values_travel(live):
    values = np.random.default_rng(4).standard_normal((400, 500))
    assert_same(live.call("echo", x=values), values)
