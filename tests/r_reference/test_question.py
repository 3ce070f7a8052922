"""The question's data and its right gradients; the caller's random numbers stay as they were."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.r

# By numDeriv on the question's data: sum of squares, ddof = 1, eps = 0.
TRUE_ROWS: dict[str, list[float]] = {
    "beta": [0.9952330, 1.1510608, -4.0426069, -0.3169117],
    "gamma": [1.2770634, 1.9957144, -4.9466216, -0.6095949],
    "Gamma2": [-1.178837, 6.062955, -2.661451, 14.237266],
    "Gamma1[1]": [-0.32579718, 0.002395019, 6.9149220, 0.21395849],
    "Gamma1[7]": [-0.02800042, 0.043006473, -0.8519618, -0.01385921],
}
GENERATORS = [
    ("Mersenne-Twister", "Inversion", "Rejection"),
    ("Wichmann-Hill", "Ahrens-Dieter", "Rounding"),
    ("L'Ecuyer-CMRG", "Kinderman-Ramage", "Rejection"),
]


@pytest.fixture(scope="module")
def results(r_value: Callable[..., Any]) -> dict[str, Any]:
    results: dict[str, Any] = r_value(
        "list(loops = question_loops(), matrix_forms = question_matrix_forms())"
    )
    return results


def test_data(r_value: Callable[..., Any]) -> None:
    data = r_value("question_data()")
    shapes = {name: value.shape for name, value in data.items()}
    assert shapes == {
        "X": (10, 7),
        "y": (10,),
        "Gamma1": (7, 4),
        "Gamma2": (4,),
        "gamma": (4,),
        "beta": (4,),
        "noise": (10,),
    }
    # The first normal draw after set.seed(1), known to every R user.
    assert data["Gamma1"][0, 0] == pytest.approx(-0.6264538, abs=5e-8)
    assert set(np.unique(data["X"])) <= set(range(-5, 6))
    assert data["gamma"].tolist() == [2, 3, 4, 5]
    assert data["beta"].tolist() == [-2, -3, -4, -5]
    Z = data["X"] @ data["Gamma1"]
    H = data["gamma"] * (Z - Z.mean(axis=0)) / Z.std(axis=0, ddof=1) + data["beta"]
    y = np.maximum(H, 0) @ data["Gamma2"] + data["noise"]
    np.testing.assert_allclose(data["y"], y, rtol=1e-13)


@pytest.mark.parametrize("route", ["loops", "matrix_forms"])
@pytest.mark.parametrize("name", TRUE_ROWS)
def test_true_gradients(route: str, name: str, results: dict[str, Any]) -> None:
    variable, _, row = name.rstrip("]").partition("[")
    gradient = results[route][variable]
    if row:
        gradient = gradient[int(row) - 1]
    # The values are given to 7 significant digits.
    np.testing.assert_allclose(gradient, TRUE_ROWS[name], rtol=5e-7)


@pytest.mark.parametrize("name", ["Gamma1", "Gamma2", "gamma", "beta", "X", "y"])
def test_true_gradients_by_num_deriv(
    name: str,
    num_deriv: None,
    r_value: Callable[..., Any],
    r_reference: Any,
    results: dict[str, Any],
) -> None:
    problems = r_reference.parent / "tests" / "r_reference" / "problems.R"
    numeric = r_value(
        f'numeric_gradient(question_data()[c("X","y","Gamma1","Gamma2","gamma","beta")], "{name}")',
        setup=f'source("{problems}")',
    )
    loops = results["loops"]
    # The data are an argument like the others: dR/dy = 2 (y - fitted).
    exact = loops[name] if name != "y" else 2 * (r_value("question_data()")["y"] - loops["fitted"])
    # ReLU is smooth where it matters: no entry of H lies within a step of its kink.
    np.testing.assert_allclose(numeric, exact, rtol=0, atol=1e-9 * np.abs(exact).max())


def test_fitted_and_loss(results: dict[str, Any], r_value: Callable[..., Any]) -> None:
    noise = r_value("question_data()$noise")
    y = r_value("question_data()$y")
    for result in results.values():
        np.testing.assert_allclose(y - result["fitted"], noise, rtol=0, atol=1e-13)
        assert result["loss"].item() == pytest.approx((noise**2).sum(), rel=1e-13)


@pytest.mark.parametrize("kind", GENERATORS, ids=lambda kind: kind[0])
def test_the_callers_generator_is_untouched(
    kind: tuple[str, str, str], r_value: Callable[..., Any]
) -> None:
    choose = ", ".join(f'"{part}"' for part in kind)
    after = r_value(
        """{
          data <- question_data()
          same <- identical(before, .Random.seed) && identical(kind, RNGkind())
          draws <- c(runif(3), rnorm(3), sample(9, 3))
          .Random.seed <- before
          list(same, identical(draws, c(runif(3), rnorm(3), sample(9, 3))), data$y)
        }""",
        setup=f"""suppressWarnings(RNGkind({choose}))
        set.seed(7); before <- .Random.seed; kind <- RNGkind()""",
    )
    same, draws, y = after
    assert same.all()
    assert draws.all()
    np.testing.assert_array_equal(y, r_value("question_data()$y"))


def test_the_kind_is_restored_where_there_was_no_seed(r_value: Callable[..., Any]) -> None:
    kinds = r_value(
        "{question_data(); RNGkind()}",
        setup="""suppressWarnings(RNGkind("Wichmann-Hill", "Ahrens-Dieter", "Rounding"))
        rm(.Random.seed)""",
    )
    assert kinds == ["Wichmann-Hill", "Ahrens-Dieter", "Rounding"]


def test_no_seed_stays_no_seed(r_value: Callable[..., Any]) -> None:
    code = '{question_data(); exists(".Random.seed", globalenv(), inherits = FALSE)}'
    assert not r_value(code).any()
