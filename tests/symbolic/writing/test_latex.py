"""The LaTeX parses: by Matplotlib's mathtext, and by the renderer of the vignettes."""

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest
from matplotlib.mathtext import MathTextParser

from matbackprop.symbolic.writing import to_latex

MATHTEXT = {r"\lvert": "|", r"\rvert": "|", r"\lVert": r"\Vert", r"\rVert": r"\Vert"}


@pytest.fixture(scope="module")
def mathtext():
    """Return a function that parses, or raises ValueError."""
    parser = MathTextParser("path")

    def parse(latex):
        return parser.parse(
            "$" + re.sub(r"\\[lr][vV]ert", lambda match: MATHTEXT[match[0]], latex) + "$"
        )

    return parse


@pytest.fixture(scope="module")
def vignettes(unavailable):
    """Return the function that renders the formulas of the vignettes, or raises."""
    if importlib.util.find_spec("latex2mathml") is None:
        unavailable("latex2mathml renders formulas; it comes with the extra `docs`")
    path = Path(__file__).parents[3] / "vignettes" / "_ext" / "mathml.py"
    spec = importlib.util.spec_from_file_location("vignette_mathml", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.mathml


def test_mathtext_parses(spelling, mathtext):
    mathtext(to_latex(spelling[0]))


def test_vignettes_parse(spellings, vignettes):
    for expr, _, _ in spellings:
        vignettes(to_latex(expr), display=True)


@pytest.mark.parametrize("broken", [r"\left(A", r"x^{", r"\nonsense x"])
def test_the_parser_refuses(broken, mathtext):
    with pytest.raises(ValueError, match=r"Expected|Unknown"):
        mathtext(broken)


def test_random_expressions_parse(mathtext, builder):
    for seed in range(25):
        rng = np.random.default_rng(seed)
        expr = builder(lambda k, rng=rng: int(rng.integers(k))).build((), 3)
        mathtext(to_latex(expr))
