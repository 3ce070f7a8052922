"""Every figure printed in the question comes out of R again, character by character."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.r

GAMMA1 = [
    "           [,1]       [,2]       [,3]       [,4]",
    "[1,] -61.531877  122.66157  360.08132 -51.666215",
    "[2,]   7.047767  -14.04947  -41.24316   5.917769",
    "[3,] 124.157678 -247.50384 -726.56422 104.250961",
    "[4,]  44.151682  -88.01478 -258.37333  37.072659",
    "[5,]  22.478082  -44.80924 -131.54056  18.874078",
    "[6,]  22.098857  -44.05327 -129.32135  18.555655",
    "[7,]  79.617345 -158.71430 -465.91653  66.851965",
]
PRINTED = {
    "beta_matrix": [
        "           [,1]      [,2]    [,3]        [,4]",
        "[1,] -0.4460901 0.3899186 1.26758 -0.09589582",
    ],
    "beta_loop": ["[1] -0.44609015  0.38991862  1.26758024 -0.09589582"],
    "Gamma1_matrix": GAMMA1,
    "Gamma1_loop": GAMMA1,
    "gamma_matrix": [
        "           [,1]      [,2]       [,3]       [,4]",
        "[1,]  0.8580574 -1.125017  -4.876398  0.4611406",
        "[2,] -4.5463304  5.960787  25.837103 -2.4433071",
        "[3,]  2.0706860 -2.714919 -11.767849  1.1128364",
        "[4,] -8.5641868 11.228681  48.670853 -4.6025996",
    ],
    "gamma_loop": ["[1]   0.8580574   5.9607870 -11.7678486  -4.6025996"],
}
# The question leaves out most rows of this one.
KRONECKER_ROWS = {
    1: " [1,]    1    0    0    0",
    2: " [2,]    1    0    0    0",
    13: "[13,]    0    1    0    0",
    14: "[14,]    0    1    0    0",
    28: "[28,]    0    0    1    0",
    29: "[29,]    0    0    1    0",
    39: "[39,]    0    0    0    1",
    40: "[40,]    0    0    0    1",
}
SHAPES = {
    "beta_matrix": (1, 4),
    "beta_loop": (4,),
    "kronecker_rule": (40, 4),
    "Gamma1_matrix": (7, 4),
    "Gamma1_loop": (7, 4),
    "gamma_matrix": (4, 4),
    "gamma_loop": (4,),
}


@pytest.fixture(scope="module")
def printed(r_value: Callable[..., Any]) -> Any:
    # Options that would change what is printed must not reach it.
    return r_value("posted_printed()", setup="options(digits = 3, width = 20, scipen = -9)")


@pytest.fixture(scope="module")
def figures(r_value: Callable[..., Any]) -> Any:
    return r_value("posted_figures()")


@pytest.mark.parametrize("name", PRINTED)
def test_printed_lines(name: str, printed: dict[str, list[str]]) -> None:
    assert printed[name] == PRINTED[name]


def test_printed_kronecker_rule(printed: dict[str, list[str]]) -> None:
    header, *rows = printed["kronecker_rule"]
    assert len(rows) == 40
    assert {n: rows[n - 1] for n in KRONECKER_ROWS} == KRONECKER_ROWS
    # The header in the question is one blank short of what R prints above 40 rows: it
    # was shortened by hand, as the rows were.
    assert header == " " + "     [,1] [,2] [,3] [,4]"


@pytest.mark.parametrize("name", SHAPES)
def test_shapes(name: str, figures: dict[str, np.ndarray]) -> None:
    assert list(figures) == list(SHAPES)
    assert figures[name].shape == SHAPES[name]


def test_printing_restores_the_options(r_value: Callable[..., Any]) -> None:
    after = r_value(
        "{posted_printed(); c(getOption('digits'), getOption('width'), getOption('scipen'))}",
        setup="options(digits = 4, width = 50, scipen = 2)",
    )
    assert after.tolist() == [4, 50, 2]


def test_the_posted_loop_agrees_only_because_of_that(r_value: Callable[..., Any]) -> None:
    """With the derivative mended, its wrong column and row give different numbers."""
    mend = "assign('posted_derivative', function(h) 1 * (h > 0), environment(posted_figures))"
    mended = r_value("posted_figures()", setup=mend)
    right = r_value("question_loops()$beta")
    np.testing.assert_allclose(mended["beta_matrix"][0], right, rtol=1e-12)
    assert np.abs(mended["beta_loop"] - right).max() > 0.1


def test_the_posted_derivative_forgets_its_argument(r_value: Callable[..., Any]) -> None:
    assert r_value("posted_derivative(c(-3, -0.1, 0, 2))").tolist() == [1, 1, 1, 1]
