"""Products: one sign and one coefficient in front, scalars, then matrices in their order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction

from matbackprop.symbolic.writing.forms import (
    Call,
    Entrywise,
    Form,
    Product,
    Root,
    Scripted,
    Symbol,
    Terms,
)

MINUS_ONE = Product(negative=True)


def number(value: Fraction | int, /) -> Product:
    """Return a number."""
    return Product(negative=value < 0, coefficient=abs(Fraction(value)))


def multiplied(
    scalars: Iterable[Form] = (),
    factors: Iterable[Form] = (),
    below: Iterable[Form] = (),
    *,
    scalar: bool = False,
) -> Form:
    """Return the product of scalars and matrices over scalars, numbers drawn to the front.

    Scalars commute with everything, so those inside a matrix factor are drawn out too.
    """
    negative, coefficient = False, Fraction(1)
    over: list[Form] = []
    under: list[Form] = []
    matrices: list[Form] = []
    for form in scalars:
        bare = form if isinstance(form, Product) else Product(above=(form,))
        negative ^= bare.negative
        coefficient *= bare.coefficient
        over += bare.above
        under += bare.below
        over += [Product(factors=bare.factors, scalar=True)] if bare.factors else []
    for form in below:
        bare = form if isinstance(form, Product) else Product(above=(form,))
        if not bare.coefficient:  # a quotient by 0 stays one
            bare = Product(above=(bare,))
        negative ^= bare.negative
        coefficient /= bare.coefficient
        under += bare.above
        over += bare.below
        under += [Product(factors=bare.factors, scalar=True)] if bare.factors else []
    for form in factors:
        bare = form if isinstance(form, Product) else Product(factors=(form,))
        negative ^= bare.negative
        coefficient *= bare.coefficient
        over += bare.above
        under += bare.below
        matrices += bare.factors
    if not coefficient:
        return number(0)
    # xᵀAx needs no parentheses where it is the only such product: λ xᵀAx.
    inner = [form for form in over if isinstance(form, Product)]
    if not matrices and len(inner) == 1:
        over.remove(inner[0])
        matrices, scalar = list(inner[0].factors), True
    if negative:
        negative = not (_turn_one(over) or _turn_one(matrices))
    over.sort(key=lambda form: not isinstance(_letter(form), Symbol))
    if coefficient == 1 and not negative and not under and len(over) + len(matrices) == 1:
        return (over + matrices)[0]
    return Product(negative, coefficient, tuple(over), tuple(under), tuple(matrices), scalar)


def _turn_one(forms: list[Form]) -> bool:
    """Write −(A − B) as B − A: turn the first sum that has no more pluses than minuses."""
    for place, form in enumerate(forms):
        match form:
            case Terms(items=items) if _gains(items):
                forms[place] = subtotal([(not minus, term) for minus, term in items])
                return True
            case Entrywise(items=items):
                parts = [part for _, part in items]
                if all(sign != "⊗" for sign, _ in items) and _turn_one(parts):
                    signs = (sign for sign, _ in items)
                    forms[place] = Entrywise(tuple(zip(signs, parts, strict=True)))
                    return True
    return False


def _gains(items: tuple[tuple[bool, Form], ...]) -> bool:
    _, first = items[0]
    if isinstance(first, Symbol) and first.stem == "I":  # I − 11ᵀ/n is known as it stands
        return False
    return 2 * sum(minus for minus, _ in items) >= len(items)


def subtotal(terms: list[tuple[bool, Form]], /) -> Form:
    """Return a sum of terms with their signs, the first of the positive ones in front."""
    first = next((place for place, (minus, _) in enumerate(terms) if not minus), 0)
    return Terms((terms[first], *terms[:first], *terms[first + 1 :]))


def negated(form: Form, /) -> Form:
    """Return −form."""
    return multiplied([MINUS_ONE], [form])


def unsigned(form: Product, /) -> Form:
    """Return a product without its minus."""
    front = replace(form, negative=False, factors=(), scalar=False)
    return multiplied([front], form.factors, scalar=form.scalar)


def drawn_out(form: Form, /) -> tuple[list[Form], Form]:
    """Return the scalars in front of a matrix, and what is left of it."""
    if not isinstance(form, Product):
        return [], form
    rest = multiplied((), form.factors)
    return [replace(form, factors=(), scalar=False)], rest


def raised(base: Form, exponent: Fraction, /, *, entrywise: bool = False) -> Form:
    """Return base^exponent for a positive exponent."""
    if exponent == 1:
        return base
    if exponent == Fraction(1, 2) and not entrywise:
        return Root(base)
    return Scripted(base, number(exponent), entrywise=entrywise)


def entrywise(items: Iterable[tuple[str, Form]], /) -> Form:
    """Return A ⊙ B ⊘ C, quotients last; one item stands alone."""
    ordered = sorted(items, key=lambda item: item[0] == "⊘")
    if len(ordered) == 1 and ordered[0][0] != "⊘":
        return ordered[0][1]
    return Entrywise(tuple(ordered))


def diagonal(items: list[tuple[str, Form]], /) -> Form:
    """Return diag(v) for the entrywise product v of the items; diag(v)⁻¹ for 1 ⊘ v."""
    name = r"\operatorname{diag}"
    if all(sign == "⊘" for sign, _ in items):
        inverted = Call(name, entrywise([("⊙", form) for _, form in items]))
        return Scripted(inverted, number(-1))
    return Call(name, entrywise(items))


def _letter(form: Form) -> Form:
    return form.base if isinstance(form, Scripted) else form
