"""The door: `check_gradient`, `check_jacobian`, `check_hessian`, and what a test asserts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Literal, get_args

import numpy as np

from matbackprop._typing import Array
from matbackprop._validation import check_option
from matbackprop.checking.diagnosing import diagnose
from matbackprop.checking.functions import Claims, Outputs, Watched
from matbackprop.checking.measuring import EVERY_ENTRY, complex_gradient
from matbackprop.checking.network_case import NetworkCase, cut_theta, split_theta
from matbackprop.checking.packing import Packing
from matbackprop.checking.quantities import Knowledge, check_rng
from matbackprop.checking.records import Diagnosis
from matbackprop.checking.subject import Subject
from matbackprop.differences import central_difference
from matbackprop.errors import OptionError, ShapeError
from matbackprop.linalg import vec

HowToMeasure = Literal["auto", "entries", "directions"]
_NOTHING: Mapping[str, Any] = MappingProxyType({})


def check_gradient(
    loss: Callable[[Any], Any],
    gradient: Any,
    at: Any,
    known: Mapping[str, Any] = _NOTHING,
    network: Any = None,
    rng: np.random.Generator | None = None,
    *,
    method: HowToMeasure = "auto",
    step: float = 1e-2,
) -> Diagnosis:
    """Tell whether a gradient is that of a loss, and if not, which mistake is in it.

    The truth is the complex step, Im L(θ + ih e)/h, where the loss takes complex numbers and is
    analytic, else central differences, each with an error estimate. The gradient is also compared
    at a second point nearby: what holds only by chance, or is kept from an earlier call, shows
    there.

    Parameters
    ----------
    loss
        Maps a point to one number.
    gradient
        Maps a point to the gradient, in the structure of the point; or the gradient at `at` itself,
        as an array or such a structure.
    at
        The point: an array, or a dict, tuple or dataclass of arrays.
    known
        What may explain a mistake, by name: numbers ("N", "lambda"), arrays, or functions of the
        point that return them: {"N": 50, "sigma": lambda p: …}. Arrays in the shape of a parameter
        may be its missing terms, vectors the factors of its columns or rows.
    network
        (net, X, y), a `Network` with its data: all quantities of its formulas are then known. The
        point has parts named Gamma1, Gamma2, gamma, beta, or those not in it are in `known`; or it
        is the vector θ = (vec Γ₁, vec Γ₂, γ, β).
    rng
        Source of the second point and of directions; the same each time by default.
    method
        "entries": every entry, 20 evaluations each at most; "directions": a few random
        directions, at most 60 evaluations in all; "auto": directions beyond 1,000 parameters.
    step
        The largest relative step of differences.

    Raises
    ------
    ShapeError
        If the loss is no single number, or the gradient has not the shapes of the parameters.
    DataError
        If the point, the loss or the gradient is not finite, there or near it.
    FunctionError
        If a function changes its argument in place.
    DtypeError, OptionError
        If something is not numbers, or an option is unknown.

    Examples
    --------
    >>> X, y = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 7.0]]), np.array([1.0, 0.0, 2.0])
    >>> mse = lambda b: ((y - X @ b) ** 2).mean()
    >>> check = check_gradient(mse, lambda b: -2 * X.T @ (y - X @ b), np.ones(2), {"N": 3})
    >>> check.ok, check.findings[0].kind, check.findings[0].sentence
    (False, 'constant factor', 'The gradient is N times what it should be (or 3).')
    """
    call = "check_gradient(loss, gradient, at)"
    if network is not None and (blocks := split_theta(network, at, call=call)) is not None:
        loss, gradient, at = _of_blocks(loss, gradient, blocks)
    packing = Packing(at, call=call, first=int(getattr(loss, "first_index", 0)))
    f = Outputs(Watched(loss, packing, name=_name(loss, "loss")), scalar=True)
    claims = Claims(gradient, packing, name=_name(gradient, "gradient"))
    case = NetworkCase(network, packing, known) if network is not None else None
    return _checked(Subject(f, claims, packing, "gradient"), known, case, rng, method, step)


def check_jacobian(
    function: Callable[[Any], Any],
    jacobian: Any,
    at: Any,
    known: Mapping[str, Any] = _NOTHING,
    rng: np.random.Generator | None = None,
    *,
    step: float = 1e-2,
) -> Diagnosis:
    """Tell whether a matrix is the Jacobian ∂vec(F)/∂vec(x)ᵀ, vec stacking columns.

    Parameters are those of `check_gradient`; of several arrays x is one after the other.

    Examples
    --------
    >>> A = np.array([[1.0, 2.0], [3.0, 4.0]])
    >>> check_jacobian(lambda x: A @ x, A.T, np.ones(2)).findings[0].kind
    'transposed'
    """
    call = "check_jacobian(function, jacobian, at)"
    packing = Packing(at, call=call)
    f = Outputs(Watched(function, packing, name=_name(function, "function")), scalar=False)
    outputs = f.at_the_point(packing.theta).size
    if not outputs:
        raise ShapeError(f"`{call}` needs a function with an output at least; it returned none.")
    return _of_matrix(f, jacobian, packing, outputs, "Jacobian", known, rng, step)


def check_hessian(
    loss: Callable[[Any], Any],
    hessian: Any,
    at: Any,
    known: Mapping[str, Any] = _NOTHING,
    rng: np.random.Generator | None = None,
    *,
    gradient: Callable[[Any], Any] | None = None,
    step: float = 1e-2,
) -> Diagnosis:
    """Tell whether a matrix is the Hessian ∂²L/∂vec(x)∂vec(x)ᵀ, vec stacking columns.

    It is compared with the Jacobian of `gradient`, which should have been checked itself; without
    it with that of a numerical gradient, for which `loss` is called some hundred times an entry.

    Examples
    --------
    >>> H = np.array([[2.0, 1.0], [1.0, 4.0]])
    >>> check_hessian(lambda x: x @ H @ x / 2, 2 * H, np.ones(2)).findings[0].sentence
    'The Hessian is 2 times what it should be.'
    """
    call = "check_hessian(loss, hessian, at)"
    if gradient is not None and not callable(gradient):
        raise OptionError(
            f"`{call}` needs gradient as a function of the point; got {type(gradient).__name__}."
        )
    packing = Packing(at, call=call)
    scalar = Outputs(Watched(loss, packing, name=_name(loss, "loss")), scalar=True)
    scalar.at_the_point(packing.theta)
    order = np.concatenate(
        [
            np.arange(part.start, part.stop).reshape(packing.shapes[name]).ravel(order="F")
            for name, part in packing.slices.items()
        ]
    )

    def slope(point: Any) -> Array:
        theta = Packing(point, call=call).theta
        if gradient is not None:
            return packing.vector(packing.read(gradient(point), what="gradient"))[order]
        exact = complex_gradient(scalar, theta)
        value = central_difference(scalar, theta).value if exact is None else exact
        return np.asarray(value[order])

    slope.real_only = True  # type: ignore[attr-defined]
    f = Outputs(Watched(slope, packing, name=_name(loss, "loss")), scalar=False)
    return _of_matrix(f, hessian, packing, packing.size, "Hessian", known, rng, step)


def assert_gradient(loss: Callable[[Any], Any], gradient: Any, at: Any, **options: Any) -> None:
    """Raise AssertionError with the whole diagnosis unless the gradient is right.

    Parameters are those of `check_gradient`. A point where nothing can be judged fails too.

    Examples
    --------
    >>> assert_gradient(lambda x: (x**3).sum(), lambda x: 3 * x**2, np.array([1.0, 2.0]))
    """
    __tracebackhide__ = True
    diagnosis = check_gradient(loss, gradient, at, **options)
    if not (diagnosis.ok and any(block.judged.any() for block in diagnosis.blocks)):
        raise AssertionError(f"\n{diagnosis}")


def _of_matrix(
    f: Outputs,
    matrix: Any,
    packing: Packing,
    outputs: int,
    title: str,
    known: Mapping[str, Any],
    rng: Any,
    step: float,
) -> Diagnosis:
    if outputs * packing.size > 10**6:
        raise ShapeError(
            f"`{packing.call}` measures every entry; {outputs} × {packing.size} are too many. "
            "Check the gradient of one weighted sum, or a part of the point."
        )
    shapes: dict[str, tuple[int, ...]] = {"": (outputs, packing.size)}
    claims = Claims(matrix, packing, name=_name(matrix, title), shapes=shapes)
    return _checked(Subject(f, claims, packing, title), known, None, rng, "entries", step)


def _checked(
    subject: Subject,
    known: Mapping[str, Any],
    case: NetworkCase | None,
    rng: Any,
    method: str,
    step: float,
) -> Diagnosis:
    call = subject.packing.call
    check_option(method, get_args(HowToMeasure), call=call, name="method")
    if isinstance(step, bool) or not isinstance(step, int | float) or not 0.0 < step < np.inf:
        raise OptionError(f"`{call}` needs a positive, finite step; got {step!r}.")
    many = subject.packing.size > EVERY_ENTRY
    knowledge = Knowledge(known, case, subject.packing)
    knowledge.at(subject.packing.theta)  # now, lest a fault in it stays unseen till it is needed
    return diagnose(
        subject,
        knowledge,
        check_rng(rng, call=call),
        directions=method == "directions" or (method == "auto" and many and subject.scalar),
        step=step,
    )


def _of_blocks(
    loss: Callable[[Any], Any], gradient: Any, blocks: dict[str, Array]
) -> tuple[Callable[[Any], Any], Any, dict[str, Array]]:
    """Turn functions of the vector θ into functions of its parts."""

    def stacked(parts: Mapping[str, Array]) -> Array:
        return np.concatenate([vec(part) for part in parts.values()])

    def cut(vector: Any) -> Any:
        flat = np.asarray(vector)
        size = sum(block.size for block in blocks.values())
        if flat.shape != (size,):
            raise ShapeError(
                "`check_gradient(loss, gradient, at)` needs a gradient in the shape of the vector "
                f"θ, ({size},); got {flat.shape}."
            )
        return cut_theta(flat, {name: block.shape for name, block in blocks.items()})

    def loss_of_blocks(parts: Mapping[str, Array]) -> Any:
        return loss(stacked(parts))

    if not callable(gradient):
        return loss_of_blocks, cut(gradient), blocks
    return loss_of_blocks, lambda parts: cut(gradient(stacked(parts))), blocks


def _name(f: Any, otherwise: str) -> str:
    name = getattr(f, "__name__", "")
    return f"{otherwise} `{name}`" if name and name.isidentifier() else otherwise
