"""Gradients in R: right ones pass, planted mistakes are named, R is called a few times only."""

import numpy as np
import pytest

from matbackprop.checking.named_arguments import fitted
from matbackprop.checking.r_functions import check_r_gradient
from matbackprop.checking.values_files import read_values
from matbackprop.errors import DataError, OptionError, RCallError, ShapeError
from matbackprop.rbridge.user_functions import RFile

CODE = r"""
loss <- function(beta, X, y) sum((y - X %*% beta)^2)
right <- function(beta, X, y) -2 * crossprod(X, y - X %*% beta)
as_row <- function(beta, X, y) t(right(beta, X, y))
both <- function(beta, X, y) list(beta = right(beta, X, y), X = -2 * (y - X %*% beta) %*% t(beta))
sign <- function(beta, X, y) -right(beta, X, y)
half <- function(beta, X, y) right(beta, X, y) / 2
vector <- function(beta, X, y) y - X %*% beta
short <- function(beta, X, y) right(beta, X, y)[-1]
noisy <- function(beta, X, y) loss(beta, X, y) + rnorm(1)
matrix_loss <- function(W, A) sum((W %*% A)^3)
matrix_right <- function(W, A) 3 * (W %*% A)^2 %*% t(A)
matrix_turned <- function(W, A) t(matrix_right(W, A))
of_list <- function(par, x) sum(exp(par$a * x) + par$M[1, ] * par$a)
of_list_gradient <- function(par, x) list(
  a = x * exp(par$a * x) + par$M[1, ], M = rbind(par$a, 0 * par$a))
squares <- function(x) sum(x^2)
squares_gradient <- function(x) 2 * x
# The question's slip: a' = 1 whatever the sign.
relu_loss <- function(b, X, y) sum((y - pmax(X %*% b, 0))^2)
relu_gradient <- function(b, X, y) -2 * crossprod(X, y - pmax(X %*% b, 0))
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "user.R"
    path.write_text(CODE)
    return path


@pytest.fixture
def at(rng):
    X = rng.standard_normal((12, 3))
    return {"beta": rng.standard_normal(3), "X": X, "y": rng.standard_normal(12)}


@pytest.mark.r
@pytest.mark.parametrize("gradient", ["right", "as_row", "both"])
def test_a_right_gradient(file, at, live_engine, gradient):
    found = check_r_gradient(file, "loss", gradient, at, wrt="beta", engine=live_engine)
    assert found.ok, found
    assert found.blocks[0].shape == (3,)
    assert found.max_error < 1e-9
    assert f"gradient, {gradient}() against loss() of user.R: RIGHT" in str(found)


@pytest.mark.r
@pytest.mark.parametrize(
    ("gradient", "kind", "said"),
    [("sign", "constant factor", "The sign is wrong"), ("half", "constant factor", "½ times")],
)
def test_a_planted_factor(file, at, live_engine, gradient, kind, said):
    found = check_r_gradient(file, "loss", gradient, at, wrt="beta", engine=live_engine)
    assert not found.ok
    assert found.findings[0].kind == kind
    assert said in found.findings[0].sentence


@pytest.mark.r
def test_a_transposed_matrix(file, rng, live_engine):
    at = {"W": rng.standard_normal((3, 3)), "A": rng.standard_normal((3, 4))}
    assert check_r_gradient(file, "matrix_loss", "matrix_right", at, wrt="W", engine=live_engine).ok
    found = check_r_gradient(file, "matrix_loss", "matrix_turned", at, wrt="W", engine=live_engine)
    assert [finding.kind for finding in found.findings][:1] == ["transposed"]


@pytest.mark.r
def test_an_activation_derivative_that_is_always_one(file, at, live_engine):
    values = {"b": at["beta"], "X": at["X"], "y": at["y"]}
    found = check_r_gradient(
        file, "relu_loss", "relu_gradient", values, wrt="b", engine=live_engine
    )
    assert not found.ok


@pytest.mark.r
def test_both_engines_give_the_same_bits(file, at):
    one, other = (
        check_r_gradient(file, "loss", "both", at, engine=engine) for engine in ("rpy2", "rscript")
    )
    assert [block.name for block in one.blocks] == ["beta", "X"]
    for ours, theirs in zip(one.blocks, other.blocks, strict=True):
        assert ours.analytic.tobytes() == theirs.analytic.tobytes()
        assert ours.numeric.tobytes() == theirs.numeric.tobytes()


@pytest.mark.r
def test_r_is_called_a_few_times_only(file, at, monkeypatch):
    calls = []
    run = RFile._run
    monkeypatch.setattr(RFile, "_run", lambda self, *a: calls.append(a[0]) or run(self, *a))
    found = check_r_gradient(file, "loss", "both", at)
    assert found.evaluations > 300
    assert len(calls) < 20


@pytest.mark.r
def test_one_argument_without_a_name(file, live_engine):
    found = check_r_gradient(
        file, "squares", "squares_gradient", np.array([1.0, 2.0]), engine=live_engine
    )
    assert found.ok


@pytest.mark.r
def test_a_list_of_parameters(file, rng, live_engine):
    at = {"par": {"a": rng.random(3), "M": rng.random((2, 3))}, "x": rng.random(3)}
    found = check_r_gradient(file, "of_list", "of_list_gradient", at, wrt="par", engine=live_engine)
    assert found.ok, found
    assert [block.name for block in found.blocks] == ["par.a", "par.M"]


@pytest.mark.r
def test_a_random_loss_is_told(file, at, live_engine):
    found = check_r_gradient(file, "noisy", "right", at, wrt="beta", engine=live_engine)
    assert found.findings[0].kind == "noise"


@pytest.mark.r
@pytest.mark.parametrize(
    ("loss", "gradient", "change", "error", "said"),
    [
        ("lost", "right", {}, OptionError, r"no function 'lost'; it has .*loss\(beta, X, y\)"),
        ("loss", "right", {"wrt": None}, OptionError, "cannot tell which .* there are beta, X, y"),
        ("loss", "right", {"wrt": "gamma"}, OptionError, "knows wrt = beta, X, y"),
        ("vector", "right", {}, ShapeError, "returns one number"),
        ("loss", "short", {}, ShapeError, "in the shape of its parameter"),
    ],
)
def test_bad_input(file, at, loss, gradient, change, error, said):
    with pytest.raises(error, match=said):
        check_r_gradient(file, loss, gradient, at, **{"wrt": "beta"} | change)


@pytest.mark.r
def test_what_r_says_of_a_misfit_is_shown(file, at, live_engine):
    at["X"] = at["X"][:, :2]
    with pytest.raises(RCallError, match=r"Error in X %\*% beta : non-conformable arguments"):
        check_r_gradient(file, "loss", "right", at, wrt="beta", engine=live_engine)


@pytest.mark.r
def test_an_argument_that_no_function_takes(file, at):
    with pytest.raises(OptionError, match=r"given n, which neither .* loss\(beta, X, y\)"):
        check_r_gradient(file, "loss", "right", {**at, "n": 3}, wrt="beta")


@pytest.mark.parametrize(
    ("came", "wanted", "shape"),
    [
        ((3, 1), (3,), (3,)),
        ((1, 3), (3,), (3,)),
        ((3,), (3, 1), (3, 1)),
        ((1,), (), ()),
        ((1, 1), (), ()),
        ((3, 2), (2, 3), (3, 2)),
        ((6,), (2, 3), (6,)),
        ((1, 3), (3, 1), (1, 3)),
    ],
)
def test_only_ones_are_forgiven(came, wanted, shape):
    assert np.shape(fitted(np.ones(came), np.zeros(wanted))) == shape


@pytest.mark.parametrize(
    "text",
    [
        "0.5\n1\n2\n",
        "x\n0.5\n1\n2\n",
        "0.5,1,2\n",
        "a,b,c\n0.5,1,2\n",
        '"","x"\n"1",0.5\n"2",1\n"3",2',
    ],
    ids=["column", "heading", "row", "row with headings", "write.csv"],
)
def test_csv_is_one_vector(tmp_path, text):
    (tmp_path / "at.csv").write_text(text)
    assert read_values(tmp_path / "at.csv").tolist() == [0.5, 1.0, 2.0]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("at.csv", "1,2\n3,4\n", "2 rows and 2 columns; wanted one column or one row"),
        ("at.csv", "1\nNA\n", "'NA' is no number"),
        ("at.csv", "", "it is no table"),
        ("at.json", "{", "it is no JSON .line 1, column 2"),
        ("at.json", "3", "it holds 3; wanted an object of named arguments"),
        ("at.json", '{"a": [[1, 2], [3]]}', "a is .* unequal length"),
        ("at.json", '{"a": [1, null]}', "a is .* not all numbers"),
        ("at.json", '{"a": null}', "a is null; wanted a number"),
    ],
)
def test_a_values_file_that_is_none(tmp_path, name, text, said):
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=said):
        read_values(tmp_path / name)


def test_another_kind_of_values_file(tmp_path):
    with pytest.raises(OptionError, match=r"ends in .json, .rds, .csv"):
        read_values(tmp_path / "at.xlsx")
    with pytest.raises(DataError, match="there is no such file"):
        read_values(tmp_path / "at.csv")
