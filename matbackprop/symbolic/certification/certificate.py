"""The numerical proof of a derivative, kept with it: what was compared, and how well it held."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from math import inf
from numbers import Real
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

import numpy as np

from matbackprop._typing import Array
from matbackprop._validation import check_count, check_option
from matbackprop.errors import DataError, OptionError
from matbackprop.symbolic.certification.comparisons import (
    KINDS,
    CertificateError,
    Claim,
    Comparison,
    NotFiniteError,
)
from matbackprop.symbolic.certification.domains import tangent
from matbackprop.symbolic.certification.sampling import (
    DomainError,
    Point,
    Sample,
    UndefinedError,
    checked_value,
)
from matbackprop.symbolic.certification.slopes import Slopes
from matbackprop.symbolic.expressions.expression import Expr, Variable
from matbackprop.symbolic.expressions.nodes import Differential

__all__ = ["Certificate", "CertificateError", "DomainError", "certify", "linear_form_error"]

Kind: TypeAlias = Literal["gradient", "vech gradient", "jacobian", "hessian", "hvp"]

# An estimated error above this part of the derivative tells of a kink: draw another point.
MOST_DOUBT = 1e-4

# Rounding is allowed this many times what is seen of it, where one entry or another moves when
# the last bits of the variables do; it is looked for at most so often.
ROUNDINGS = 100
DRAWS = 8

# What exceeds both MOST_DOUBT of the derivative and this part of the largest term of the source
# is no rounding but a kink, or rounding that hides the derivative: draw another point.
MOST_ROUNDING = 1e-10

# Central differences blur even a constant, but by less than this part of what they are taken of.
BLUNTNESS = 1e-8

# Too small to judge by: at 0 the complex step of x√x is 1e-50. Where the whole derivative is,
# points closer to 0 are judged as well, lest all has underflown.
FLOOR = 1e-45
CLOSER = (1e-2, 1e-4)


@dataclass(frozen=True, slots=True)
class Certificate:
    """What was checked, how, and how well it held.

    Attributes
    ----------
    kind
        "gradient", "vech gradient", "jacobian", "hessian" or "hvp".
    wrt
        The name of the variable.
    method
        What it was compared with: "complex step", exact to rounding; "central differences"; and
        for second derivatives central differences of the gradient by one of these.
    points
        The number of random points.
    directions
        The number of random directions at each point; None where every entry was compared.
    max_error
        The largest error, in parts of the largest entry of the derivative; of one that rounding
        hides, in parts of what makes the rounding allowed the tolerance.
    tolerance
        What was allowed: what was asked for, or the error estimate of the central differences if
        that is larger.
    sizes
        The sizes at the first point.
    seed
        The seed of the random numbers.
    """

    kind: str
    wrt: str
    method: str
    points: int
    directions: int | None
    max_error: float
    tolerance: float
    sizes: Mapping[str, int]
    seed: int

    @property
    def ok(self) -> bool:
        """Whether it held."""
        return self.max_error <= self.tolerance

    def to_dict(self) -> dict[str, Any]:
        """Return the record as plain data, for JSON."""
        data = {field.name: getattr(self, field.name) for field in fields(self)}
        return {**data, "sizes": dict(self.sizes), "ok": self.ok}

    def __str__(self) -> str:
        sizes = ", ".join(f"{name}={size}" for name, size in self.sizes.items())
        place = f"{self.points} random point{'s' if self.points > 1 else ''}"
        place += f" ({sizes})" if sizes else ""
        along = f", along {self.directions} random directions," if self.directions else ""
        article = "a " if self.method == "complex step" else ""
        return (
            f"checked at {place}{along} against {article}{self.method}: "
            f"largest error {_short(self.max_error)} (allowed {_short(self.tolerance)})"
        )


def certify(
    source: Expr,
    result: Expr,
    wrt: Variable,
    *,
    kind: Kind,
    points: int = 3,
    tolerance: float = 1e-8,
    seed: int = 0,
    direction: Variable | None = None,
) -> Certificate:
    """Check a derivative of `source` against its numerical derivative at random points.

    The source is evaluated as it was written, and differentiated by the complex step, exactly;
    by extrapolated central differences where a function in it has no complex version, and of
    the complex-step gradient for second derivatives. No rule of differentiation is involved.

    Every entry is compared, of variables of up to 64 entries (8 for second derivatives); beyond,
    the derivatives along 8 (4) random directions, which any error changes but by a miracle. A
    variable with flags moves only as they allow: its gradient is the one that lies in the tangent
    space, symmetric for a symmetric variable; a Jacobian is judged by what it does to tangents.

    Parameters
    ----------
    source
        The function; a scalar, except for a Jacobian.
    result
        Its derivative as claimed.
    wrt
        The variable.
    kind
        "gradient" in the shape of `wrt`; "vech gradient" ∂L/∂vech(S), a column; "jacobian"
        ∂vec(F)/∂vec(X)ᵀ; "hessian", the Jacobian of the gradient; "hvp", the change of the
        gradient along the variable `direction`.
    points
        How many points.
    tolerance
        The error allowed, in parts of the largest entry of the derivative at the point; more
        only if that is less than 100 times the rounding, as seen when the last bits of the
        variables change.
    seed
        Of the random numbers.
    direction
        The variable in `result` that stands for dX; for "hvp" only.

    Raises
    ------
    CertificateError
        If the result is not that derivative, has another shape, or is not finite.
    DomainError
        If the source, or its derivative, is undefined wherever the variables are drawn.
    ShapeError
        If no sizes make all shapes conform.
    OptionError
        If there is no such kind; if points < 1, seed < 0, or the tolerance is not a positive
        number.

    Examples
    --------
    >>> from matbackprop.symbolic.expressions.dimension import Dim
    >>> from matbackprop.symbolic.expressions.nodes import Total
    >>> X = Variable("X", (Dim.of("n"), Dim.of("p")))
    >>> certify(Total(X * X), 2 * X, X, kind="gradient").ok
    True
    >>> certify(Total(X * X), 3 * X, X, kind="gradient")  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    ...
    CertificateError: The gradient with respect to X is refuted...
    """
    call = "certify(source, result, wrt)"
    check_option(kind, KINDS, call=call, name="kind")
    check_count(points, call=call, name="points")
    check_count(seed, call=call, name="seed", at_least=0)
    _check_tolerance(tolerance, call)
    slopes = Slopes((source,), wrt)
    second = kind in ("hessian", "hvp")
    method = f"central differences of {slopes.gradient}" if second else slopes.method
    claim = Claim(kind, source, result, wrt, direction, slopes, seed)

    extra = (wrt,) if direction is None else (wrt, direction)
    sample = Sample((source,), (result,), extra, seed=seed)
    overflows: list[CertificateError] = []

    def compared(point: Point) -> Comparison:
        try:
            return claim.compared(point)
        except NotFiniteError as error:
            overflows.append(claim.refutation(point, str(error)))
            raise

    def judged(point: Point) -> tuple[Comparison, float, float]:
        comparison = compared(point)
        scale = _scale(
            comparison,
            tolerance,
            (compared(near) for near in sample.nearby(point, DRAWS)),
            slopes.largest_term(point),
            lambda: claim.differenced(point),
        )
        doubt = _largest(comparison.doubt) / scale
        error = np.abs(comparison.claimed - comparison.measured) / scale
        allowed = max(tolerance, doubt)
        if not _largest(error) <= allowed:
            raise claim.refutation(point, _fault(comparison, error, allowed, method))
        return comparison, _largest(error), allowed

    try:
        found = sample.points(points, judged)
    except DomainError:
        if overflows:
            raise overflows[0] from None
        raise
    if all(_largest(comparison.measured) < FLOOR / tolerance for _, (comparison, *_) in found):
        for closer in sample.scaled(found[0][0], wrt, CLOSER):
            with suppress(DataError, UndefinedError, np.linalg.LinAlgError):
                judged(closer)
    return Certificate(
        kind=kind,
        wrt=wrt.name,
        method=method,
        points=points,
        directions=found[0][1][0].directions,
        max_error=max(error for _, (_, error, _) in found),
        tolerance=max(allowed for _, (_, _, allowed) in found),
        sizes=MappingProxyType(dict(found[0][0].given.sizes)),
        seed=seed,
    )


def linear_form_error(
    source: Expr, form: Expr, wrt: Variable, *, tolerance: float = 1e-9, seed: int = 0
) -> float:
    """Return how far a linear form in dX is from d(source) at a random point, along a random dX.

    Parameters
    ----------
    source
        The function: a scalar or a matrix.
    form
        What its differential is claimed to be. In it `Differential(u)` stands for du, for any u
        in X; that of X itself is the random dX, which keeps the flags of X.
    wrt
        The variable X.
    tolerance
        What 100 times the rounding counts as, at least.
    seed
        Of the random numbers.

    Returns
    -------
    The largest error of an entry, in parts of the largest entry of d(source), as for `certify`;
    infinite if the form has another shape or is not finite.

    Raises
    ------
    DomainError
        If the source, or its derivative, is undefined wherever the variables are drawn.

    Examples
    --------
    >>> from matbackprop.symbolic.expressions.dimension import Dim
    >>> from matbackprop.symbolic.expressions.nodes import Differential, Total
    >>> X = Variable("X", (Dim.of("n"), Dim.of("p")))
    >>> form = Total(X * Differential(X)) + Total(Differential(X) * X)
    >>> linear_form_error(Total(X * X), form, X) < 1e-14
    True
    """
    changes = [node for node in form.nodes() if isinstance(node, Differential)]
    roots = (source, *(change.args[0] for change in changes))
    slopes = Slopes(roots, wrt)

    def compared(point: Point) -> Comparison:
        rng = np.random.default_rng((seed, 1))  # not the stream of X, lest dX be like X
        dX = tangent(wrt, point.array(wrt), rng)
        column, doubt = slopes.first(point, dX[None])
        sizes = [point.size(root) for root in roots]
        d_source, *d_changes = np.split(column[:, 0], np.cumsum(sizes)[:-1])
        values = dict(point.values)
        for change, du in zip(changes, d_changes, strict=True):
            shape = np.shape(values[change.args[0]])
            values[change] = du.reshape(shape, order="F") if shape else du[0]
        with np.errstate(all="ignore"):
            for node in form.nodes():
                if node not in values:
                    values[node] = checked_value(node, values, point.given)
        claimed = np.asarray(values[form])
        if claimed.shape != np.shape(values[source]) or not np.isfinite(claimed).all():
            claimed = np.full(d_source.shape, inf)
        return Comparison(claimed.reshape(-1, order="F"), d_source, doubt)

    def error(point: Point) -> float:
        comparison = compared(point)
        if not np.isfinite(comparison.claimed).all():
            return inf
        nearby = (compared(near) for near in sample.nearby(point, DRAWS))
        scale = _scale(
            comparison,
            tolerance,
            nearby,
            slopes.largest_term(point),
            lambda: _largest(point.values[source]),
        )
        return _largest(comparison.claimed - comparison.measured) / scale

    # The form cannot be a result to evaluate at once: its differentials have no value yet.
    variables = (*form.variables().values(), wrt)
    sample = Sample(roots, (), variables, seed=seed)
    return sample.points(1, error)[0][1]


def _check_tolerance(tolerance: object, call: str) -> None:
    number = isinstance(tolerance, Real) and not isinstance(tolerance, bool)
    if not (number and 0 < float(tolerance) < inf):  # type: ignore[arg-type]  # NaN is refused
        raise OptionError(
            f"`{call}` needs a finite tolerance > 0; got {tolerance!r}. "
            "Leave it out for the default."
        )


def _scale(
    here: Comparison,
    tolerance: float,
    nearby: Iterable[Comparison],
    largest_term: float,
    differenced: Callable[[], float],
) -> float:
    """Return what the derivative counts as, such that its rounding is at most the tolerance.

    Raises
    ------
    DataError
        If the doubt, or the rounding, is too large to judge by.
    """
    scale = max(_largest(here.measured), FLOOR / tolerance)
    error, doubt = _largest(here.claimed - here.measured), _largest(here.doubt)
    most = MOST_DOUBT * scale
    blunt = most if doubt <= most else max(most, BLUNTNESS * differenced())
    if error <= max(tolerance * scale, doubt) and doubt <= blunt:
        return scale if doubt <= most else doubt / tolerance
    noise = 0.0
    for near in nearby:
        moved = _largest(near.measured - here.measured) + _largest(near.claimed - here.claimed)
        noise = max(noise, moved)
        if max(error, doubt) <= ROUNDINGS * noise:
            break
    rounding = ROUNDINGS * noise
    if rounding > max(most, MOST_ROUNDING * largest_term) or doubt > max(blunt, rounding):
        raise DataError("The numerical derivative is in doubt here: draw another point.")
    if doubt > most:
        rounding = max(rounding, doubt)
    return max(scale, rounding / tolerance)


def _largest(array: Array) -> float:
    return float(np.max(np.abs(array), initial=0.0))


def _fault(comparison: Comparison, error: Array, allowed: float, method: str) -> str:
    index = np.unravel_index(int(np.argmax(error)), error.shape)
    entry = [int(i) for i in index]
    if comparison.directions is not None:
        place = f"its product {entry} with random directions"
    else:
        place = f"entry {entry}" if entry else "its value"
    claimed, measured = comparison.claimed[index], comparison.measured[index]
    return (
        f"{place} is {claimed:.10g}, but by {method} {measured:.10g} "
        f"(relative error {_short(float(error[index]))}, allowed {_short(allowed)})"
    )


def _short(x: float) -> str:
    """Write 3e-15: one digit."""
    return f"{x:.1g}".replace("e-0", "e-")
