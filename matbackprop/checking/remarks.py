"""What is not a wrong formula: noise, a gradient that does not move, kinks, a point of rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from matbackprop._typing import Array
from matbackprop.checking.functions import Outputs
from matbackprop.checking.judging import Judged
from matbackprop.checking.kinks import find_kinks
from matbackprop.checking.measuring import Measured
from matbackprop.checking.records import BlockCheck, Finding
from matbackprop.checking.subject import Subject

_STEADY = 1e3
_MOST_KINKS = 5
Claimed = Mapping[str, Array]


def noisy_loss(f: Outputs, theta: Array, first: Array, /) -> Finding | None:
    """Return the finding that the function is random, if it gives two values for one point."""
    # Many at once go to another process, which may have been given its seed anew.
    values = [first, f(theta)] if f.f.many is None else f.of_many([theta, theta])
    gap = max(float(np.abs(v - values[0]).max()) for v in values)
    eps = np.finfo(first.dtype).eps if first.dtype.kind == "f" else np.finfo(np.float64).eps
    if gap <= _STEADY * eps * float(np.abs(first).max()):
        return None
    return Finding(
        "noise",
        "",
        f"{f.f.name} is random: called again at the same point it gives another value, so no "
        "numerical derivative can judge the gradient.",
        f"the values differ by {gap:.3g} of {float(np.abs(first).max()):.6g}",
        "Fix the seed within each call, switch off dropout and the drawing of batches, and check "
        "again.",
        explains=False,
    )


def noisy_gradient(
    calls: tuple[Claimed, Claimed, Claimed],
    back: Claimed,
    there: Claimed | None,
    subject: Subject,
    /,
) -> Finding | None:
    """Return the finding that the gradient is random, or that it lags behind its calls.

    It was called three times at the point, then there, then at the point once more.
    """
    here, again, third = calls
    eps = np.finfo(np.float32 if subject.claims.single else np.float64).eps

    def differ(one: Claimed, other: Claimed) -> list[str]:
        return [
            name
            for name in one
            if float(np.abs(one[name] - other[name]).max(initial=0.0))
            > _STEADY * eps * float(np.abs(one[name]).max(initial=0.0))
        ]

    name = subject.claims.name
    if names := differ(again, third):
        gap = max(float(np.abs(again[n] - third[n]).max()) for n in names)
        return Finding(
            "noise",
            _listed(names, here),
            f"{name} is random: called twice at the same point it gives two answers.",
            f"they differ by up to {gap:.3g}",
            "Fix the seed within each call; use the same draw in the loss and in the gradient.",
            explains=False,
        )
    names = differ(again, here) or (differ(again, back) if there is not None else [])
    if names:
        gap = max(float(np.abs(again[n] - other[n]).max()) for n in names for other in (here, back))
        return Finding(
            "stale gradient",
            _listed(names, here),
            f"{name} is stale: what it returns depends on the calls before it, not on its argument "
            "alone. The first call at a point gives another answer than the second.",
            f"of calls at the same point the answers differ by {gap:.3g}",
            "Compute everything the gradient needs from its argument; keep nothing between calls.",
            explains=False,
        )
    return None


def unmoved(
    here: Claimed,
    there: Claimed | None,
    wrong: Sequence[str],
    moved: Judged | None,
    subject: Subject,
    /,
) -> Finding | None:
    """Return the finding that the gradient is the same at two points whose slopes differ."""
    if there is None or moved is None or moved.check.ok:
        return None
    still = [name for name in here if (here[name] == there[name]).all() and here[name].any()]
    # Some blocks may rightly be constant; only what is wrong is to be explained by it.
    if not still or (len(still) < len(here) and not set(still) <= set(wrong)):
        return None
    slope, claimed = float(moved.check.numeric[0]), float(moved.check.analytic[0])
    evidence = (
        f"at a second point it is the same to the last bit, and there its slope along a random "
        f"direction is {claimed:.6g} instead of {slope:.6g}"
    )
    name = subject.claims.name
    if not wrong:
        return Finding(
            "stale gradient",
            _listed(still, here),
            f"{name} is stale: it is right at the point, and stays the same wherever it is called.",
            evidence,
            "Compute it anew for each argument: something is kept from an earlier call, or a "
            "variable outside is used in place of the argument.",
            explains=False,
        )
    return Finding(
        "constant gradient",
        _listed(still, here),
        f"{name} is constant: it does not depend on its argument.",
        evidence,
        "Compute it from its argument: a variable outside may be used in its place, or a value "
        "kept from an earlier call.",
        explains=False,
    )


def remark_on_kinks(
    f: Outputs, subject: Subject, checks: Sequence[BlockCheck], measured: Measured, /
) -> tuple[list[Finding], bool]:
    """Return a remark on the entries that were not judged because the function has a corner.

    And whether the gradient lies outside the two slopes of one of them, where it is wrong.
    """
    if not subject.scalar or measured.method == "random directions":
        return [], False
    hidden = subject.packing.vector({check.name: ~check.judged for check in checks})
    positions = [int(k) for k in np.flatnonzero(hidden)]
    corners = find_kinks(f, subject.packing.theta, positions[:_MOST_KINKS])
    if not corners:
        return [], False
    claimed = subject.packing.vector({check.name: check.analytic for check in checks})
    said = []
    outside = False
    for kink in corners:
        g = claimed[kink.position]
        low, high = sorted((kink.left, kink.right))
        slack = 1e-4 * max(abs(low), abs(high), high - low)
        between = low - slack <= g <= high + slack
        # Of several kinks at once a right gradient may take a slope that no entry shows alone.
        far = max(low - g, g - high) > high - low
        alone = far and len(positions) == 1
        outside = outside or alone
        said.append(
            f"{subject.packing.entry(kink.position)}: slope {kink.left:.6g} to the left, "
            f"{kink.right:.6g} to the right; the gradient says {g:.6g}"
            + (", which lies between" if between else ", which is no slope of it" if alone else "")
        )
    names = dict.fromkeys(
        name
        for name, part in subject.packing.slices.items()
        for kink in corners
        if part.start <= kink.position < part.stop
    )
    return [
        Finding(
            "kink",
            ", ".join(names),
            "The function has a kink at the point: it has no derivative there, so "
            f"{len(positions)} of {subject.packing.size} entries are not judged.",
            "; ".join(said),
            "Check at a point off the kink, as a ReLU whose argument is not 0.",
            explains=False,
        )
    ], outside


def remark_on_rest(checks: Sequence[BlockCheck], judged: Mapping[str, Judged], /) -> list[Finding]:
    """Return a remark where the gradient vanishes altogether: any multiple of it would pass."""
    if not all(check.ok for check in checks):
        return []
    allowances = [judged[check.name].allowance for check in checks]
    quiet = all(
        (np.abs(check.numeric) <= 10 * a + 1e-300).all()
        and (np.abs(check.analytic) <= 10 * a + 1e-300).all()
        for check, a in zip(checks, allowances, strict=True)
    )
    if not quiet:
        return []
    return [
        Finding(
            "stationary",
            "",
            "The gradient is zero here, up to rounding: every multiple of it would agree as well.",
            f"largest entry {max(float(np.abs(c.numeric).max()) for c in checks):.3g}",
            "Check at a point that is not stationary.",
            explains=False,
        )
    ]


def _listed(names: Sequence[str], all_of: Claimed) -> str:
    return "" if len(names) == len(all_of) == 1 else ", ".join(names)
