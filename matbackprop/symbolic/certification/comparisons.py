"""A derivative beside the numerical one, at a point: one comparison a kind of derivative."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from matbackprop import linalg
from matbackprop._typing import Array
from matbackprop.errors import DataError, MatBackpropError, OptionError
from matbackprop.symbolic.certification.domains import symmetric_part, tangent_part
from matbackprop.symbolic.certification.plain_text import plain
from matbackprop.symbolic.certification.sampling import Point
from matbackprop.symbolic.certification.slopes import Slopes, moved_by
from matbackprop.symbolic.expressions.expression import Expr, Variable

# The most entries that are compared one by one, and else the number of random directions. Of
# second derivatives fewer: each direction costs a numerical derivative of a gradient.
FIRST = (64, 8)
SECOND = (8, 4)


class CertificateError(MatBackpropError, ArithmeticError):
    """A derivative that its numerical check refutes.

    `point` holds the values of the variables, by name, where it was refuted.
    """

    def __init__(self, message: str, point: Point, /) -> None:
        super().__init__(message)
        self.point = dict(point.given.arrays)


class NotFiniteError(DataError):
    """A result is not finite at a point where the source is: refuted if it is so at every one."""


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """The derivative as claimed and as measured, of equal shape, and the doubt in the latter.

    `directions` is the number of random directions, which are the columns then; None where
    the entries are those of the result.
    """

    claimed: Array
    measured: Array
    doubt: Array
    directions: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Claim:
    """That `result` is a derivative of `source` with respect to X.

    `direction` is the variable that stands for dX in a Hessian-vector product.
    """

    kind: str
    source: Expr
    result: Expr
    X: Variable
    direction: Variable | None
    slopes: Slopes
    seed: int

    def compared(self, point: Point, /) -> Comparison:
        """Return the result beside the numerical derivative at a point.

        Raises
        ------
        CertificateError
            If the result has not the shape of such a derivative.
        DataError, LinAlgError
            If the numerical derivative does not exist, or the result is not finite
            (NotFiniteError): this is no point to judge at.
        """
        return KINDS[self.kind](self, point)

    def differenced(self, point: Point, /) -> float:
        """Return the largest entry of what central differences are taken of."""
        if self.kind in ("hessian", "hvp"):
            W, _ = self.weights(point, FIRST)
            return float(np.max(np.abs(self.slopes.first(point, self.tangents(point, W))[0])))
        return float(np.max(np.abs(point.values[self.source])))

    def refutation(self, point: Point, fault: str, /) -> CertificateError:
        """Return the error that says what is wrong, where, and of what."""
        sizes = ", ".join(f"{name}={size}" for name, size in point.given.sizes.items())
        return CertificateError(
            f"The {self.kind} with respect to {self.X.name} is refuted and not returned: {fault}, "
            f"at a point drawn with seed {self.seed}{f' and {sizes}' if sizes else ''}.\n"
            f"  source: {plain(self.source)}\n"
            f"  result: {plain(self.result)}\n"
            "If the engine derived it, one of its rules is at fault: please report it.",
            point,
        )

    def value(self, point: Point, shape: tuple[int, ...], /) -> Array:
        """Return the result at a point, or raise CertificateError or NotFiniteError."""
        value = np.asarray(point.values[self.result])
        if value.shape != shape and {value.shape, shape} != {(), (1, 1)}:
            raise self.refutation(point, f"it has shape {value.shape}, not {shape}")
        if not np.isfinite(value).all():
            raise NotFiniteError("it is not finite, though the source is")
        return value.reshape(shape)

    def weights(self, point: Point, limits: tuple[int, int], /) -> tuple[Array, int | None]:
        """Return W, number × shape of X: each unit matrix, or where X is large random ones."""
        X = point.array(self.X)
        most, directions = limits
        if X.size > most:
            rng = np.random.default_rng((self.seed, 1))  # not the stream of X, lest W be like X
            return rng.standard_normal((directions, *X.shape)), directions
        return np.stack([e.reshape(X.shape, order="F") for e in np.eye(X.size)]), None

    def tangents(self, point: Point, W: Array, /) -> Array:
        """Return the part of each W along which X may move."""
        X = point.array(self.X)
        return np.stack([tangent_part(self.X, X, weight) for weight in W])

    def testing(self, W: Array, U: Array, /) -> Array:
        """Return what to test a second derivative with: W, which sees also what is not tangent.

        The gradient of an orthogonal X is tangent at X; its change along a tangent need not be,
        and only that change's tangent part, which U sees, is D²L plus `bend`.
        """
        return U if "orthogonal" in self.X.flags else W

    def bend(self, point: Point, U: Array, V: Array, /) -> Array:
        """Return what the curvature of an orthogonal X adds to D²L[u, v]: −⟨∂L, X sym(uᵀv)⟩.

        The curve X + tu − t²/2·Xuᵀu + … stays orthogonal; the last term is its part in L″.
        """
        if "orthogonal" not in self.X.flags:
            return np.zeros((len(U), len(V)))
        X = point.array(self.X)
        bends = np.stack([-X @ symmetric_part(u.T @ v) for u in U for v in V])
        return self.slopes.first(point, bends)[0].reshape(len(U), len(V))


def _gradient(claim: Claim, point: Point) -> Comparison:
    """⟨G, W⟩ = dL along the tangent part of W: so G, itself tangent, and nothing else, will do."""
    W, directions = claim.weights(point, FIRST)
    measured, doubt = claim.slopes.first(point, claim.tangents(point, W))
    G = claim.value(point, point.array(claim.X).shape)
    if directions is not None:
        G = _vecs(W).T @ G.reshape(-1, order="F")
    shape = G.shape
    return Comparison(
        G, measured.reshape(shape, order="F"), doubt.reshape(shape, order="F"), directions
    )


def _vech_gradient(claim: Claim, point: Point) -> Comparison:
    """∂L/∂vech(S): dL along each symmetric matrix with a one, or a pair of ones."""
    n = point.array(claim.X).shape[0]
    along = np.stack([linalg.unvech(e) for e in np.eye(n * (n + 1) // 2)])
    measured, doubt = claim.slopes.first(point, along)
    g = claim.value(point, (len(along), 1))
    return Comparison(g, measured.reshape(g.shape), doubt.reshape(g.shape))


def _jacobian(claim: Claim, point: Point) -> Comparison:
    """J vec(Z) = dvec(F) along each tangent Z; elsewhere J of a flagged X is not determined."""
    W, directions = claim.weights(point, FIRST)
    Z = claim.tangents(point, W)
    measured, doubt = claim.slopes.first(point, Z)
    J = claim.value(point, (point.size(claim.source), point.size(claim.X)))
    return Comparison(J @ _vecs(Z), measured, doubt, directions)


def _hessian(claim: Claim, point: Point) -> Comparison:
    """⟨W, H vec(Z)⟩ = D²L[tangent part of W, Z] for tangent Z, plus the curvature of X."""
    W, directions = claim.weights(point, SECOND)
    Z = claim.tangents(point, W)
    measured, doubt = claim.slopes.second(point, Z, Z)
    H = claim.value(point, (point.size(claim.X),) * 2)
    claimed = _vecs(claim.testing(W, Z)).T @ H @ _vecs(Z)
    return Comparison(claimed, measured + claim.bend(point, Z, Z), doubt, directions)


def _hvp(claim: Claim, point: Point) -> Comparison:
    """⟨W, H[Z]⟩ = D²L[tangent part of W, Z] for the tangent part Z of the drawn direction."""
    V = claim.direction
    if V is None:
        raise OptionError(
            'A check of kind "hvp" needs the variable that stands for the direction: '
            "`certify(…, direction=V)`."
        )
    W, directions = claim.weights(point, SECOND)
    U, Z = claim.tangents(point, W), claim.tangents(point, point.array(V)[None])
    measured, doubt = claim.slopes.second(point, U, Z)
    values = point.after(moved_by((claim.result,), V), V, Z[0])
    HZ = claim.value(replace(point, values=values), Z[0].shape)
    claimed = _vecs(claim.testing(W, U)).T @ HZ.reshape(-1, 1, order="F")
    return Comparison(claimed, measured + claim.bend(point, U, Z), doubt, directions)


def _vecs(Z: Array) -> Array:
    """Return the vec of each Z as a column."""
    return np.stack([z.reshape(-1, order="F") for z in Z], axis=1)


KINDS: Mapping[str, Callable[[Claim, Point], Comparison]] = MappingProxyType(
    {
        "gradient": _gradient,
        "vech gradient": _vech_gradient,
        "jacobian": _jacobian,
        "hessian": _hessian,
        "hvp": _hvp,
    }
)
