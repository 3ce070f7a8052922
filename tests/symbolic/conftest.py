"""Random well-shaped expressions, from a stream of choices: Hypothesis draws it, or a generator.

Arguments of logarithms, roots, quotients and inverses are kept where these are defined and well
conditioned, and what grows is bounded by tanh, so that a numerical derivative is a fair witness.
"""

from fractions import Fraction

import numpy as np
import pytest

from matbackprop.symbolic.expressions.dimension import Dim
from matbackprop.symbolic.expressions.expression import Broadcast, Expr, Number, Size, Variable
from matbackprop.symbolic.expressions.nodes import (
    Apply,
    Centering,
    ColSum,
    Commutation,
    Det,
    Diag,
    DiagVec,
    Identity,
    Inverse,
    Item,
    Kron,
    LogDet,
    LogSumExp,
    MatrixPower,
    Named,
    Norm1,
    Norm2,
    Ones,
    Reshape,
    RowSum,
    Softmax,
    Total,
    Trace,
    Vec,
)

ONE = Dim.of(1)
DIMS = [Dim.of(name) for name in ("n", "p", "k")]
SIZES = {"n": 3, "p": 2, "k": 4}
STEP = 1e-30
BOUNDED = ["tanh", "sigmoid", "sin", "cos", "atan", "normal_cdf", "normal_pdf"]
SMOOTH = [*BOUNDED, "softplus", "silu", "gelu", "relu", "abs", "leaky_relu"]


class Builder:
    """Builds expressions; `choose(k)` returns a whole number below k."""

    def __init__(self, choose):
        self.choose = choose
        self.names = 0

    def pick(self, options):
        return options[self.choose(len(options))]

    def dim(self):
        return self.pick(DIMS)

    def build(self, shape, depth):
        """Return an expression of that shape, at most `depth` operations deep."""
        if depth <= 0:
            return self.leaf(shape)
        makers = [self.elementwise, self.arithmetic, self.arithmetic]
        if not shape:
            makers += [self.scalar, self.scalar, self.scalar]
        else:
            makers += [self.product, self.product, self.structured]
            if shape[0] == shape[1]:
                makers.append(self.square)
        return self.pick(makers)(shape, depth - 1)

    def leaf(self, shape):
        if not shape:
            return self.pick([Variable("s", ()), Number(2), Number(Fraction(-1, 2)), Size("n")])
        name = "x" + "".join(str(d) for d in shape)
        options = [Variable(name, shape), Variable(name, shape), Variable("b" + name, shape)]
        if shape[0] == shape[1]:
            options += [
                Variable("S" + name, shape, ("symmetric",), "symmetric"),
                Identity(shape[0]),
            ]
            options.append(Centering(shape[0]))
        options.append(Ones(*shape))
        return self.pick(options)

    def elementwise(self, shape, depth):
        x = self.build(shape, depth)
        choice = self.choose(8)
        if choice == 0:
            return Apply("log", x * x + 1)
        if choice == 1:
            return (x * x + 1) ** Number(self.pick([Fraction(1, 2), Fraction(-1, 2), -2, -1]))
        if choice == 2:
            return Apply("exp", Apply("tanh", x))
        if choice == 3:
            return Apply("tanh", x) ** self.pick([2, 3])
        return Apply(self.pick(SMOOTH), x)

    def arithmetic(self, shape, depth):
        a, b = self.build(shape, depth), self.build(shape, depth)
        choice = self.choose(7)
        if choice == 0:
            return a + b
        if choice == 1:
            return a - b
        if choice == 2:
            return bounded(a) * b
        if choice == 3:
            return a / (b * b + 1)
        if choice == 4:
            return self.pick([2, -3, Fraction(1, 2)]) * a + b * Fraction(3, 4)
        if choice == 5 and shape:
            return bounded(self.build((), depth - 1)) * a
        if choice == 6 and shape:
            self.names += 1
            named = Named(f"u{self.names}", a)
            return named + bounded(named) * b
        return a - b * 2

    def product(self, shape, depth):
        m, n = shape
        k = self.pick([*DIMS, ONE])
        a, b = self.build((m, k), depth), self.build((k, n), depth)
        return bounded(a) @ b

    def structured(self, shape, depth):
        m, n = shape
        options = ["transpose", "broadcast", "centre"]
        if n == ONE:
            options += ["rowsum", "diagvec", "vec"]
        if m == ONE:
            options += ["colsum"]
        if n != ONE:
            options += ["softmax", "scale rows", "scale columns"]
        if m == n and m != ONE:
            options += ["diag"]
        match self.pick(options):
            case "transpose":
                return self.build((n, m), depth).T
            case "broadcast":
                inner = self.pick([(), (m, ONE), (ONE, n)])
                return Broadcast(self.build(inner, depth), m, n)
            case "centre":
                return Centering(m) @ self.build(shape, depth)
            case "rowsum":
                if self.choose(2):
                    return LogSumExp(self.build((m, Dim.of("k")), depth))
                return RowSum(self.build((m, self.dim()), depth))
            case "colsum":
                return ColSum(self.build((self.dim(), n), depth))
            case "diagvec":
                return DiagVec(self.build((m, m), depth))
            case "diag":
                return Diag(self.build((m, ONE), depth))
            case "softmax":
                return Softmax(self.build(shape, depth))
            case "scale rows":
                return Diag(self.build((m, ONE), depth)) @ bounded(self.build(shape, depth))
            case "scale columns":
                return bounded(self.build(shape, depth)) @ Diag(self.build((n, ONE), depth))
            case "vec":
                k = self.dim()
                if self.choose(2):
                    v = Vec(self.build((k, Dim.of("p")), depth))
                    return bounded(Kron(self.build((m, k), depth - 1), Ones(ONE, "p"))) @ v
                v = Vec(self.build((k, m), depth))
                v = Commutation(k, m) @ v if self.choose(2) else v
                return Reshape(v, m, k) @ Ones(k, 1)
        raise AssertionError

    def square(self, shape, depth):
        m = shape[0]
        a = bounded(self.build(shape, depth))
        safe = a @ a.T + Identity(m) * 2
        return self.pick([Inverse(safe), MatrixPower(a, self.pick([2, 3])), a @ a.T, a + a.T])

    def scalar(self, shape, depth):
        n, p = self.dim(), self.dim()
        choice = self.choose(9)
        if choice == 0:
            return Total(self.build((n, p), depth))
        if choice == 1:
            return Trace(self.build((n, n), depth))
        if choice == 2:
            x = self.build((n, ONE), depth)
            return Item(bounded(x).T @ self.build((n, n), depth - 1) @ x)
        if choice == 3:
            return Norm2(self.build((n, p), depth) + 1)
        if choice in (4, 5):
            a = bounded(self.build((n, n), depth))
            safe = a @ a.T + Identity(n) * 2
            return LogDet(safe) if choice == 4 else Det(safe * Fraction(1, 2))
        if choice == 6:
            return Norm1(self.build((n, p), depth))
        if choice == 7:
            return Total(bounded(self.build((n, p), depth)) * self.build((n, p), depth))
        return Trace(bounded(self.build((n, p), depth)) @ self.build((p, n), depth))


def bounded(x: Expr) -> Expr:
    """Return tanh(x): entries within ±1, so that products of many stay of order one."""
    return Apply("tanh", x)


@pytest.fixture
def values():
    """Return a function that draws a value for each variable of an expression."""

    def draw(expr):
        rng = np.random.default_rng(20)
        drawn = dict(SIZES)
        for name, variable in expr.variables().items():
            array = 0.8 * rng.standard_normal([d.evaluate(SIZES) for d in variable.shape])
            drawn[name] = (array + array.T) / 2 if variable.flags else array
        return drawn

    return draw


@pytest.fixture
def slope():
    """Return a function giving ∂vec(F)/∂vec(X)ᵀ by a complex step, entry by entry."""

    def differentiate(expr, variable, given):
        x = np.asarray(given[variable.name])
        columns = []
        for j in range(x.size):
            z = x.astype(complex)
            z[np.unravel_index(j, x.shape, order="F")] += STEP * 1j
            F = np.asarray(expr.evaluate({**given, variable.name: z}))
            columns.append(np.ravel(F.imag, order="F") / STEP)
        return np.stack(columns, axis=1)

    return differentiate


@pytest.fixture
def builder():
    """Return the class that builds random expressions."""
    return Builder
