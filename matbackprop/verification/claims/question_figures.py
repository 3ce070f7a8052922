"""Claims of the question: its seven printed results, and what they are said to be."""

from collections.abc import Callable
from functools import partial
from typing import Literal

import numpy as np

from matbackprop._typing import Array, ArrayLike
from matbackprop.verification.claims.claim import Claim, Trial, weigh
from matbackprop.verification.claims.draw import Draw
from matbackprop.verification.claims.question_setting import (
    COMPACT_BETA,
    COMPACT_GAMMA,
    COMPACT_GAMMA1,
    Setting,
    compact_Gamma1,
    diagonal_of_XhatS,
    ones_times_S,
    posed_setting,
)
from matbackprop.verification.posted_text import POSTED

_claim = partial(Claim, source="question")

_PRINTED = {
    "beta_matrix": ("Update 1, printed after drdb", "the matrix line for ∂R/∂β"),
    "beta_loop": ("Update 1, printed after the looping way", "the loop for ∂R/∂β"),
    "kronecker_rule": ("Update 1, printed 40 × 4 matrix", "the line for the Kronecker rule"),
    "Gamma1_loop": ("Update 3, first printed matrix", "the loop for ∂R/∂Γ₁"),
    "Gamma1_matrix": ("Update 3, second printed matrix", "the matrix line for ∂R/∂Γ₁"),
    "gamma_matrix": ("Update 4, printed matrix", "the matrix line for ∂R/∂γ"),
    "gamma_loop": ("Update 4, printed vector", "the loop for ∂R/∂γ"),
}

_Variable = Literal["beta", "Gamma1", "gamma"]
_GRADIENTS: dict[str, tuple[_Variable, Callable[[Setting], Array]]] = {
    "beta_matrix": ("beta", ones_times_S),
    "beta_loop": ("beta", ones_times_S),
    "Gamma1_loop": ("Gamma1", compact_Gamma1),
    "Gamma1_matrix": ("Gamma1", compact_Gamma1),
    "gamma_matrix": ("gamma", diagonal_of_XhatS),
    "gamma_loop": ("gamma", diagonal_of_XhatS),
}


def _digits(name: str) -> Callable[[Draw], Trial]:
    def experiment(draw: Draw) -> Trial:
        figure = POSTED[name]
        recomputed = figure.rounded(draw.r["posted_figures"][name])
        return weigh(recomputed, lambda: figure.numbers)

    return experiment


def _lines(draw: Draw) -> Trial:
    printed = draw.r["posted_printed"]
    differing = [POSTED[name].differing_lines(np.ravel(printed[name]).tolist()) for name in POSTED]
    return weigh(np.zeros(len(POSTED)), lambda: differing)


def _is_square(name: str) -> bool:
    """Whether it is the p2 × p2 matrix for ∂R/∂γ, of which only the diagonal can be meant."""
    return name == "gamma_matrix"


def _is_gradient(name: str) -> Callable[[Draw], Trial]:
    variable, right = _GRADIENTS[name]

    def experiment(draw: Draw) -> Trial:
        s, numbers = posed_setting(draw), POSTED[name].numbers
        truth = s.gradient(variable)
        shown = np.diag(numbers) if _is_square(name) else numbers
        return weigh(truth, lambda: shown.reshape(truth.shape), corrected=lambda: right(s))

    return experiment


def _match(one: str, two: str, part: Callable[[Array], ArrayLike]) -> Callable[[Draw], Trial]:
    def experiment(draw: Draw) -> Trial:
        computed = draw.r["posted_figures"]
        return weigh(computed[one], lambda: part(computed[two]))

    return experiment


_FORMULAS = {
    "beta": f"∂R/∂β = {COMPACT_BETA}, S with the right a′",
    "Gamma1": f"∂R/∂Γ₁ = {COMPACT_GAMMA1}",
    "gamma": f"∂R/∂γ = {COMPACT_GAMMA}, S with the right a′",
}

FIGURES = (
    *(
        _claim(
            key=f"question/printed {name}",
            place=place,
            says=f"{what} prints these figures",
            how="R's own rerun of the question, faults included, rounded to the digits shown",
            experiment=_digits(name),
        )
        for name, (place, what) in _PRINTED.items()
    ),
    _claim(
        key="question/printed lines",
        place="Updates 1, 3 and 4, all seven printed results",
        says="R prints each line just so, to the blank",
        how="number of lines that differ from R's own printout, result by result; of the 40 × 4 "
        "matrix the rows shown, not its header, which lost a blank when it was shortened by hand",
        experiment=_lines,
    ),
    *(
        _claim(
            key=f"question/{name} is the gradient",
            place=_PRINTED[name][0],
            says=("the diagonal of these figures is" if _is_square(name) else "these figures are")
            + f" {_FORMULAS[variable].partition(' ')[0]} at the question's data",
            how="complex step through R = Σε̂² at the question's data, as R drew them; ReLU, no "
            "entry of H within 0.06 of its kink",
            experiment=_is_gradient(name),
            corrected=_FORMULAS[variable],
        )
        for name, (variable, _) in _GRADIENTS.items()
    ),
    _claim(
        key="question/matrix and loop match for beta",
        place="Update 1, the remark that they match",
        says="the matrix line and the loop for ∂R/∂β give the same four numbers",
        how="R's own rerun of both, to rounding; why they match although the loop takes the wrong "
        "column and row: ap is 1 throughout",
        experiment=_match("beta_loop", "beta_matrix", np.ravel),
    ),
    _claim(
        key="question/matrix and loop match for Gamma1",
        place="Update 3, the remark before the listing",
        says="the matrix line and the loop for ∂R/∂Γ₁ give the same 28 numbers",
        how="R's own rerun of both, to rounding; both make the same mistakes",
        experiment=_match("Gamma1_loop", "Gamma1_matrix", np.asarray),
    ),
    _claim(
        key="question/diagonal and loop match for gamma",
        place="Update 4, the remark after the printed vector",
        says="the diagonal of the matrix line for ∂R/∂γ is the vector from the loop",
        how="R's own rerun of both, to rounding; both carry the factor γ",
        experiment=_match("gamma_loop", "gamma_matrix", np.diag),
    ),
)
