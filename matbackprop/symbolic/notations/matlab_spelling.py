"""Expressions in the notation of matrixcalculus.org, with few different nodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import groupby
from typing import TypeAlias

from matbackprop.symbolic.expressions.dimension import Dim
from matbackprop.symbolic.expressions.expression import (
    Expr,
    Hadamard,
    MatMul,
    Number,
    Power,
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
from matbackprop.symbolic.notations.spelling import (
    Rule,
    Speller,
    added,
    bare,
    folded,
    number_tree,
    product,
    size_tree,
)
from matbackprop.symbolic.notations.tree import Tree, call, count_nodes, number, operator

SPELLING: RuleTable[Rule] = RuleTable("spelling in the matlab notation")
Chain: TypeAlias = list[Tree]


@dataclass(frozen=True, slots=True)
class Policy:
    """How to choose between forms that are equal: the best choice depends on what is shared.

    Attributes
    ----------
    repeat
        A repeated factor as a diagonal matrix, by vectors of ones, or what is shorter by itself.
    pull
        Whether AᵀBᵀ may become (BA)ᵀ.
    """

    repeat: str = "shorter"
    pull: bool = True


POLICIES = tuple(Policy(r, p) for r in ("shorter", "ones", "diag") for p in (True, False))


class MatlabSpeller(Speller):
    """One expression being spelled in this notation."""

    table = SPELLING

    def __init__(self, root: Expr, policy: Policy) -> None:
        super().__init__(root)
        self.policy = policy

    def root(self, expr: Expr, /) -> Tree:
        """Return the tree of a whole expression."""
        tree = super().root(expr)
        # A 1×1 variable that stands alone would keep its shape.
        return call("sum", tree) if isinstance(expr, Item) and tree.kind == "name" else tree

    def repeated(self, scalar: Tree, expr: Expr, /) -> Tree:
        """Return s*ones(m, n)."""
        if expr.shape == (ONE, ONE):
            return scalar
        ones = ones_tree(expr.rows, expr.columns)
        return ones if scalar == number(1) else operator("*", scalar, ones)

    def total(self, terms: list[Expr], expr: Expr, /) -> Tree:
        """Return a sum."""
        return added(bare(self, term) for term in terms)

    def product(self, parts: Parts, expr: Expr, /) -> Tree:
        """Return a product without its sign."""
        above, below = self.line(parts)
        if not expr.shape:
            return over("/", above or number(1), below)
        if not (parts.full or parts.columns or parts.rows):
            return self.repeated(over("/", above or number(1), below), expr)
        if parts.full.below and not (parts.full.above or parts.columns or parts.rows):
            divisor = folded(".*", map(self.spell, parts.full.below))
            return over("./", over("/", above or number(1), below), divisor)
        chain = self.body(parts, expr)
        if above is None:
            return over("/", chained(chain), below)
        return chained([over("/", above, below), *chain])

    def body(self, parts: Parts, expr: Expr) -> Chain:
        """Return the matrix of a product, as factors of a matrix product."""
        if not (parts.columns or parts.rows):
            return self.factors(parts.full)
        if not parts.full and not parts.columns:
            return [ones_tree(expr.rows, ONE), *self.vector(parts.rows)]
        if not parts.full and not parts.rows:
            return [*self.vector(parts.columns), turned(ones_tree(expr.columns, ONE))]
        if not parts.full:
            return [*self.vector(parts.columns), *self.vector(parts.rows)]
        forms = {"ones": self.by_ones(parts, expr), "diag": self.by_diagonal(parts)}
        if self.policy.repeat in forms:
            return forms[self.policy.repeat]
        return min(forms.values(), key=lambda chain: count_nodes(chained(chain)))

    def by_ones(self, parts: Parts, expr: Expr) -> Chain:
        """Return A.*(c*ones(q)')./(ones(n)*r)."""
        column, row = turned(ones_tree(expr.columns, ONE)), ones_tree(expr.rows, ONE)
        lines: list[list[Tree]] = []
        for side in ("above", "below"):
            columns = folded(".*", map(self.spell, getattr(parts.columns, side)))
            rows = folded(".*", map(self.spell, getattr(parts.rows, side)))
            full = [self.spell(factor) for factor in getattr(parts.full, side)]
            full += [operator("*", columns, column)] if columns else []
            full += [operator("*", row, rows)] if rows else []
            lines.append(full)
        above, below = (folded(".*", line) for line in lines)
        return [over("./", above or number(1), below)]

    def by_diagonal(self, parts: Parts) -> Chain:
        """Return diag(c)*A*diag(r')."""
        chain = self.factors(parts.full)
        if parts.columns:
            chain = [call("diag", chained(self.vector(parts.columns))), *chain]
        if parts.rows:
            turned_rows = Fractional(
                [flipped(row) for row in parts.rows.above],
                [flipped(row) for row in parts.rows.below],
            )
            chain = [*chain, call("diag", chained(self.vector(turned_rows)))]
        return chain

    def vector(self, factors: Fractional) -> Chain:
        """Return an elementwise product of columns, or of rows."""
        if len(factors.above) == 1 and not factors.below:
            return self.in_line(factors.above[0])
        args = [*factors.above, *(Power(factor, -1) for factor in factors.below)]
        return [self.spell(Hadamard(*args) if len(args) > 1 else args[0])]

    def factors(self, full: Fractional) -> Chain:
        """Return A.*B./C; of one factor alone, its factors as a matrix product."""
        if len(full.above) == 1 and not full.below:
            return self.in_line(full.above[0])
        above = folded(".*", map(self.spell, full.above))
        return [over("./", above or number(1), folded(".*", map(self.spell, full.below)))]

    def in_line(self, expr: Expr) -> Chain:
        """Return the factors of a matrix product that is used here only."""
        if not self.opens(expr) or (isinstance(expr, MatMul) and self.pulled(expr)):
            return [self.spell(expr)]
        match expr:
            case MatMul():
                return self.grouped(expr)
            case RowSum(args=(arg,)):
                return [*self.in_line(arg), ones_tree(arg.columns, ONE)]
            case ColSum(args=(arg,)):
                return [turned(ones_tree(arg.rows, ONE)), *self.in_line(arg)]
        return [self.spell(expr)]

    def grouped(self, product: MatMul) -> Chain:
        """Return the factors, those that are a product elsewhere too as that product."""
        args, apart = self.flat(product)
        for length in range(len(args) - 1, 1, -1):
            for start in range(len(args) - length + 1):
                shared = MatMul.make(args[start : start + length])
                if shared in self.nodes and shared not in apart:
                    before, after = args[:start], args[start + length :]
                    return [*self.runs(before), self.spell(shared), *self.runs(after)]
        return self.runs(args)

    def runs(self, args: tuple[Expr, ...]) -> Chain:
        """Return factors one by one; AᵀBᵀ among them as (B*A)'."""
        chain: Chain = []
        for transposed, run in groupby(args, lambda arg: isinstance(arg, Transpose)):
            factors = list(run)
            if transposed and self.policy.pull and len(factors) > 1:
                chain.append(self.backwards(factors))
            else:
                chain += map(self.spell, factors)
        return chain

    def backwards(self, args: Sequence[Expr]) -> Tree:
        """Return ABC as (C'*B'*A')'."""
        return turned(chained([self.spell(flipped(arg)) for arg in reversed(args)]))

    def pulled(self, product: MatMul) -> Tree | None:
        """Return AᵀBᵀ as (B*A)', where that is shorter."""
        if not self.policy.pull or sum(isinstance(a, Transpose) for a in product.args) < 2:
            return None
        backwards = self.backwards(product.args)
        forwards = chained(self.grouped(product))
        return backwards if count_nodes(backwards) < count_nodes(forwards) else None


def chained(chain: Chain, /) -> Tree:
    """Return a matrix product."""
    first, *rest = chain
    return reduce(lambda a, b: operator("*", a, b), rest, first)


def over(sign: str, above: Tree, below: Tree | None, /) -> Tree:
    """Return a quotient, where there is a divisor."""
    return above if below is None else operator(sign, above, below)


def turned(tree: Tree, /) -> Tree:
    """Return a transpose."""
    return operator("'", tree)


def ones_tree(m: Dim, n: Dim, /) -> Tree:
    """Return ones(m), ones(n)' or ones(m, n)."""
    if m == ONE and n != ONE:
        return turned(call("ones", size_tree(n)))
    return call("ones", size_tree(m), *([size_tree(n)] if n != ONE else []))


CALLS: dict[type[Expr], str] = {
    **{Total: "sum", Trace: "tr", Det: "det", LogDet: "logdet", Norm1: "norm1", Norm2: "norm2"},
    **{Inverse: "inv", Diag: "diag", DiagVec: "diagvec", Kron: "kron", Vec: "vec"},
    **{Softmax: "softmax", LogSumExp: "logsumexp", Reshape: "reshape", Identity: "eye"},
    **{Commutation: "K", Duplication: "D", Rearrange: "rearrange", Assemble: "assemble"},
}


@SPELLING.rule(*CALLS)
def _(speller: MatlabSpeller, node: Expr) -> Tree:
    args = [*map(speller.spell, node.args), *map(size_tree, node.data)]
    return call(CALLS[type(node)], *args)


@SPELLING.rule(Apply)
def _(speller: MatlabSpeller, node: Apply) -> Tree:
    return call(node.name, speller.spell(node.args[0]))


@SPELLING.rule(MatMul)
def _(speller: MatlabSpeller, node: MatMul) -> Tree:
    return speller.pulled(node) or chained(speller.grouped(node))


@SPELLING.rule(RowSum, ColSum)
def _(speller: MatlabSpeller, node: Expr) -> Tree:
    (arg,) = node.args
    ones = ones_tree(arg.columns if isinstance(node, RowSum) else arg.rows, ONE)
    chain = speller.in_line(arg)
    return chained([*chain, ones] if isinstance(node, RowSum) else [turned(ones), *chain])


@SPELLING.rule(Transpose)
def _(speller: MatlabSpeller, node: Transpose) -> Tree:
    (arg,) = node.args
    if isinstance(arg, ColSum | RowSum) and speller.opens(arg):
        # (1'M)' is M'1, as one writes it.
        kind = RowSum if isinstance(arg, ColSum) else ColSum
        return speller.spell(kind(flipped(arg.args[0])))
    return turned(speller.spell(arg))


@SPELLING.rule(Power)
def _(speller: MatlabSpeller, node: Power) -> Tree:
    base, exponent = node.args
    if not isinstance(exponent, Number):
        power = speller.spell(exponent)
    elif exponent.value == HALF:
        return call("sqrt", speller.spell(base))
    elif exponent.value < 0:
        return product(speller, node)
    else:
        power = number_tree(exponent.value)
    return operator(".^" if node.shape else "^", speller.spell(base), power)


@SPELLING.rule(MatrixPower)
def _(speller: MatlabSpeller, node: MatrixPower) -> Tree:
    return operator("^", speller.spell(node.args[0]), number(node.power))


@SPELLING.rule(Item)
def _(speller: MatlabSpeller, node: Item) -> Tree:
    (arg,) = node.args
    return speller.spell(arg)


@SPELLING.rule(Ones)
def _(speller: MatlabSpeller, node: Ones) -> Tree:
    return ones_tree(node.rows, node.columns)


@SPELLING.rule(Zeros)
def _(speller: MatlabSpeller, node: Zeros) -> Tree:
    columns = [size_tree(node.columns)] if node.columns != ONE else []
    return call("zeros", size_tree(node.rows), *columns)


@SPELLING.rule(Centering)
def _(speller: MatlabSpeller, node: Centering) -> Tree:
    n = size_tree(node.rows)
    ones = call("ones", n)
    mean = operator("/", operator("*", ones, turned(ones)), n)
    return operator("-", call("eye", n), mean)
