"""Expressions in base R.

The text is right where the variables are matrices (columns n×1) and the sizes numbers. Base R has
no word for K, D and Van Loan's rearrangement: those are calls of the functions in `HELPERS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from types import MappingProxyType

from matbackprop.symbolic.expressions.expression import (
    Expr,
    Hadamard,
    MatMul,
    Number,
    Power,
    Scale,
    Transpose,
)
from matbackprop.symbolic.expressions.graph import ONE
from matbackprop.symbolic.expressions.nodes import (
    Apply,
    Assemble,
    Centering,
    ColSum,
    Commutation,
    Det,
    Diag,
    DiagVec,
    Duplication,
    Identity,
    Inverse,
    Item,
    Kron,
    LogDet,
    LogSumExp,
    MatrixPower,
    Norm1,
    Norm2,
    Ones,
    Rearrange,
    Reshape,
    RowSum,
    Softmax,
    Total,
    Trace,
    Vec,
    Zeros,
)
from matbackprop.symbolic.expressions.tables import RuleTable
from matbackprop.symbolic.notations.arithmetic import HALF
from matbackprop.symbolic.notations.parts import Fractional, Parts, flipped
from matbackprop.symbolic.notations.r_words import OWN_NAMES
from matbackprop.symbolic.notations.spelling import (
    Rule,
    Speller,
    Term,
    added,
    bare,
    folded,
    number_tree,
    product,
    size_tree,
)
from matbackprop.symbolic.notations.tree import Tree, call, name, number, operator, string

SPELLING: RuleTable[Rule] = RuleTable("spelling in R")

PLAIN = ("c", "rowSums", "colSums")
"""Calls whose value is a plain vector already."""

HELPERS: Mapping[str, str] = MappingProxyType(
    {
        "commutation": "function(m, n) diag(m * n)[c(t(matrix(seq_len(m * n), m, n))), , "
        "drop = FALSE]",
        "duplication": "function(n) {\n"
        "  S <- matrix(0, n, n)\n"
        "  S[lower.tri(S, diag = TRUE)] <- seq_len(n * (n + 1) / 2)\n"
        "  S[upper.tri(S)] <- t(S)[upper.tri(S)]\n"
        "  diag(n * (n + 1) / 2)[c(S), , drop = FALSE]\n"
        "}",
        "rearrange": "function(G, m, n, p, q) "
        "matrix(aperm(array(G, c(p, m, q, n)), c(2, 4, 1, 3)), m * n, p * q)",
        "assemble": "function(M, m, n, p, q) "
        "matrix(aperm(array(M, c(m, n, p, q)), c(3, 1, 4, 2)), m * p, n * q)",
    }
)
"""The functions that base R lacks, by name."""


class RSpeller(Speller):
    """One expression being spelled in R."""

    table = SPELLING

    def repeated(self, scalar: Tree, expr: Expr, /) -> Tree:
        """Return matrix(s, m, n)."""
        return call("matrix", scalar, size_tree(expr.rows), size_tree(expr.columns))

    def product(self, parts: Parts, expr: Expr, /) -> Tree:
        """Return a product without its sign."""
        above, below = self.line(parts)
        scalar = _over(above or number(1), below) if above or below else None
        if not expr.shape:
            return scalar or number(1)
        if not parts.full:
            filled = self.filled(parts, expr)
            return filled if scalar is None else self.scaled(scalar, filled, parts, expr)
        result = (
            _over(_times(above, self.top(parts)), below)
            if not above
            else _times(scalar, self.top(parts))
        )
        bottom = [*map(self.spell, parts.full.below), *map(self.vector, parts.columns.below)]
        return self.by_rows(_over(result, folded("*", bottom)), parts.rows)

    def top(self, parts: Parts) -> Tree | None:
        """Return what stands above the line: vectors, which R runs down, and matrices."""
        return folded(
            "*", [*map(self.vector, parts.columns.above), *map(self.spell, parts.full.above)]
        )

    def filled(self, parts: Parts, expr: Expr) -> Tree:
        """Return a product of columns and rows alone, as a matrix."""
        shape = size_tree(expr.rows), size_tree(expr.columns)
        if not (parts.columns or parts.rows):
            return call("matrix", number(1), *shape)
        if parts.columns and parts.rows:
            return operator("%*%", self.joined(parts.columns), self.joined(parts.rows))
        if parts.columns:
            return call("matrix", self.joined(parts.columns), *shape)
        return call("matrix", self.swept(parts.rows), *shape, _named("byrow", name("TRUE")))

    def scaled(self, scalar: Tree, filled: Tree, parts: Parts, expr: Expr) -> Tree:
        """Return a scalar times a repeated thing."""
        if parts.columns or parts.rows:
            return operator("*", scalar, filled)
        return self.repeated(scalar, expr)

    def joined(self, factors: Fractional) -> Tree:
        """Return an elementwise product of columns, or of rows."""
        args = [*factors.above, *(Power(factor, -1) for factor in factors.below)]
        return self.spell(Hadamard(*args) if len(args) > 1 else args[0])

    def swept(self, rows: Fractional) -> Tree:
        """Return an elementwise product of rows, as a column where that is simpler."""
        turned = (
            [flipped(row, sums=True) for row in rows.above],
            [flipped(row, sums=True) for row in rows.below],
        )
        return self.joined(Fractional(*turned))

    def vector(self, column: Expr) -> Tree:
        """Return a column as a plain vector."""
        tree = self.spell(column)
        return tree if tree.kind == "call" and tree.text in PLAIN else call("c", tree)

    def by_rows(self, tree: Tree, rows: Fractional) -> Tree:
        """Return a matrix with each row multiplied and divided by rows."""
        for sign, factors in (("*", rows.above), ("/", rows.below)):
            if factors:
                swept = self.swept(Fractional(factors))
                tree = call("sweep", tree, number(2), swept, string(sign))
        return tree

    def total(self, terms: list[Expr], expr: Expr, /) -> Tree:
        """Return a sum: vectors run down, and rows are swept over, where a matrix is there."""
        whole: list[Term] = []
        swept: list[Term] = []
        found: list[Term] = []
        for term in terms:
            minus, parts = self.signed_parts(term)
            above, below = self.line(parts)
            if parts.full or bool(parts.columns) == bool(parts.rows) or not expr.shape:
                found.append(bare(self, term))
                if parts.full or parts.columns:
                    whole.append(found[-1])
            elif parts.columns:
                columns = Fractional(parts.columns.above, parts.columns.below)
                vector = folded("*", map(self.vector, columns.above))
                front = _over(above or number(1), below) if above or below else None
                top = _times(front, vector) if vector or front else number(1)
                found.append((minus, _over(top, folded("*", map(self.vector, columns.below)))))
            else:
                front = _over(above or number(1), below) if above or below else None
                swept.append((minus, _times(front, self.swept(parts.rows))))
        if not whole and expr.shape:
            return added([self.signed(term) for term in terms])
        tree = added(found)
        for minus, row in swept:
            tree = call("sweep", tree, number(2), row, string("-" if minus else "+"))
        return tree


def _times(left: Tree | None, right: Tree | None) -> Tree:
    found = [tree for tree in (left, right) if tree is not None]
    return reduce(lambda a, b: operator("*", a, b), found) if found else number(1)


def _over(above: Tree, below: Tree | None) -> Tree:
    return above if below is None else operator("/", above, below)


def _named(argument: str, value: Tree) -> Tree:
    return operator("=", name(argument), value)


def _squares(tree: Tree) -> Tree:
    return call("sum", operator("^", tree, number(2)))


CALLS: dict[type[Expr], str] = {
    **{Total: "sum", Det: "det", Inverse: "solve", DiagVec: "diag", Vec: "c"},
    **{Reshape: "matrix", Identity: "diag", Rearrange: "rearrange", Assemble: "assemble"},
    **{Commutation: "commutation", Duplication: "duplication"},
}
NAMES = {ours: theirs for theirs, ours in OWN_NAMES.items()}


@SPELLING.rule(*CALLS)
def _(speller: RSpeller, node: Expr) -> Tree:
    args = [*map(speller.spell, node.args), *map(size_tree, node.data)]
    return call(CALLS[type(node)], *args)


@SPELLING.rule(Ones, Zeros)
def _(speller: RSpeller, node: Expr) -> Tree:
    return speller.repeated(number(int(isinstance(node, Ones))), node)


@SPELLING.rule(Apply)
def _(speller: RSpeller, node: Apply) -> Tree:
    # Base R has no activations: relu(x) is pmax(x, 0), and so on.
    x = speller.spell(node.args[0])
    above_zero = operator(">", x, number(0))
    match node.name:
        case "relu":
            return call("pmax", x, number(0))
        case "leaky_relu":
            return call("pmax", x, operator("*", number("0.01"), x))
        case "step":
            return above_zero
        case "leaky_step":
            return operator("+", number("0.01"), operator("*", number("0.99"), above_zero))
        case "softplus":
            return call("log1p", call("exp", x))
        case "silu":
            return operator("*", x, call("plogis", x))
        case "gelu":
            return operator("*", x, call("pnorm", x))
    return call(NAMES.get(node.name, node.name), x)


@SPELLING.rule(MatMul)
def _(speller: RSpeller, node: MatMul) -> Tree:
    (first, *rest), _ = speller.flat(node)
    if isinstance(first, Scale):  # s * A %*% B is s * (A %*% B) in R
        scalar, matrix = first.args
        return speller.spell(Scale(scalar, MatMul(matrix, *rest)))
    if isinstance(first, Centering):
        inner = speller.spell(rest[0] if len(rest) == 1 else MatMul(*rest))
        return call("scale", inner, _named("scale", name("FALSE")))
    return _product(speller, (first, *rest))


def _product(speller: RSpeller, factors: tuple[Expr, ...]) -> Tree:
    return reduce(lambda a, b: operator("%*%", a, b), map(speller.spell, factors))


@SPELLING.rule(MatrixPower)
def _(speller: RSpeller, node: MatrixPower) -> Tree:
    return _product(speller, node.args * node.power)


@SPELLING.rule(Kron)
def _(speller: RSpeller, node: Kron) -> Tree:
    return operator("%x%", *map(speller.spell, node.args))


@SPELLING.rule(RowSum)
def _(speller: RSpeller, node: RowSum) -> Tree:
    (arg,) = node.args
    return speller.spell(arg) if arg.columns == ONE else call("rowSums", speller.spell(arg))


@SPELLING.rule(ColSum)
def _(speller: RSpeller, node: ColSum) -> Tree:
    (arg,) = node.args
    if arg.rows == ONE:
        return speller.spell(arg)
    if arg.columns == ONE:  # perhaps a plain vector, which colSums does not take
        return call("as.matrix", call("sum", speller.spell(arg)))
    return call("t", call("colSums", speller.spell(arg)))


@SPELLING.rule(Transpose)
def _(speller: RSpeller, node: Transpose) -> Tree:
    (arg,) = node.args
    turned = flipped(arg, sums=True)
    if turned is not node:
        return speller.spell(turned)
    inner = speller.spell(arg)
    return inner.args[0] if (inner.kind, inner.text) == ("call", "t") else call("t", inner)


@SPELLING.rule(Item)
def _(speller: RSpeller, node: Item) -> Tree:
    (arg,) = node.args
    inner = speller.spell(arg)
    return inner.args[0] if inner.text == "as.matrix" else call("drop", inner)


@SPELLING.rule(Power)
def _(speller: RSpeller, node: Power) -> Tree:
    base, exponent = node.args
    if not isinstance(exponent, Number):
        return operator("^", speller.spell(base), speller.spell(exponent))
    if exponent.value == HALF:
        return call("sqrt", speller.spell(base))
    if exponent.value < 0:
        return product(speller, node)
    if exponent.value == 2 and isinstance(base, Norm2):
        return _squares(speller.spell(base.args[0]))
    return operator("^", speller.spell(base), number_tree(exponent.value))


@SPELLING.rule(Trace)
def _(speller: RSpeller, node: Trace) -> Tree:
    return call("sum", call("diag", speller.spell(node.args[0])))


@SPELLING.rule(LogDet)
def _(speller: RSpeller, node: LogDet) -> Tree:
    return call("c", operator("$modulus", call("determinant", speller.spell(node.args[0]))))


@SPELLING.rule(Norm2)
def _(speller: RSpeller, node: Norm2) -> Tree:
    return call("sqrt", _squares(speller.spell(node.args[0])))


@SPELLING.rule(Norm1)
def _(speller: RSpeller, node: Norm1) -> Tree:
    return call("sum", call("abs", speller.spell(node.args[0])))


@SPELLING.rule(Diag)
def _(speller: RSpeller, node: Diag) -> Tree:
    # With its size: of a vector of one entry diag(v) would make an identity.
    return call("diag", speller.vector(node.args[0]), size_tree(node.rows))


@SPELLING.rule(Softmax)
def _(speller: RSpeller, node: Softmax) -> Tree:
    powers = call("exp", speller.spell(node.args[0]))
    return operator("/", powers, call("rowSums", powers))


@SPELLING.rule(LogSumExp)
def _(speller: RSpeller, node: LogSumExp) -> Tree:
    return call("log", call("rowSums", call("exp", speller.spell(node.args[0]))))


@SPELLING.rule(Centering)
def _(speller: RSpeller, node: Centering) -> Tree:
    n = size_tree(node.rows)
    return operator("-", call("diag", n), operator("/", number(1), n))
