"""Loops, matrix forms and Kronecker products: one gradient, three ways, and by differences."""

import json
import shutil
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy

pytestmark = pytest.mark.r

ROUTES = ("network_loops", "network_gradient", "kronecker_gradient")
GRADIENTS = ("Gamma1", "Gamma2", "gamma", "beta", "X")
ACTIVATIONS = ("relu", "leaky_relu", "identity", "tanh", "sigmoid", "softplus", "silu", "gelu")
PROBLEMS = Path(__file__).with_name("problems.R")


def case_table() -> Iterator[tuple[str, str]]:
    """Yield the name of a case and the R call that makes its arguments."""
    seed = 0
    normalisations = {
        "batch": "",
        "deep": "ddof = 0, eps = 1e-5",
        "eps": "eps = 0.5",
        "fixed": "fixed = TRUE",
        "plain": "normalised = FALSE",
    }
    for activation, (name, options) in product(ACTIVATIONS, normalisations.items()):
        for q, loss in ((0, "sse"), (3, "mse")):
            seed += 1
            arguments = [f"{seed}", f'activation = "{activation}"', f'loss = "{loss}"', f"q = {q}"]
            yield (
                f"{activation}-{name}-q{q}-{loss}",
                f"problem({', '.join([*arguments, options] if options else arguments)})",
            )
    yield "two-rows", "problem(901, N = 2, activation = 'tanh')"
    yield "two-rows-eps", "problem(902, N = 2, eps = 0.1, activation = 'gelu')"
    yield "one-input", "problem(903, p1 = 1, activation = 'silu')"
    yield "one-node", "problem(904, p2 = 1, activation = 'tanh')"
    yield "one-node-one-row-fixed", "problem(905, N = 1, p2 = 1, fixed = TRUE)"
    yield "one-row-plain", "problem(906, N = 1, normalised = FALSE, activation = 'gelu')"
    yield "one-column-y", "problem(907, q = 1, activation = 'softplus', loss = 'mse')"
    yield "wide", "problem(908, N = 5, p1 = 9, p2 = 7, q = 2, activation = 'sigmoid')"
    yield "ddof-3", "problem(909, N = 6, ddof = 3, activation = 'tanh')"
    yield "slope", "problem(910, activation = 'leaky_relu', slope = 0.3)"


CASES = dict(case_table())
# Where a(h) has a kink, a difference taken across it means nothing.
SMOOTH_CASES = [name for name, call in CASES.items() if "relu" not in call]
# Half of them, alternating q and loss, leave out no activation and no normalisation.
DIFFERENCED = [name for k, name in enumerate(SMOOTH_CASES) if k % 4 in (0, 3) or k >= 60]


def all_routes(r_value: Callable[..., Any], **options: Any) -> Any:
    problems = ", ".join(f'"{name}" = {call}' for name, call in CASES.items())
    routes = ", ".join(f'{route} = many("{route}", problems)' for route in ROUTES)
    return r_value(
        f"list(problems = problems, {routes})",
        setup=f"source({json.dumps(str(PROBLEMS))})\nproblems <- list({problems})",
        **options,
    )


@pytest.fixture(scope="module")
def answers(r_value: Callable[..., Any]) -> Any:
    return all_routes(r_value)


def scales(problem: dict[str, Any], result: dict[str, Any]) -> dict[str, float]:
    """Size of the terms that add up, and may cancel, in each quantity (an upper bound)."""
    X, Gamma1 = problem["X"], problem["Gamma1"]
    y, Gamma2 = (np.abs(problem[name].reshape(len(problem[name]), -1)) for name in ("y", "Gamma2"))
    N = len(X)
    Z = X @ Gamma1
    c0 = 1 / N if problem.get("loss", ["sse"])[0] == "mse" else 1.0
    E = y + np.abs(result["fitted"].reshape(y.shape))
    S = 2.5 * c0 * E @ Gamma2.T  # |a'| < 1.25 for every activation
    if result["gamma"] is None:
        H, dZ, Xhat = Z, S, np.zeros_like(Z)
    else:
        fixed = "mu" in problem
        rows = np.inf if fixed else N - problem.get("ddof", 1)
        mu = problem["mu"] if fixed else Z.mean(axis=0)
        variance = ((Z - mu) ** 2).sum(axis=0) / rows + problem.get("eps", 0)
        sigma = problem["sigma"] if fixed else np.sqrt(variance)
        Xhat = np.abs((Z - mu) / sigma)
        H = np.abs(problem["gamma"]) * Xhat + np.abs(problem["beta"])
        along = Xhat * (Xhat * S).sum(axis=0) / rows
        dZ = (S + S.mean(axis=0) + along) * np.abs(problem["gamma"] / sigma)
    V = np.abs(H) + 1  # |a(h)| <= |h| + 1
    size = {
        "loss": c0 * E**2,
        "fitted": V @ Gamma2,
        "Gamma1": np.abs(X).T @ dZ,
        "Gamma2": c0 * V.T @ E,
        "gamma": (Xhat * S).sum(axis=0),
        "beta": S.sum(axis=0),
        "X": dZ @ np.abs(Gamma1).T,
    }
    return {name: float(value.max()) for name, value in size.items()}


def check_agreement(
    problem: dict[str, Any], reference: dict[str, Any], other: dict[str, Any]
) -> None:
    assert list(reference) == list(other) == ["loss", "fitted", *GRADIENTS]
    for name, scale in scales(problem, reference).items():
        if reference[name] is None:
            assert other[name] is None
            continue
        assert reference[name].shape == other[name].shape, name
        np.testing.assert_allclose(
            other[name], reference[name], rtol=0, atol=1e-12 * scale, err_msg=name
        )


@pytest.mark.parametrize("route", ROUTES[1:])
@pytest.mark.parametrize("case", CASES)
def test_routes_agree(case: str, route: str, answers: dict[str, Any]) -> None:
    check_agreement(answers["problems"][case], answers["network_loops"][case], answers[route][case])


VALUES: dict[str, Callable[[Any], Any]] = {
    "relu": lambda h: np.maximum(h, 0),
    "identity": lambda h: h,
    "tanh": np.tanh,
    "sigmoid": lambda h: 1 / (1 + np.exp(-h)),
    "softplus": lambda h: np.logaddexp(0, h),
    "silu": lambda h: h / (1 + np.exp(-h)),
    "gelu": lambda h: h * scipy.special.ndtr(h),
}


@pytest.mark.parametrize("case", CASES)
def test_forward_pass_against_numpy(case: str, answers: dict[str, Any]) -> None:
    """Fitted values and loss, from their definitions and with NumPy's own moments."""
    problem, result = answers["problems"][case], answers["network_loops"][case]
    activation = problem.get("activation", ["relu"])[0]
    slope = problem.get("slope", 0.01)
    H = problem["X"] @ problem["Gamma1"]
    if "gamma" in problem:
        if "mu" in problem:
            mu, sigma = problem["mu"], problem["sigma"]
        else:
            mu = H.mean(axis=0)
            sigma = np.sqrt(
                H.var(axis=0, ddof=int(np.ravel(problem.get("ddof", 1))[0])) + problem.get("eps", 0)
            )
        H = problem["gamma"] * (H - mu) / sigma + problem["beta"]
    V = np.where(H > 0, H, slope * H) if activation == "leaky_relu" else VALUES[activation](H)
    fitted = V @ problem["Gamma2"]
    squares = (problem["y"] - fitted) ** 2
    # Mean over rows, sum over outputs: the divisor is N, whatever q.
    loss = squares.sum() / (len(H) if problem.get("loss", ["sse"])[0] == "mse" else 1)
    scale = scales(problem, result)
    np.testing.assert_allclose(result["fitted"], fitted, rtol=0, atol=1e-12 * scale["fitted"])
    np.testing.assert_allclose(result["loss"], loss, rtol=0, atol=1e-12 * scale["loss"])


@pytest.mark.parametrize("case", CASES)
def test_each_gradient_has_the_shape_of_its_variable(case: str, answers: dict[str, Any]) -> None:
    problem = answers["problems"][case]
    for route in ROUTES:
        result = answers[route][case]
        assert result["fitted"].shape == problem["y"].shape
        assert result["loss"].shape == (1,)
        for name in GRADIENTS:
            if name in problem:
                assert result[name].shape == problem[name].shape
            else:
                assert result[name] is None


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("case", ["two-rows", "one-input"])
def test_vanishing_gradients_vanish(case: str, route: str, answers: dict[str, Any]) -> None:
    """With eps = 0 one input, or two rows, leave Gamma1 nothing but scale: gradient zero."""
    problem, result = answers["problems"][case], answers[route][case]
    np.testing.assert_allclose(result["Gamma1"], 0, atol=1e-12 * scales(problem, result)["Gamma1"])
    assert np.abs(result["gamma"]).max() > 1e-3


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradient_along_its_own_column(
    activation: str, route: str, answers: dict[str, Any]
) -> None:
    """<Gamma1_j, dGamma1_j> = gamma_j dgamma_j eps / sigma_j^2: only eps sees the scale."""
    problem = answers["problems"][f"{activation}-eps-q0-sse"]
    result = answers[route][f"{activation}-eps-q0-sse"]
    variance = (problem["X"] @ problem["Gamma1"]).var(axis=0, ddof=1) + 0.5
    left = (problem["Gamma1"] * result["Gamma1"]).sum(axis=0)
    right = problem["gamma"] * result["gamma"] * 0.5 / variance
    np.testing.assert_allclose(left, right, atol=1e-12 * scales(problem, result)["Gamma1"])


@pytest.fixture(scope="module")
def numeric(num_deriv: None, r_value: Callable[..., Any]) -> Any:
    problems = ", ".join(f'"{name}" = {CASES[name]}' for name in DIFFERENCED)
    names = ", ".join(f'"{name}"' for name in GRADIENTS)
    return r_value(
        f"lapply(problems, function(given) sapply(intersect(c({names}), names(given)), "
        "function(name) numeric_gradient(given, name), simplify = FALSE))",
        setup=f"source({json.dumps(str(PROBLEMS))})\nproblems <- list({problems})",
    )


@pytest.mark.parametrize("case", DIFFERENCED)
def test_loops_against_num_deriv(
    case: str, numeric: dict[str, Any], answers: dict[str, Any]
) -> None:
    result = answers["network_loops"][case]
    scale = scales(answers["problems"][case], result)
    for name, derivative in numeric[case].items():
        # Steps of 1e-3, four times halved, leave about eleven digits.
        np.testing.assert_allclose(
            derivative, result[name], rtol=0, atol=1e-9 * scale[name], err_msg=name
        )


FAULTS = {
    "loops forget that sigma moves": ("loops.R", "- (z[n] - mu) * d_sigma) /", ") /"),
    "loops forget that mu moves": ("loops.R", "((n == m) - d_mu)", "(n == m)"),
    "loops divide by N for N - ddof": (
        "loops.R",
        "((net$N - net$ddof) * sigma)",
        "(net$N * sigma)",
    ),
    "variance term dropped": ("matrix_forms.R", "sweep(centred - along, 2", "sweep(centred, 2"),
    "mean term dropped": ("matrix_forms.R", "centred <- sweep(S, 2, colMeans(S))", "centred <- S"),
    "sigma multiplies": ("matrix_forms.R", "along, 2, gamma / sigma", "along, 2, gamma * sigma"),
    "spurious gamma": (
        "matrix_forms.R",
        "colSums(pass$Xhat * S)\n",
        "net$gamma * colSums(pass$Xhat * S)\n",
    ),
    "activation derivative is 1": (
        "matrix_forms.R",
        "activation_derivative(net$activation, pass$H, net$slope) *",
        "1 *",
    ),
    "derivative taken at Z": ("matrix_forms.R", "activation, pass$H,", "activation, pass$Z,"),
    "1/N forgotten": ("matrix_forms.R", "Gamma2 = -2 * net$c0 *", "Gamma2 = -2 *"),
    "Jacobian without xhat": ("kronecker.R", " - tcrossprod(Xhat[, j]) / (N - ddof)", ""),
    "selection of the wrong rows": (
        "kronecker.R",
        "(seq_len(p) - 1) * p + seq_len(p)",
        "seq_len(p)",
    ),
    "eps outside the root": ("forward.R", "- ddof) + eps)", "- ddof)) + eps"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(
    fault: str, tmp_path: Path, r_reference: Path, r_value: Callable[..., Any]
) -> None:
    file, right, wrong = FAULTS[fault]
    copy = shutil.copytree(r_reference, tmp_path / "r_reference")
    text = (copy / file).read_text()
    assert text.count(right) == 1, f"{right!r} is no longer in {file}: mend this test"
    (copy / file).write_text(text.replace(right, wrong))
    answers = all_routes(r_value, folder=copy)

    def agree_everywhere() -> None:
        for route, case in product(ROUTES[1:], CASES):
            check_agreement(
                answers["problems"][case], answers["network_loops"][case], answers[route][case]
            )

    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        agree_everywhere()
