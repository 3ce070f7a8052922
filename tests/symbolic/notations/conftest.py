import json

import numpy as np
import pytest

from matbackprop.bench.cases import CASE_FILE
from matbackprop.symbolic.certification.domains import draw
from matbackprop.symbolic.notations import declared

SHAPES = {"X": ("n", "p"), "Y": ("n", "p"), "S": ("p", "p"), "x": "n", "y": "n", "b": "p"}
SHAPES |= {"lam": (), "one": (1, 1)}
SIZES = {"n": 5, "p": 3}


def pytest_generate_tests(metafunc):
    if "case" in metafunc.fixturenames:
        cases = json.loads(CASE_FILE.read_text())["cases"]
        metafunc.parametrize("case", cases, ids=[case["id"] for case in cases])


@pytest.fixture
def point():
    """Return a function giving a random value for every variable of shapes, and the sizes."""

    def at(shapes=SHAPES, sizes=SIZES, domains=None, seed=0):
        rng = np.random.default_rng(seed)
        variables = declared(shapes, {}, domains or {})
        drawn = dict(sizes)
        for name, variable in variables.items():
            drawn[name] = draw(variable, tuple(d.evaluate(sizes) for d in variable.shape), rng)
        return drawn

    return at


@pytest.fixture
def dims():
    """The sizes that the case file uses."""
    return json.loads(CASE_FILE.read_text())["dims"]


@pytest.fixture
def shapes():
    """The variables of the small examples."""
    return dict(SHAPES)
