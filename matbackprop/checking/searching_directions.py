"""The search where only a few slopes are known: which correction of the gradient agrees with them.

With thousands of parameters the true gradient is not measured entry by entry. But each mistake that
can be undone, as an exchange of rows and columns or a constant factor can, gives a corrected
gradient, and that is held against the slopes. With a network its own gradient is first held
against them; if it agrees, it is the truth, and the search is that of single entries.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from matbackprop._typing import Array
from matbackprop.checking.cause import Cause
from matbackprop.checking.constants import close, constant
from matbackprop.checking.explanations.factors import factor_cause
from matbackprop.checking.explanations.orders import orders_of_any, reversed_order
from matbackprop.checking.explanations.terms import candidate_terms, term_cause
from matbackprop.checking.measuring import Measured
from matbackprop.checking.network_faults import NetworkFaults
from matbackprop.checking.quantities import Knowledge, Quantities
from matbackprop.checking.records import Finding
from matbackprop.checking.searching import choose, explanations, findings
from matbackprop.checking.subject import Subject
from matbackprop.checking.view import RTOL, View


def explain_directions(
    subject: Subject,
    knowledge: Knowledge,
    theta: Array,
    claimed: dict[str, Array],
    measured: Measured,
    noise: Array,
    wrong: Sequence[str],
    /,
) -> list[Finding]:
    """Return what explains the slopes along random directions."""
    quantities = knowledge.at(theta)
    if known := _by_network(subject, knowledge, theta, claimed, measured, quantities):
        return known
    slopes = _Slopes(subject, measured, noise)
    zero = [name for name in claimed if (name in wrong or "" in wrong) and not claimed[name].any()]
    if zero:
        cause = factor_cause(constant(0.0, {}))
        where = ", ".join(zero) if len(claimed) > 1 else ""
        return [Finding(cause.kind, where, cause.sentence, cause.evidence, cause.remedy)]
    blocks = [name for name in wrong if name] or list(claimed)
    best: tuple[float, tuple[Cause, ...]] | None = None
    for cost, causes, corrected in _corrections(
        subject, theta, claimed, measured, blocks, quantities
    ):
        for price, more in slopes.fits(corrected, quantities):
            total = cost + price
            if (causes or more) and (best is None or total < best[0]):
                best = total, causes + more
        if best is not None and best[0] <= 1.0:
            break  # one mistake with a name: whatever comes costs as much
    if best is None and (term := _with_terms(subject, theta, claimed, quantities, slopes)):
        best = term
    where = ", ".join(blocks) if len(claimed) > 1 else ""
    evidence = slopes.evidence(subject.flat(claimed))
    if best is not None:
        return [
            Finding(c.kind, where, c.sentence, f"{c.evidence}; {evidence}".lstrip("; "), c.remedy)
            for c in best[1]
        ]
    return [
        Finding(
            "unexplained",
            where,
            "No mistake that can be seen along random directions explains it.",
            evidence,
            f'Pass method="entries" to have all {subject.packing.size:,} entries measured and the '
            "error located; or known= or network= to have more explained.",
            explains=False,
        )
    ]


class _Slopes:
    """The measured slopes, and which gradients agree with them."""

    def __init__(self, subject: Subject, measured: Measured, noise: Array) -> None:
        assert measured.directions is not None
        self.subject, self.V = subject, measured.directions
        self.value, self.error = measured.value, measured.error
        self._squares = self.V**2
        self._noise = np.sqrt(self._squares @ noise**2)

    def agree(self, flat: Array) -> bool:
        """Tell whether a gradient has these slopes."""
        first, slope = float(self.V[0] @ flat), float(self.value[0])
        if abs(first - slope) > 0.01 * (abs(first) + abs(slope)) + 10 * self.error[0]:
            return False  # most candidates are refuted by one direction
        allowed = RTOL * (np.sqrt(self._squares @ flat**2) + np.abs(self.value))
        allowed = allowed + 10 * self.error + 20 * self._noise
        return bool((np.abs(self.V @ flat - self.value) <= allowed).all())

    def fits(
        self, corrected: dict[str, Array], quantities: Quantities
    ) -> Iterator[tuple[float, tuple[Cause, ...]]]:
        """Yield how a corrected gradient fits: as it is, or divided by one constant."""
        flat = self.subject.flat(corrected)
        if self.agree(flat):
            yield 0.0, ()
            return
        analytic = self.V @ flat
        if len(analytic) < 3 or not (self.value != 0).all():
            return
        c = float(np.median(analytic / self.value))
        if c != 0 and not close(c, 1.0) and self.agree(flat / c):
            k = constant(_rounded(c), quantities.sizes)
            yield (1.0 if k.name else 2.0), (factor_cause(k),)

    def evidence(self, flat: Array) -> str:
        """Say what each side says along the directions."""
        analytic = self.V @ flat
        pairs = [
            f"{a:.6g} instead of {t:.6g}" for a, t in zip(analytic[:4], self.value[:4], strict=True)
        ]
        return f"along random directions the gradient says {'; '.join(pairs)}"


def _corrections(
    subject: Subject,
    theta: Array,
    claimed: dict[str, Array],
    measured: Measured,
    blocks: Sequence[str],
    quantities: Quantities,
) -> Iterator[tuple[float, tuple[Cause, ...], dict[str, Array]]]:
    """Yield the gradient as it came, and with the order of its entries put right."""
    yield 0.0, (), claimed
    thetas = subject.packing.blocks(theta)
    for name in blocks:
        g = claimed[name]
        others = {k: v for k, v in claimed.items() if k != name}
        # What an order does to a gradient, the reverse order undoes: both are tried.
        view = View(
            name,
            g,
            g,
            np.zeros_like(g),
            thetas[name],
            quantities,
            transposed=name in subject.claims.transposed,
        )
        for base in (*orders_of_any(view), reversed_order(view)):
            yield base.cost, base.causes, {**claimed, name: base.value}
        for other, value in others.items():
            if value.shape == g.shape:
                cause = Cause(
                    "exchanged",
                    f"{name} and {other} are exchanged.",
                    "Return each gradient under its own name.",
                )
                yield 1.0, (cause,), {**claimed, name: value, other: g}
    if len(claimed) > 1:
        yield from _factor_of_a_block(subject, claimed, measured, quantities)
        signs = {name: (-claimed[name] if name in blocks else claimed[name]) for name in claimed}
        cause = Cause(
            "constant factor",
            "The sign is wrong: the gradient is −1 times what it should be.",
            "Change the sign.",
            key="-1",
        )
        yield 1.0, (cause,), signs


def _factor_of_a_block(
    subject: Subject, claimed: dict[str, Array], measured: Measured, quantities: Quantities
) -> Iterator[tuple[float, tuple[Cause, ...], dict[str, Array]]]:
    """Yield the gradient with the block divided by its factor, which its own direction shows."""
    assert measured.directions is not None
    flat = subject.flat(claimed)
    analytic = measured.directions @ flat
    for k, name in enumerate(measured.supports):
        if name and measured.value[k] != 0 and not close(analytic[k], measured.value[k]):
            c = _rounded(float(analytic[k] / measured.value[k]))
            named = constant(c, quantities.sizes)
            if named.name and c != 0:
                cause = replace(factor_cause(named), key=f"{c:.5g}")
                yield 1.05, (cause,), {**claimed, name: claimed[name] / c}


def _with_terms(
    subject: Subject,
    theta: Array,
    claimed: dict[str, Array],
    quantities: Quantities,
    slopes: _Slopes,
) -> tuple[float, tuple[Cause, ...]] | None:
    thetas = subject.packing.blocks(theta)
    flat = subject.flat(claimed)
    for name, g in claimed.items():
        view = View(name, g, g, np.zeros_like(g), thetas[name], quantities)
        for term in candidate_terms(view):
            full = subject.flat(
                {k: (term.value if k == name else np.zeros_like(v)) for k, v in claimed.items()}
            )
            along = slopes.V @ full
            gap = slopes.value - slopes.V @ flat
            if not along.any():
                continue
            a = float(along @ gap / (along @ along))
            if a and slopes.agree(flat + a * full):
                return term.cost, (term_cause(_rounded(-a), term, view),)
    return None


def _by_network(
    subject: Subject,
    knowledge: Knowledge,
    theta: Array,
    claimed: dict[str, Array],
    measured: Measured,
    quantities: Quantities,
) -> list[Finding]:
    case = knowledge.case
    if case is None or any(case.block_of(name) is None for name in claimed):
        return []
    faults = NetworkFaults(case, theta)
    bases = {
        name: partial(faults.bases, str(case.block_of(name)), g.shape)
        for name, g in claimed.items()
    }
    truth = {name: next(bases[name]()).value for name in claimed}
    if not _Slopes(subject, measured, np.zeros(theta.size)).agree(subject.flat(truth)):
        return []
    thetas = subject.packing.blocks(theta)
    views = {
        name: View(
            name,
            truth[name],
            g,
            np.zeros_like(g),
            thetas[name],
            quantities,
            bases[name],
            {k: t for k, t in truth.items() if k != name},
            name in subject.claims.transposed,
        )
        for name, g in claimed.items()
        if not (
            np.abs(g - truth[name])
            <= 1e-6 * np.maximum(np.abs(g), np.abs(truth[name])) + 1e-10 * np.abs(truth[name]).max()
        ).all()
    }
    return findings(choose({n: explanations(v) for n, v in views.items()}, {}), views)


def _rounded(c: float) -> float:
    """Return the simple number within the error of a slope, or the factor itself."""
    return float(f"{c:.7g}")
