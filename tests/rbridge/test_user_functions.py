"""A user's own R file: run where it lies, many points by one call, R's words kept."""

import os

import numpy as np
import pytest

from matbackprop.errors import DataError, OptionError, RCallError
from matbackprop.rbridge import RWarning
from matbackprop.rbridge.user_functions import RFile, read_rds

pytestmark = pytest.mark.r

CODE = r"""
library(stats4)
source("beside.R")
print("printed"); message("told"); plot(1:3)
shift <- scan("shift.txt", quiet = TRUE)
seen <- 0
product <- function(x, A) A %*% x
kinds <- function(x) list(n = 3L, named = c(a = 1L, b = 2L), yes = TRUE,
                          m = matrix(1:4, 2, dimnames = list(c("u", "v"), NULL)))
is_vector <- function(x) is.null(dim(x)) && is.double(x)
logarithm <- function(x) log(x)
stops <- function(x) { if (x > 2) stop("not so large") ; x }
misfits <- function(x) x %*% matrix(1, 7, 7)
noise <- function(x) rnorm(1)
counts <- function(x) { seen <<- seen + 1; fresh <<- seen; fresh }
shifted <- function(x) x + shift + helped()
imaginary <- function(x) 1i
"""


@pytest.fixture
def file(tmp_path, live_engine):
    (tmp_path / "beside.R").write_text("helped <- function() shift\n")
    (tmp_path / "shift.txt").write_text("0.25\n")
    (tmp_path / "user.R").write_text(CODE)
    return RFile(tmp_path / "user.R", engine=live_engine)


def test_the_functions_are_listed_with_their_arguments(file):
    assert file.functions["product"] == ("x", "A")
    assert file.functions["helped"] == ()
    assert "shift" not in file.functions


def test_many_points_are_one_call(file):
    A = np.array([[1.0, 2.0], [3.0, 5.0]])
    product = file.function("product", fixed={"A": A})
    points = [{"x": np.array([0.1, k])} for k in range(50)]
    before = file.calls
    values = product.many(points)
    assert file.calls == before + 1
    for point, value in zip(points, values, strict=True):
        np.testing.assert_allclose(value, A @ point["x"][:, None], rtol=1e-15)
    assert product.real_only


def test_values_are_plain(file):
    got = file.function("kinds")(1.0)
    assert {name: (value.dtype.kind, value.shape) for name, value in got.items()} == {
        "n": ("f", (1,)),
        "named": ("f", (2,)),
        "yes": ("f", (1,)),
        "m": ("f", (2, 2)),
    }
    assert got["m"].tolist() == [[1, 3], [2, 4]]
    assert file.function("is_vector")(np.ones(3)) == 1


def test_it_runs_where_the_file_lies_and_leaves_nothing(file):
    here = os.getcwd()  # noqa: PTH109
    assert file.function("shifted")(1.0) == 1.5
    assert os.getcwd() == here  # noqa: PTH109
    assert not (file.path.parent / "Rplots.pdf").exists()


def test_random_numbers_and_state_go_on_within_a_call(file):
    draws = np.ravel(file.function("noise").many([1.0] * 5))
    assert len(set(draws)) == 5
    assert np.ravel(file.function("counts").many([1.0] * 3)).tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("stops", "Error in stops(x) : not so large"),
        ("misfits", "Error in x %*% matrix(1, 7, 7) : non-conformable arguments"),
        ("imaginary", "it returned a value of type complex, which is no number"),
    ],
)
def test_an_error_at_any_point_is_in_the_words_of_r(file, name, said):
    with pytest.raises(RCallError) as caught:
        file.function(name).many([1.0, 2.0, 3.0])
    assert said in str(caught.value)
    assert f"`{name}()` of user.R stopped in R" in str(caught.value)


def test_a_warning_is_told_once_with_its_call(file):
    logarithm = file.function("logarithm")
    with pytest.warns(RWarning) as heard:
        logarithm.many([-1.0, -2.0, -3.0])
    logarithm(-4.0)  # said once is enough: here a second one would be an error
    assert [str(w.message) for w in heard] == [
        "R warned in `logarithm()` of user.R: In log(x) : NaNs produced"
    ]


def test_a_missing_function_is_told_with_those_there_are(file):
    with pytest.raises(OptionError, match=r"has no function 'lost'; it has .*product\(x, A\)"):
        file.function("lost")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("f <- function(x) {\n  x +* 2\n}\n", r"bad.R:2:6: unexpected '\*'"),
        ("stop('at the top')", "stopped in R: Error: at the top"),
        ("library(nosuchpackage)", "there is no package called"),
        ("quit()", "calls quit"),
    ],
    ids=["syntax", "stop", "library", "quit"],
)
def test_a_file_that_does_not_load(tmp_path, live_engine, code, said):
    (tmp_path / "bad.R").write_text(code)
    with pytest.raises(RCallError, match=said):
        RFile(tmp_path / "bad.R", engine=live_engine)


def test_no_such_file(tmp_path):
    with pytest.raises(DataError, match="there is no such file; wanted a file of R functions"):
        RFile(tmp_path / "none.R")


def test_recorded_results_are_refused(tmp_path):
    (tmp_path / "f.R").write_text("f <- function(x) x")
    with pytest.raises(OptionError, match='engine = "auto", "rpy2", "rscript"; got \'recorded\''):
        RFile(tmp_path / "f.R", engine="recorded")


def test_rds(tmp_path, live_engine):
    name = str(tmp_path / "at.rds")
    (tmp_path / "write.R").write_text(
        f"saveRDS(list(b = c(u = 1L, v = 2L), M = matrix(1:6, 2), way = 'mse'), '{name}')"
    )
    RFile(tmp_path / "write.R", engine=live_engine)
    got = read_rds(name, engine=live_engine)
    assert got["b"].tolist() == [1.0, 2.0]
    assert got["M"].tolist() == [[1, 3, 5], [2, 4, 6]]
    assert got["way"].tolist() == ["mse"]
