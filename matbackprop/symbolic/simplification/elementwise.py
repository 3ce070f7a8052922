"""Normal form of elementwise products, powers and functions."""

from __future__ import annotations

from fractions import Fraction
from math import isqrt
from typing import Any

from matbackprop.symbolic.expressions.construct import (
    add,
    apply,
    broadcast,
    diag,
    diagvec,
    hadamard,
    kron,
    logdet,
    logsumexp,
    matmul,
    neg,
    number,
    power,
    scale,
    transpose,
    zero,
)
from matbackprop.symbolic.expressions.expression import (
    Broadcast,
    Expr,
    Hadamard,
    MatMul,
    Number,
    Power,
    Scale,
    Sum,
    Transpose,
)
from matbackprop.symbolic.expressions.graph import ONE, Shape
from matbackprop.symbolic.expressions.nodes import Apply, Det, Diag, Identity, Kron, Softmax
from matbackprop.symbolic.expressions.tables import NORMAL_FORM
from matbackprop.symbolic.simplification.facts import is_positive
from matbackprop.symbolic.simplification.order import (
    UNIT,
    factors_of,
    is_zero,
    key,
    kind_of_broadcast,
    split,
)

Args = tuple[Expr, ...]

HALF = Fraction(1, 2)
MINUS_ONE = Number(-1)
IDEMPOTENT = {"step"}
ODD = {"sign", "tanh", "sin", "tan", "sinh", "asin", "atan"}
EVEN = {"abs", "cos", "cosh", "normal_pdf"}
QUOTIENTS = {"sinh": ("cosh", "tanh"), "sin": ("cos", "tan")}
KNOWN_VALUES = {("exp", "0"): 1, ("log", "1"): 0, ("tanh", "0"): 0, ("abs", "0"): 0}


@NORMAL_FORM.rule(Hadamard)
def _(args: Args, data: tuple[Any, ...]) -> Expr:
    """Collect equal factors as powers, scalars in front, rows and columns that are repeated."""
    shape = args[0].shape
    scalars: list[Expr] = []
    exponents: dict[Expr, Expr] = {}
    repeated: dict[str, list[Expr]] = {"row": [], "column": []}
    stack = list(reversed(args))
    while stack:
        factor = stack.pop()
        if is_zero(factor):
            return zero(shape)
        if isinstance(factor, Hadamard):
            stack.extend(reversed(factor.args))
        elif isinstance(factor, Number) or (factor.is_scalar and shape):
            scalars.append(factor)
        elif isinstance(factor, Scale):
            scalars.append(factor.args[0])
            stack.append(factor.args[1])
        elif kind := kind_of_broadcast(factor):
            (scalars if kind == "scalar" else repeated[kind]).append(factor.args[0])
        else:
            base, exponent = _base(factor)
            exponents[base] = add(exponents[base], exponent) if base in exponents else exponent
    factors = _powers(_with_quotients(_with_signs(exponents)))
    if any(isinstance(f, Hadamard) for f in factors):  # (ab)² has come apart
        again = hadamard(*factors, *_repeated(repeated, shape))
        return scale(hadamard(*scalars), again) if scalars else again
    if not shape:
        return _scalar_product(scalars, factors)
    factors += _repeated(repeated, shape)
    product = _matrix_product([f for f in factors if not _is_all_ones(f)], shape)
    return scale(hadamard(*scalars), product) if scalars else product


@NORMAL_FORM.rule(Power)
def _(args: Args, data: tuple[Any, ...]) -> Expr:
    """Work out what is a number, and (xᵃ)ᵇ, (xy)ᵇ where they are equal to xᵃᵇ, xᵇyᵇ."""
    base, exponent = args
    if not isinstance(exponent, Number):
        return Power(base, exponent)
    e = exponent.value
    if e == 0:
        return broadcast(UNIT, base.shape)
    if e == 1:
        return base
    whole = e.denominator == 1
    match base:
        case Number():
            return _number_power(base.value, e)
        case Broadcast(args=(arg,)):
            return broadcast(power(arg, exponent), base.shape)
        case Transpose(args=(arg,)):
            return transpose(power(arg, exponent))
        case Apply(data=("exp",), args=(arg,)):
            return apply("exp", scale(exponent, arg))
        case Apply(data=("abs",), args=(arg,)) if whole and e.numerator % 2 == 0:
            return power(arg, exponent)
        case Identity() if e > 0:
            return base
        case Power(args=(inner, Number() as first)):
            if whole or is_positive(inner) or first.value.numerator % 2:
                return power(inner, first.value * e)
            if first.value == 2 and e == HALF:
                return apply("abs", inner)
        case Hadamard() if whole:
            return hadamard(*(power(arg, exponent) for arg in base.args))
        case Scale(args=(scalar, matrix)) if whole or is_positive(scalar):
            return scale(power(scalar, exponent), power(matrix, exponent))
        case Sum() if whole and e < 0 and (t := _one_plus_exp(base)) is not None:
            return power(apply("sigmoid", neg(t)), -e)
    return Power(base, exponent)


@NORMAL_FORM.rule(Apply)
def _(args: Args, data: tuple[Any, ...]) -> Expr:
    """Push f inside what is repeated or transposed; undo log exp, exp log, log det."""
    (arg,), (name,) = args, data
    if isinstance(arg, Number) and (name, str(arg.value)) in KNOWN_VALUES:
        return number(KNOWN_VALUES[name, str(arg.value)])
    match arg:
        case Broadcast(args=(inner,)):
            return broadcast(apply(name, inner), arg.shape)
        case Transpose(args=(inner,)):
            return transpose(apply(name, inner))
    if name in ODD | EVEN and split(arg)[0] < 0:
        mirrored = apply(name, neg(arg))
        return neg(mirrored) if name in ODD else mirrored
    if name in {"relu", "step"} and isinstance(arg, Apply) and arg.name == "relu":
        return apply(name, arg.args[0])
    if name == "log":
        match arg:
            case Apply(data=("exp",), args=(inner,)):
                return inner
            case Det(args=(inner,)):
                return logdet(inner)
            case Power(args=(base, Number() as e)) if e.value.numerator % 2 or is_positive(base):
                return scale(e, apply("log", base))
            case Softmax(args=(z,)):
                return add(z, neg(broadcast(logsumexp(z), z.shape)))
            case Sum() if (t := _one_plus_exp(arg)) is not None:
                return apply("softplus", t)
    if name == "exp" and isinstance(arg, Apply) and arg.name == "log":
        return arg.args[0]
    if name == "abs" and (is_positive(arg) or (isinstance(arg, Apply) and arg.name == "abs")):
        return arg
    return Apply(name, arg)


def _base(factor: Expr) -> tuple[Expr, Expr]:
    """Read a factor as base^exponent; exp(ct) as exp(t)^c."""
    if isinstance(factor, Power):
        return factor.args[0], factor.args[1]
    if isinstance(factor, Apply) and factor.name == "exp":
        coefficient, t = split(factor.args[0])
        return apply("exp", t), number(coefficient)
    return factor, UNIT


def _powers(exponents: dict[Expr, Expr]) -> list[Expr]:
    """Return base^exponent for each, steps being their own squares."""
    factors: list[Expr] = []
    for base, exponent in exponents.items():
        steps = isinstance(base, Apply) and base.name in IDEMPOTENT
        if steps and isinstance(exponent, Number) and exponent.value >= 1:
            factors.append(base)
        else:
            factors.append(power(base, exponent))
    return factors


def _with_signs(exponents: dict[Expr, Expr]) -> dict[Expr, Expr]:
    """Write |x| sign(x) as x, x sign(x) as |x|, and relu(x) step(x) as relu(x)."""
    for base in exponents:
        if not (isinstance(base, Apply) and exponents[base] is UNIT):
            continue
        (x,) = base.args
        trades = {
            "sign": ((apply("abs", x), x), (x, apply("abs", x))),
            "step": ((apply("relu", x), apply("relu", x)),),
        }
        for partner, image in trades.get(base.name, ()):
            e = exponents.get(partner)
            if isinstance(e, Number) and e.value >= 1:
                changed = {b: k for b, k in exponents.items() if b is not base}
                changed[partner] = add(e, MINUS_ONE)
                changed[image] = add(changed.get(image, number(0)), UNIT)
                return _with_signs({b: k for b, k in changed.items() if not is_zero(k)})
    return exponents


def _with_quotients(exponents: dict[Expr, Expr]) -> dict[Expr, Expr]:
    """Write exp(t)·sigmoid(−t) as sigmoid(t), sinh/cosh as tanh, sin/cos as tan."""
    for base, exponent in exponents.items():
        if isinstance(base, Apply) and base.name in QUOTIENTS and exponent is UNIT:
            below, name = QUOTIENTS[base.name]
            under, (t,) = apply(below, base.args[0]), base.args
            if under in exponents and exponents[under] is MINUS_ONE:
                rest = {b: e for b, e in exponents.items() if b not in (base, under)}
                image = apply(name, t)
                rest[image] = add(rest.get(image, number(0)), UNIT)
                return _with_quotients({b: e for b, e in rest.items() if not is_zero(e)})
        if not (isinstance(base, Apply) and base.name == "exp" and isinstance(exponent, Number)):
            continue
        t = scale(exponent, base.args[0])
        mirrored, image = apply("sigmoid", neg(t)), apply("sigmoid", t)
        if mirrored in exponents and abs(exponent.value) == 1:
            changed = {b: e for b, e in exponents.items() if b is not base}
            changed[mirrored] = add(exponents[mirrored], number(-1))
            changed[image] = add(changed.get(image, number(0)), UNIT)
            return _with_quotients({b: e for b, e in changed.items() if not is_zero(e)})
    return exponents


def _scalar_product(scalars: list[Expr], factors: list[Expr]) -> Expr:
    coefficient = Fraction(1)
    rest: list[Expr] = []
    for factor in [*scalars, *factors]:
        c, core = split(factor)
        coefficient *= c
        rest += [f for f in factors_of(core) if f is not UNIT]
    if len(rest) != len(set(rest)) or any(isinstance(f, Number) for f in rest):
        return hadamard(number(coefficient), *rest)
    rest.sort(key=key)
    if not coefficient:
        return number(0)
    if coefficient != 1 or not rest:
        rest = [number(coefficient), *rest]
    return rest[0] if len(rest) == 1 else Hadamard(*rest)


def _repeated(repeated: dict[str, list[Expr]], shape: Shape) -> list[Expr]:
    """Return one repeated row, or column, or the outer product of both."""
    row, column = (hadamard(*fs) if fs else None for fs in repeated.values())
    if row is not None and column is not None:
        return [matmul(column, row)]
    return [broadcast(one, shape) for one in (row, column) if one is not None]


def _matrix_product(factors: list[Expr], shape: Shape) -> Expr:
    if any(isinstance(f, Scale) or kind_of_broadcast(f) == "scalar" for f in factors):
        return hadamard(*factors)
    for factor in factors:
        if isinstance(factor, Identity | Diag):  # only the diagonal of the others is seen
            others = [f for f in factors if f is not factor]
            if others:
                v = diagvec(hadamard(*others))
                return diag(hadamard(factor.args[0], v) if factor.args else v)
    if not factors:
        return broadcast(UNIT, shape)
    if len(factors) == 1:
        return factors[0]
    if len(factors) == 2 and (scaled := _scaled(*factors) or _scaled(*factors[::-1])):
        return scaled
    if all(isinstance(f, Transpose) for f in factors):
        return transpose(hadamard(*(f.args[0] for f in factors)))
    return Hadamard(*sorted(factors, key=key))


def _scaled(d: Expr, m: Expr) -> Expr | None:
    """Return diag(c)M, or M diag(r), where M is an outer product or a ⊗ that takes it in."""
    kind = kind_of_broadcast(d)
    if not kind:
        return None
    (x,) = d.args
    if isinstance(m, MatMul) and m.args[0].columns == ONE and kind == "column":
        return matmul(hadamard(x, m.args[0]), *m.args[1:])
    if isinstance(m, MatMul) and m.args[-1].rows == ONE and kind == "row":
        return matmul(*m.args[:-1], hadamard(m.args[-1], x))
    if isinstance(m, Kron) and isinstance(x, Kron):
        pairs = list(zip(x.args, m.args, strict=True))
        rows = kind == "row"
        if all(u.columns == a.columns if rows else u.rows == a.rows for u, a in pairs):
            return kron(*(hadamard(broadcast(u, a.shape), a) for u, a in pairs))
    return None


def _is_all_ones(node: Expr) -> bool:
    return kind_of_broadcast(node) == "scalar" and node.args[0] is UNIT


def _one_plus_exp(node: Expr) -> Expr | None:
    """Return t where the node is 1 + exp(t)."""
    if len(node.args) != 2:
        return None
    for one, other in (node.args, node.args[::-1]):
        is_one = one is UNIT or _is_all_ones(one)
        if is_one and isinstance(other, Apply) and other.name == "exp":
            return other.args[0]
    return None


def _number_power(base: Fraction, e: Fraction) -> Expr:
    if e.denominator == 1 and (base or e > 0):
        return number(base**e.numerator)
    if e.denominator == 2 and base > 0:
        roots = [isqrt(base.numerator), isqrt(base.denominator)]
        if roots[0] ** 2 == base.numerator and roots[1] ** 2 == base.denominator:
            return number(Fraction(*roots) ** e.numerator)
    return Power(number(base), number(e))
