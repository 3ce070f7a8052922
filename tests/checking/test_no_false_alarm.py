"""No correct gradient is called wrong in a thousand trials; nor is a wrong one called right."""

import numpy as np
import pytest

from matbackprop.checking import check_gradient
from tests.checking.zoo_trials import FAMILIES, Trial, large

FORMS = ("vector", "vector", "matrix", "dict", "tuple", "single")
"""How a point is shown: float64 (twice as often), (1, n) or (n/2, 2), cut in two, or float32."""


def shown(x: np.ndarray, form: str):
    """The vector x in that form, column by column."""
    half = (x.size + 1) // 2
    match form:
        case "matrix":
            return x.reshape(-1, 2 if x.size % 2 == 0 else 1, order="F")
        case "dict" if x.size > 1:
            return {"first": x[:half], "second": x[half:].reshape(1, -1)}
        case "tuple" if x.size > 1:
            return (x[:half], x[half:])
        case "single":
            return x.astype(np.float32)
    return x


def read(point) -> np.ndarray:
    """The vector back from any form."""
    parts = point.values() if isinstance(point, dict) else point
    if isinstance(point, dict | tuple):
        return np.concatenate([np.ravel(part, order="F") for part in parts]).astype(float)
    return np.ravel(point, order="F").astype(float)


def check(trial: Trial, x, gradient, form, seed):
    return check_gradient(
        lambda point: trial.loss(read(point)),
        lambda point: shown(np.asarray(gradient(read(point)), float), form),
        shown(x, form),
        rng=np.random.default_rng(seed),
    )


def visible(trial: Trial, x, change) -> bool:
    """Whether rounding leaves no doubt of a change, in its largest entry, by a factor 1e5."""
    i = int(np.argmax(np.abs(change)))
    h = 1e-2 * max(1.0, abs(x[i]))
    beside = [x + h * (np.arange(x.size) == i), x - h * (np.arange(x.size) == i), x]
    largest = max(trial.terms, *(abs(float(trial.loss(point))) for point in beside))
    fine = 1e5 if trial.resolution < 1e-10 else 30
    enough = abs(change[i]) > fine * trial.resolution * largest / h
    return enough and abs(change[i]) > 5e-4 * np.abs(trial.gradient(x)).max()


def spoilt(trial: Trial, x, rng):
    """The gradient with a mistake; and the change it makes at x."""
    g = np.asarray(trial.gradient(x), float)
    top = rng.choice(np.argsort(-np.abs(g))[: max(1, g.size // 10)])
    chosen = np.arange(g.size) == top
    coarse = 1.001 if trial.resolution < 1e-10 else 1.2
    factor = [
        np.full(g.size, coarse),
        np.where(chosen, -1.0, 1.0),
        np.where(chosen, 0.0, 1.0),
        np.where(chosen, 1.01 if coarse < 1.1 else 1.5, 1.0),
        np.full(g.size, -1.0),
    ][rng.integers(5) if g.size < 1000 else rng.choice([0, 1, 2, 4])]
    return lambda at: factor * trial.gradient(at), (factor - 1) * g


@pytest.mark.parametrize("make", FAMILIES, ids=lambda make: make.__name__)
def test_right_is_right_and_wrong_is_wrong(make):
    alarms, blind, seen = [], [], 0
    for number in range(FAMILIES[make]):
        rng = np.random.default_rng([20, number])
        trial, form = make(rng), FORMS[rng.integers(len(FORMS))]
        x = read(shown(trial.x, form))
        diagnosis = check(trial, x, trial.gradient, form, number)
        if not diagnosis.ok:
            alarms.append((number, form, diagnosis.max_error, diagnosis.findings[:1]))
        gradient, change = spoilt(trial, x, rng)
        if trial.sharp and visible(trial, x, change):
            seen += 1
            if check(trial, x, gradient, form, number).ok:
                blind.append((number, form))
    assert not alarms, f"correct, but called wrong: {alarms}"
    assert not blind, f"wrong, but called right: {blind} of {seen}"


def test_trials_are_a_thousand_and_most_mistakes_are_certain():
    assert sum(FAMILIES.values()) >= 1000
    certain = 0
    for make in FAMILIES:
        for number in range(0 if make is large else FAMILIES[make]):
            rng = np.random.default_rng([20, number])
            trial = make(rng)
            certain += trial.sharp and visible(trial, trial.x, spoilt(trial, trial.x, rng)[1])
    assert certain >= 400


@pytest.mark.parametrize("make", FAMILIES, ids=lambda make: make.__name__)
def test_trials_themselves_are_correct(make):
    """By a plain central difference, loosely, where the function is smooth."""
    for number in range(5):
        trial = make(np.random.default_rng([20, number]))
        if not trial.sharp or trial.x.size > 1000:
            continue
        g = np.asarray(trial.gradient(trial.x), float)
        for i, x_i in enumerate(trial.x):
            h = (1e-4 if trial.resolution < 1e-10 else 1e-2) * max(1.0, abs(x_i))
            e = h * (np.arange(trial.x.size) == i)
            above, below = float(trial.loss(trial.x + e)), float(trial.loss(trial.x - e))
            rounding = 30 * trial.resolution * max(trial.terms, abs(above), abs(below)) / h
            numeric = (above - below) / (2 * h)
            assert abs(numeric - g[i]) <= 1e-4 * np.abs(g).max() + rounding
