"""From a derivation to what a page says of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from matbackprop.symbolic.derivations.board import free_name, vec_of
from matbackprop.symbolic.expressions.expression import Expr, Variable, shape_text
from matbackprop.symbolic.expressions.nodes import Named
from matbackprop.symbolic.writing.account import Account, Line
from matbackprop.symbolic.writing.definitions import by_name, with_definitions
from matbackprop.symbolic.writing.forms import Call, Change, Form, Scripted, Slope
from matbackprop.symbolic.writing.layout import form_of, symbols_of
from matbackprop.symbolic.writing.names import Symbols
from matbackprop.symbolic.writing.wording import Wording, sentence

if TYPE_CHECKING:
    from matbackprop.symbolic.derivations.derivation import Derivation

_TITLES = {
    "gradient": "Gradient with respect to {}",
    "vech gradient": "Gradient with respect to vech({})",
    "jacobian": "Jacobian with respect to {}",
    "hessian": "Hessian with respect to {}",
    "hvp": "Hessian with respect to {}, times a direction",
}


def account_of(derivation: Derivation, /) -> Account:
    """Return what a page says of a derivation."""
    X = derivation.wrt
    steps = derivation.steps
    symbols = steps[0].symbols
    shape = f" ({shape_text(X.shape)})" if X.shape else ""
    before_X, after_X = _TITLES[derivation.kind].split("{}")
    source = steps[0].form  # with names for its large repeated parts
    given = [Line(steps[0].left, form_of(_body(source), symbols))]
    given += [_definition(node, symbols) for node in source.nodes() if _is_definition(node, source)]
    used = {node.name for step in steps for node in step.form.nodes() if isinstance(node, Named)}
    own = {node.name for node in source.nodes() if isinstance(node, Named)}
    result = result_lines(source, X, derivation.kind, derivation.result, used - own, symbols)
    *before, last = steps[1:]
    first = replace(result[0], rule=last.rule)
    known = {line.left for line in given}
    new = [line for line in result[1:] if line.left not in known]
    return Account(
        title=Wording(before_X, symbols[X.name], after_X + shape, *_assumed(source, symbols)),
        given=tuple(given),
        lines=tuple(Line(step.left, step.right, step.rule, step.stage) for step in before),
        result=(first, *new),
        proof=sentence(str(derivation.certificate)),
    )


def result_lines(
    source: Expr,
    X: Variable,
    kind: str,
    result: Expr,
    /,
    taken: Collection[str] = (),
    symbols: Symbols | None = None,
) -> tuple[Line, ...]:
    """Return the result as a line, and a line for each name in it, new ones none of `taken`."""
    symbols = symbols_of(source, X) if symbols is None else symbols
    listing = with_definitions(by_name(result, source), taken)
    left = derivative(source, X, kind, symbols[X.name])
    first = Line(left, form_of(listing.body, symbols))
    return (first, *(_definition(named, symbols) for named in listing.definitions))


def derivative(source: Expr, X: Variable, kind: str, x: Form, /) -> Form:
    """Return what a derivative in X, written x, is called: ∂L/∂X, ∂vec(F)/∂vec(X)ᵀ, ….

    Examples
    --------
    >>> from matbackprop.symbolic.expressions.dimension import Dim
    >>> from matbackprop.symbolic.writing import to_unicode
    >>> from matbackprop.symbolic.writing.names import symbol
    >>> X = Variable("X", (Dim.of("n"), Dim.of("p")))
    >>> x = symbol("X")
    >>> [to_unicode(derivative(X, X, kind, x)) for kind in ("gradient", "jacobian", "hessian")]
    ['∂L/∂X', '∂vec(F)/∂vec(X)ᵀ', '∂²L/(∂vec(X)∂vec(X)ᵀ)']
    """
    if kind == "jacobian":
        return Slope(vec_of(free_name(source, "FYHf"), source), _row(x, X))
    L = free_name(source, "LRf")
    if kind == "hessian":
        return Slope(L, vec_of(x, X), _row(x, X))
    if kind == "vech gradient":
        return Slope(L, Call(r"\operatorname{vech}", x))
    return Change(Slope(L, x)) if kind == "hvp" else Slope(L, x)


def _assumed(source: Expr, symbols: Symbols) -> Iterator[str | Form]:
    """Yield what is assumed of the variables: "; S symmetric positive definite"."""
    for V in source.variables().values():
        if V.flags:
            yield "; "
            yield symbols[V.name]
            implied = {"symmetric"} if {"spd", "diagonal"} & {*V.flags} else set()
            yield f" {', '.join(_FLAGS.get(flag, flag) for flag in V.flags if flag not in implied)}"


_FLAGS = {"spd": "symmetric positive definite"}


def _row(x: Form, X: Expr) -> Form:
    return x if X.is_scalar else Scripted(vec_of(x, X), transposed=True)


def _body(source: Expr) -> Expr:
    return source.args[0] if isinstance(source, Named) else source


def _is_definition(node: Expr, source: Expr) -> bool:
    return isinstance(node, Named) and node is not source


def _definition(named: Expr, symbols: Symbols) -> Line:
    assert isinstance(named, Named)
    return Line(symbols[named.name], form_of(named.args[0], symbols))
