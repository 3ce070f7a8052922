"""What users' functions do wrong is caught at once and said in words."""

import numpy as np
import pytest

from matbackprop.checking import check_gradient, check_jacobian
from matbackprop.errors import DataError, DtypeError, FunctionError, OptionError, ShapeError

AT = np.array([1.0, 2.0, 3.0])
MATRIX = np.arange(1.0, 7.0).reshape(2, 3)


def squares(x):
    return (x**2).sum()


def double(x):
    return 2 * x


def steps_in_place(x):
    x[1] -= 0.5
    return (x**2).sum()


def doubles_in_place(x):
    x *= 2
    return x


def clears_a_part(p):
    p["b"][1] = 0.0
    return {"W": np.zeros((2, 3)), "b": p["b"]}


@pytest.mark.parametrize(
    ("loss", "gradient", "at", "text"),
    [
        pytest.param(steps_in_place, double, AT,
                     r"loss `steps_in_place` changes its argument in place: at\[1\] was 2 and is "
                     r"1\.5 after the call.*Work on a copy", id="loss"),
        pytest.param(squares, doubles_in_place, AT,
                     r"gradient `doubles_in_place` changes .* at\[0\] was 1 and is 2",
                     id="gradient"),
        pytest.param(lambda p: (p["b"] ** 2).sum(), clears_a_part,
                     {"W": MATRIX, "b": AT}, r"b\[1\] was 2 and is 0", id="part of a dict"),
    ],
)  # fmt: skip
def test_a_function_that_changes_its_argument_is_named(loss, gradient, at, text):
    with pytest.raises(FunctionError, match=text):
        check_gradient(loss, gradient, at)


def test_setting_an_entry_to_nan_is_a_change():
    def spoils(x):
        x[0] = np.nan
        return 0.0

    with pytest.raises(FunctionError, match=r"at\[0\] was 1 and is nan"):
        check_gradient(spoils, double, AT)


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        pytest.param(AT, ShapeError,
                     r"a loss that returns one number; loss returned an array of shape \(3,\)\. "
                     r"Sum it .* `check_jacobian", id="vector"),
        pytest.param([1.0, 2.0], ShapeError, r"shape \(2,\)", id="list"),
        pytest.param(None, DtypeError, "to return a number; got NoneType", id="None"),
        pytest.param("3.0", DtypeError, "to return a number; got str", id="text"),
        pytest.param([1.0, [2.0, 3.0]], DtypeError, "to return a number; got list", id="ragged"),
        pytest.param(np.nan, DataError, "needs a point where loss is finite; .* it is nan",
                     id="NaN"),
        pytest.param(-np.inf, DataError, "finite; .* it is -inf", id="infinite"),
    ],
)  # fmt: skip
def test_a_loss_that_is_no_number(value, error, text):
    with pytest.raises(error, match=text) as caught:
        check_gradient(lambda x: value, double, AT)
    assert "check_gradient(loss, gradient, at)" in str(caught.value)


@pytest.mark.parametrize(
    "wrapped",
    [
        pytest.param(float, id="float"),
        pytest.param(np.float64, id="NumPy's number"),
        pytest.param(np.asarray, id="array without dimension"),
        pytest.param(lambda value: np.full((1, 1), value), id="(1, 1), as R has it"),
        pytest.param(lambda value: [float(value)], id="list of one"),
    ],
)
def test_one_number_may_come_in_any_dress(wrapped):
    assert check_gradient(lambda x: wrapped(squares(x).real), double, AT).ok


def test_a_loss_that_is_true():
    with pytest.raises(DtypeError, match="number"):
        check_gradient(lambda x: True, double, AT)


def test_a_complex_loss_is_refused_in_the_words_of_the_call():
    with pytest.raises(DtypeError, match=r"check_gradient\(loss, gradient, at\)"):
        check_gradient(lambda x: squares(x) + 1j, double, AT)


@pytest.mark.parametrize(
    ("at", "came", "text"),
    [
        pytest.param(AT, np.ones(2),
                     r"in the shape of its parameter, \(3,\); got \(2,\)\. Shapes that conform: "
                     r"\(3,\), 3 entries; 2 came", id="too few"),
        pytest.param(AT, np.ones((3, 1)), r"got \(3, 1\)\. Shapes that conform: \(3,\)\. Return "
                     r"`g\.reshape\(\(3,\)\)`", id="column"),
        pytest.param(AT, 1.0, r"got \(\)\. Shapes that conform: \(3,\), 3 entries; 1 came",
                     id="number"),
        pytest.param(MATRIX, np.ones(6),
                     r"Shapes that conform: \(2, 3\) or, transposed, \(3, 2\)\. If it is vec of it"
                     r'.* `g\.reshape\(\(2, 3\), order="F"\)`; by rows `g\.reshape\(\(2, 3\)\)`',
                     id="vec of a matrix"),
        pytest.param(MATRIX, np.ones((2, 2)),
                     r"\(2, 3\) or, transposed, \(3, 2\), 6 entries; 4 came", id="another matrix"),
        pytest.param(np.eye(2), np.ones(4), r"conform: \(2, 2\)\. If it is vec", id="square"),
        pytest.param(2.0, np.ones(2), r"parameter, \(\); got \(2,\)\. Shapes that conform: \(\)",
                     id="two for a number"),
    ],
)  # fmt: skip
def test_a_gradient_of_another_shape_is_told_which_conform(at, came, text):
    with pytest.raises(ShapeError, match=text):
        check_gradient(lambda x: np.sum(x**2), lambda x: came, at)


def test_in_a_dict_the_part_of_another_shape_is_named():
    at = {"W": MATRIX, "b": AT}
    with pytest.raises(ShapeError, match=r"needs gradient b in the shape of its parameter, \(3,\)"):
        check_gradient(
            lambda p: p["W"].sum() + p["b"].sum(), {"W": np.ones((2, 3)), "b": np.ones(2)}, at
        )


def test_a_gradient_in_the_shape_of_the_transpose_is_said_to_be():
    check = check_gradient(lambda x: (x**3).sum(), lambda x: 1.5 * x.T**2, MATRIX)
    assert [finding.kind for finding in check.findings] == ["transposed", "constant factor"]


def test_a_gradient_that_is_only_transposed_is_not_passed_in_silence():
    check = check_gradient(lambda x: (x**3).sum(), lambda x: 3 * x.T**2, MATRIX)
    assert [finding.kind for finding in check.findings] == ["transposed"]
    assert not check.ok


@pytest.mark.parametrize(
    ("came", "error", "text"),
    [
        pytest.param(np.array([1.0, np.nan, 1.0]), DataError,
                     r"needs a finite gradient; gradient has nan at \[1\]", id="NaN"),
        pytest.param(np.array([1.0, 1.0, -np.inf]), DataError, r"has -inf at \[2\]", id="infinite"),
        pytest.param(None, DtypeError, "needs real numbers in gradient", id="None"),
        pytest.param("text", DtypeError, "needs real numbers in gradient", id="text"),
        pytest.param(2j * AT, DtypeError, "pass the real part", id="complex"),
    ],
)  # fmt: skip
def test_a_gradient_that_is_no_numbers(came, error, text):
    with pytest.raises(error, match=text):
        check_gradient(squares, lambda x: came, AT)


@pytest.mark.parametrize(
    ("loss", "gradient", "known", "error", "note"),
    [
        pytest.param(lambda x: 1 / 0, double, {}, ZeroDivisionError, "loss", id="loss"),
        pytest.param(squares, lambda x: {}["key"], {}, KeyError, "gradient", id="gradient"),
        pytest.param(squares, lambda x: 3 * x, {"N": lambda x: [][1]}, IndexError,
                     "known['N']", id="known"),
    ],
)  # fmt: skip
def test_what_the_function_raises_passes_with_a_note(loss, gradient, known, error, note):
    with pytest.raises(error) as caught:
        check_gradient(loss, gradient, AT, known)
    assert caught.value.__notes__ == [
        f"(raised by {note}, called by `check_gradient(loss, gradient, at)`)"
    ]


def test_a_named_function_is_called_by_its_name():
    def my_loss(x):
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine") as caught:
        check_gradient(my_loss, double, AT)
    assert "raised by loss `my_loss`" in caught.value.__notes__[0]


@pytest.mark.parametrize("loss", [3.0, None, "x"], ids=str)
def test_what_is_no_function(loss):
    with pytest.raises(OptionError, match="needs loss as a function of the point; got"):
        check_gradient(loss, double, AT)


def test_an_array_is_a_gradient_at_the_point():
    assert check_gradient(squares, 2 * AT, AT).ok
    assert not check_gradient(squares, 3 * AT, AT).ok


def test_evaluations_are_those_of_the_loss():
    calls = []

    def counted(x):
        calls.append(1)
        return squares(x)

    for gradient in (double, lambda x: 3 * x):
        calls.clear()
        assert check_gradient(counted, gradient, AT).evaluations == len(calls)


def test_warnings_of_numpy_stay_off_away_from_the_point():
    """Logarithms may end nearby; that is no fault of the gradient."""
    check = check_gradient(lambda x: float(np.log(x).sum()), lambda x: 1 / x, np.array([0.02, 1.0]))
    assert check.ok


@pytest.mark.parametrize("start", [1e-2, 1e-3, 1e-4], ids=str)
def test_near_the_end_of_a_logarithm_the_steps_are_smaller(start):
    at = np.array([start, 1.0])

    def loss(x):
        return float(np.log(x).sum())  # real numbers only: no complex step

    right = check_gradient(loss, lambda x: 1 / x, at)
    assert right.ok
    assert all(block.judged.all() for block in right.blocks)
    assert not check_gradient(loss, lambda x: 1.01 / x, at).ok


@pytest.mark.parametrize(
    "gradient",
    [pytest.param(lambda p: {"w": 0.5 / np.sqrt(p["w"] + (p["w"] == 0))}, id="function")],
)
def test_where_the_function_ends_one_error_names_the_entry(gradient):
    with pytest.raises(DataError, match=r"loss is nan at a step of .* along w\[0\]") as caught:
        check_gradient(
            lambda p: float(np.sqrt(p["w"]).sum()), gradient, {"w": np.array([0.0, 1.0])}
        )
    assert "check_gradient(loss, gradient, at)" in str(caught.value)


def test_functions_of_a_jacobian_are_watched_too():
    def changes(x):
        x[0] = 0.0
        return x

    with pytest.raises(FunctionError, match="function `changes` changes its argument in place"):
        check_jacobian(changes, np.eye(3), AT)
    with pytest.raises(DtypeError, match="needs function to return numbers; got NoneType"):
        check_jacobian(lambda x: None, np.eye(3), AT)
