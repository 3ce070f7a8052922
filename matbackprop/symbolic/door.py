"""The front door: from a text, or an expression, to a derivative with its two proofs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from matbackprop._validation import check_option
from matbackprop.errors import OptionError, ShapeError
from matbackprop.symbolic.certification.certificate import Kind, certify
from matbackprop.symbolic.derivations.derivation import Derivation, Derivations
from matbackprop.symbolic.differentiation import derived
from matbackprop.symbolic.expressions.expression import Expr, Variable, check_expression, shape_text
from matbackprop.symbolic.expressions.graph import ONE
from matbackprop.symbolic.notations import declared, read
from matbackprop.symbolic.notations.declarations import check_name
from matbackprop.symbolic.notations.reading import VOCABULARIES


def parse(
    text: str,
    /,
    *,
    notation: str = "matlab",
    shapes: Mapping[str, Any],
    assume: Mapping[str, Any] | None = None,
    domains: Mapping[str, str] | None = None,
) -> Expr:
    """Return the expression that a text denotes, as it is written.

    Parameters
    ----------
    text
        An expression; before it, if you like, named definitions, each ended by ``;``:
        ``"E = X*b - y; E'*E"``.
    notation
        "matlab", the notation of matrixcalculus.org, or "r".
    shapes
        For each variable its rows and columns, sizes being names or numbers: ``("n", "p")``;
        a column is ``("n", 1)``, a scalar ``()``.
    assume
        What is known of a variable: "symmetric", "diagonal", "orthogonal", "spd", or several.
    domains
        Where check points are drawn: "normal" (the default), "positive", "spd", …

    Raises
    ------
    ParseError
        If the text cannot be read; it points at the character.
    ShapeError
        If operands do not conform; it points at the operator.

    Examples
    --------
    >>> L = parse("sum((y - X %*% b)^2)", notation="r",
    ...           shapes={"X": ("n", "p"), "b": ("p", 1), "y": ("n", 1)})
    >>> print(derive(L, "b").result)
    2*X'*(X*b-y)
    """
    return read(
        text,
        notation=notation,
        shapes=shapes,
        assume={} if assume is None else assume,
        domains={} if domains is None else domains,
    )


def variable(
    name: str,
    shape: Sequence[Any] = (),
    /,
    *,
    assume: str | Sequence[str] = (),
    domain: str | None = None,
) -> Variable:
    """Return a variable, to build expressions from with Python's operators.

    Parameters and errors are those of `parse`, for one name.

    Examples
    --------
    >>> X, b, y = variable("X", ("n", "p")), variable("b", ("p", 1)), variable("y", ("n", 1))
    >>> print(jacobian(X @ b - y, "b").result)
    X
    """
    call = "variable(name, shape)"
    check_name(name, call)
    domains = {} if domain is None else {name: domain}
    return declared({name: shape}, {name: assume} if assume else {}, domains, call=call)[name]


def derive(
    L: Expr,
    /,
    wrt: str | Variable | Sequence[str | Variable],
    *,
    vech: bool = False,
    points: int = 3,
    tolerance: float = 1e-8,
    seed: int = 0,
    notation: str = "matlab",
) -> Any:
    """Return the gradient of a scalar: G of the shape of X with dL = tr(GᵀdX).

    Derived by one sweep backwards, simplified, and certified: a derivative that its numerical
    check refuses is not returned.

    Parameters
    ----------
    L
        The scalar; a 1×1 matrix is taken as its entry.
    wrt
        The variable, or a sequence of several, which share the sweep. Of a variable that is
        symmetric, diagonal or orthogonal the gradient is the one in its tangent space.
    vech
        Of a symmetric S, return ∂L/∂vech(S) = Dᵀvec(G) instead, D the duplication matrix.
    points, tolerance, seed
        Of the certificate: how many random points, the relative error allowed, their seed.
    notation
        Of the texts that the derivation prints: "matlab" or "r".

    Returns
    -------
    A `Derivation`; a `Derivations`, which is a dict of them by name, for a sequence.

    Raises
    ------
    ShapeError
        If L is a larger matrix, or `vech` is asked of a variable that is not symmetric.
    OptionError
        If L is no expression or has no such variable, or an option is none.
    MissingRuleError
        If a node on the way has no rule.
    CertificateError
        If the derivative differs from the numerical one.
    DomainError
        If no point can be drawn at which L is defined; it names the variable to restrict.

    Examples
    --------
    >>> L = parse("(X*b-y)'*(X*b-y)", shapes={"X": ("n", "p"), "b": ("p", 1), "y": ("n", 1)})
    >>> d = derive(L, "b")
    >>> print(d.result)
    2*X'*(X*b-y)
    >>> d.certificate.ok
    True
    """
    call = "derive(L, wrt)"
    _check_source(L, notation, call)
    _check_scalar(L, call, "the Jacobian of a matrix is `jacobian(F, wrt)`")
    variables = _variables(L, wrt, call)
    if vech:
        _check_symmetric(variables, call)
    kind: Kind = "vech gradient" if vech else "gradient"
    return _as_asked(_certified(L, variables, kind, notation, points, tolerance, seed), wrt)


def jacobian(
    F: Expr,
    /,
    wrt: str | Variable | Sequence[str | Variable],
    *,
    points: int = 3,
    tolerance: float = 1e-8,
    seed: int = 0,
    notation: str = "matlab",
) -> Any:
    """Return ∂vec(F)/∂vec(X)ᵀ: a row for each entry of F, a column for each of X, by columns.

    Parameters, returns and errors are those of `derive`, but that F may be any matrix.

    Examples
    --------
    >>> F = parse("X'*X", shapes={"X": ("q", "p")})
    >>> print(jacobian(F, "X").result)
    kron(eye(p), X') + K(p, p)*kron(eye(p), X')
    """
    call = "jacobian(F, wrt)"
    _check_source(F, notation, call)
    variables = _variables(F, wrt, call)
    return _as_asked(_certified(F, variables, "jacobian", notation, points, tolerance, seed), wrt)


def hessian(
    L: Expr,
    /,
    wrt: str | Variable | Sequence[str | Variable],
    *,
    points: int = 3,
    tolerance: float = 1e-6,
    seed: int = 0,
    notation: str = "matlab",
) -> Any:
    """Return the Hessian of a scalar: ∂vec(G)/∂vec(X)ᵀ for its gradient G.

    Of several variables, each has its own Hessian: the blocks between two are not among them.

    Parameters, returns and errors are those of `derive`.

    Examples
    --------
    >>> L = parse("x'*A*x", shapes={"x": ("n", 1), "A": ("n", "n")})
    >>> print(hessian(L, "x").result)
    A + A'
    """
    call = "hessian(L, wrt)"
    _check_source(L, notation, call)
    _check_scalar(L, call, "take `total(F)`, or the Jacobian, first")
    variables = _variables(L, wrt, call)
    return _as_asked(_certified(L, variables, "hessian", notation, points, tolerance, seed), wrt)


def hvp(
    L: Expr,
    /,
    wrt: str | Variable,
    direction: str = "V",
    *,
    points: int = 3,
    tolerance: float = 1e-6,
    seed: int = 0,
    notation: str = "matlab",
) -> Derivation:
    """Return the product of the Hessian and a direction V, in the shape of X, without the Hessian.

    It is the derivative of the gradient along V, a variable of the shape of X with the name
    given as `direction`. Errors are those of `derive`.

    Examples
    --------
    >>> L = parse("norm2(X*b-y)^2", shapes={"X": ("n", "p"), "b": ("p", 1), "y": ("n", 1)})
    >>> print(hvp(L, "b", "v").result)
    2*X'*X*v
    """
    call = "hvp(L, wrt, direction)"
    _check_source(L, notation, call)
    _check_scalar(L, call, "take `total(F)` first")
    (X,) = _variables(L, (wrt,), call)
    check_name(direction, call)
    sizes = {name for v in L.variables().values() for dim in v.shape for name in dim.symbols}
    if direction in sizes.union(L.variables()):
        raise OptionError(f"`{call}` needs a new name for the direction; L has a {direction!r}.")
    V = Variable(direction, X.shape, X.flags, X.domain)
    result = derived(L, [X], "hvp", direction=V)[X]
    certificate = certify(
        L, result, X, kind="hvp", points=points, tolerance=tolerance, seed=seed, direction=V
    )
    return Derivation(L, X, "hvp", result, certificate, notation)


def _certified(
    source: Expr,
    variables: Sequence[Variable],
    kind: Kind,
    notation: str,
    points: int,
    tolerance: float,
    seed: int,
) -> dict[str, Derivation]:
    found = {}
    for X, result in derived(source, variables, kind).items():
        certificate = certify(
            source, result, X, kind=kind, points=points, tolerance=tolerance, seed=seed
        )
        found[X.name] = Derivation(source, X, kind, result, certificate, notation)
    return found


def _as_asked(found: dict[str, Derivation], wrt: Any) -> Derivation | Derivations:
    if isinstance(wrt, str | Variable):
        (derivation,) = found.values()
        return derivation
    return Derivations(found)


def _variables(F: Expr, wrt: Any, call: str) -> list[Variable]:
    """Return the variables that were named, or raise."""
    given = (wrt,) if isinstance(wrt, str | Variable) or not isinstance(wrt, Iterable) else wrt
    names = [one.name if isinstance(one, Variable) else one for one in given]
    known = F.variables()
    unknown = [name for name in names if not isinstance(name, str) or name not in known]
    if unknown or not names:
        raise OptionError(
            f"`{call}` needs a variable of the expression; got {(unknown or [wrt])[0]!r}, and it "
            f"has {', '.join(known) or 'none'}."
        )
    return [known[name] for name in names]


def _check_source(F: object, notation: str, call: str) -> None:
    check_expression(F, call=call)
    check_option(notation, VOCABULARIES, call=call, name="notation")


def _check_scalar(L: Expr, call: str, remedy: str) -> None:
    if L.shape not in ((), (ONE, ONE)):
        raise ShapeError(f"`{call}` needs a scalar; got {shape_text(L.shape)}: {remedy}.")


def _check_symmetric(variables: Sequence[Variable], call: str) -> None:
    for X in variables:
        if "symmetric" not in X.flags:
            raise ShapeError(
                f"`{call[:-1]}, vech=True)` needs a symmetric variable; {X.name} is not known to "
                f'be one. Say `assume={{"{X.name}": "symmetric"}}` where it is made.'
            )
