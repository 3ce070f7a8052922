"""The torch note's last formula for ∂L/∂x, and what is said for it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from matbackprop._typing import Array
from matbackprop.verification.claims.claim import Claim, Trial, weigh
from matbackprop.verification.claims.draw import Draw
from matbackprop.verification.claims.torch_note_batch import channel_batch
from matbackprop.verification.claims.torch_note_formulas import (
    RIGHT,
    last_formula,
    own_entry_formula,
)


def _gamma_twice(draw: Draw) -> Trial:
    b = channel_batch(draw)
    return weigh(
        b.true_dx(),
        lambda: b.gamma * last_formula(b.x, b.dxhat, b.eps),
        corrected=lambda: last_formula(b.x, b.dxhat, b.eps),
    )


def _sigma(draw: Draw) -> Trial:
    b = channel_batch(draw)
    truth = b.true_dx()
    return weigh(
        truth,
        lambda: last_formula(b.x, b.dxhat, b.eps, beside=0.0),
        conditioned=(truth, lambda: last_formula(b.x, b.dxhat, b.eps)),
    )


def _another_form(draw: Draw) -> Trial:
    b = channel_batch(draw)

    def own_terms() -> Array:
        projected = b.dxhat * b.centred / b.m
        return (b.dxhat - b.dxhat / b.m - b.centred / b.root**2 * projected) / b.root

    return weigh(
        own_entry_formula(b.x, b.dxhat, b.eps),
        lambda: last_formula(b.x, b.dxhat, b.eps),
        corrected=own_terms,
    )


def _more_stable(draw: Draw) -> Trial:
    # Many elements: in a channel of three either formula may happen to lose more.
    shape = (draw.size(80, 120), 16)
    x, dxhat = draw.matrix(*shape), draw.matrix(*shape) + draw.rng.uniform(10, 30)
    last, before = (digits_lost(f, x, dxhat) for f in (last_formula, own_entry_formula))
    return weigh(1, lambda: last < before, corrected=lambda: last > 3 * before)


def digits_lost(
    formula: Callable[[Array, Array, float], Array], x: Array, dxhat: Array, *, eps: float = 0.1
) -> float:
    """Measure how far a formula in float32 is from itself in float64, relative, root mean squares.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x, dxhat = rng.standard_normal((2, 50, 4))
    >>> 1e-8 < digits_lost(last_formula, x, dxhat) < 1e-6
    True
    """
    single, double = (
        formula(x.astype(np.float32).astype(kind), dxhat.astype(np.float32).astype(kind), eps)
        for kind in (np.float32, np.float64)
    )
    return float(np.linalg.norm(single - double) / np.linalg.norm(double))


def _in_range(draw: Draw) -> Trial:
    b = channel_batch(draw, eps=0.0)
    truth = b.true_dx()

    def of_scaled(*scales: float) -> list[Array]:
        # Without ε the layer forgets the scale of x: ∂L/∂x times that scale is always the same.
        with np.errstate(over="ignore"):
            return [scale * last_formula(scale * b.x, b.dxhat, 0.0) for scale in scales]

    return weigh(
        [truth],
        lambda: of_scaled(2.0**600),
        conditioned=([truth, truth], lambda: of_scaled(2.0**360, 2.0**-360)),
    )


_claim = partial(Claim, source="torch note")
_PLACE = "second half, section 3"
_LAYER = "complex step through the whole layer, channel by channel; random ranks 2 to 5"
_ONCE = "Not to the letter: γ is counted once"
_READ = "σ² is read in its favour, as the square of the new σ, variance plus ε"

LAST_FORMULA = (
    _claim(
        key="torch note/gamma twice",
        place=f"{_PLACE}, last formula",
        says="∂L/∂xᵢ = γ/√(σ² + ε) (∂L/∂x̂ᵢ − (1/m)Σⱼ ∂L/∂x̂ⱼ − ...), where ∂L/∂x̂ = γ ∂L/∂y",
        how=f"{_LAYER}. Not to the letter: {_READ}",
        experiment=_gamma_twice,
        corrected=RIGHT,
    ),
    _claim(
        key="torch note/sigma in the last formula",
        place=f"{_PLACE}, last formula",
        says="the last term inside the bracket is (xᵢ − μ)/σ² · (1/m)Σⱼ ∂L/∂x̂ⱼ (xⱼ − μ)",
        how=f"{_LAYER}. {_ONCE}; σ² is the variance, as under the root before it",
        experiment=_sigma,
        only_if="σ² is the square of the new σ, variance plus ε",
    ),
    _claim(
        key="torch note/another form",
        place=f"{_PLACE}, before the last formula",
        says="the last formula is a form of the one before it: both give the same",
        how=f"the formula before it, evaluated. {_ONCE}, and in both {_READ}",
        experiment=_another_form,
        corrected="it is, where of each sum over j only j = i is kept; with the whole sums it is "
        "∂L/∂xᵢ, which the one before it is not",
    ),
    _claim(
        key="torch note/more stable",
        place=f"{_PLACE}, before the last formula",
        says="the last formula loses fewer digits than the one before it",
        how="1 if so: each in float32 against itself in float64, x̂ around 0. The mean of ∂L/∂x̂ "
        "decides, here 10 to 30 times its spread: the last formula subtracts it, the other does "
        f"not. With none both lose alike. {_ONCE}, and in both {_READ}",
        experiment=_more_stable,
        corrected="it loses more than three times as much: what it computes is a small difference",
    ),
    _claim(
        key="torch note/no delicate terms",
        place=f"{_PLACE}, after the last formula",
        says="no term of the last formula overflows or vanishes, as (σ² + ε)^(3/2) may",
        how="ε = 0, where x on another scale gives the same ∂L/∂x over that scale; truth: complex "
        "step at x. Printed: x times 2^600, whose σ² is infinite in double precision. Condition: "
        f"2^360 and 2^−360, where σ³ is infinite or 0, but σ² is not. {_ONCE}",
        experiment=_in_range,
        only_if="σ² itself is within range",
    ),
)
