"""Products of several factors: the pairs they share, brought together; nested ones, taken apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import combinations, pairwise

from matbackprop.symbolic.expressions.expression import Broadcast, Expr, Hadamard, MatMul, Sum


def flat(root: Expr, /) -> Expr:
    """Return the expression with A(BC) as one product ABC, and sums alike: one rule, one line."""
    done: dict[Expr, Expr] = {}
    for node in root.nodes():
        args: list[Expr] = []
        for arg in (done[arg] for arg in node.args):
            same_kind = isinstance(node, MatMul | Sum | Hadamard) and type(arg) is type(node)
            args += arg.args if same_kind else [arg]
        done[node] = node.with_args(tuple(args))
    return done[root]


def paired_up(root: Expr, /) -> Expr:
    """Return the expression with factors that several products share as a product of their own.

    Of A ⊙ B and A ⊙ B ⊙ C the second becomes (A ⊙ B) ⊙ C; of PQR and QRS they become P(QR) and
    (QR)S. The pair that most products share goes first.

    Examples
    --------
    >>> from matbackprop.symbolic.expressions.expression import Variable
    >>> from matbackprop.symbolic.expressions.graph import ONE
    >>> A, B, C = (Variable(name, (ONE * 3, ONE * 3)) for name in "ABC")
    >>> AB = Hadamard(A, B)
    >>> paired_up(AB @ Hadamard(A, C, B)) is AB @ Hadamard(C, AB)
    True
    """
    while (pair := _most_shared(root)) is not None:
        done: dict[Expr, Expr] = {}
        for node in root.nodes():
            args = tuple(
                done[arg] if arg in done else arg.with_args(tuple(done[part] for part in arg.args))
                for arg in _joined(node, pair)
            )
            done[node] = node.with_args(args)
        root = done[root]
    return root


def _most_shared(root: Expr) -> Expr | None:
    """Return the product of two factors that most products have; None if no two do."""
    shared: Counter[Expr] = Counter()
    longer: set[Expr] = set()
    found: dict[frozenset[Expr], Expr] = {}
    for node in root.nodes():
        pairs = {found.setdefault(key, pair) for key, pair in _pairs(node)}
        shared.update(pairs)
        longer |= pairs if len(node.args) > 2 else set()
    candidates = (pair for pair in shared if shared[pair] > 1 and pair in longer)
    return max(candidates, key=shared.__getitem__, default=None)


def _pairs(node: Expr) -> Iterator[tuple[frozenset[Expr], Expr]]:
    """Yield the products of two factors of a product; where they commute in either order."""
    if isinstance(node, MatMul):
        for a, b in pairwise(node.args):
            yield frozenset([MatMul(a, b)]), MatMul(a, b)
    elif isinstance(node, Hadamard) and not node.is_scalar:
        for a, b in combinations(node.args, 2):
            # Two repeated vectors are one: v1ᵀ ⊙ w1ᵀ is of v ⊙ w.
            if a is not b and not (isinstance(a, Broadcast) and isinstance(b, Broadcast)):
                yield frozenset([a, b]), Hadamard(a, b)


def _joined(node: Expr, pair: Expr) -> tuple[Expr, ...]:
    """Return the operands of a node, with the factors of the pair as one if it has both."""
    a, b = pair.args
    args = list(node.args)
    if type(node) is not type(pair):
        pass
    elif isinstance(pair, MatMul):
        places = (place for place, two in enumerate(pairwise(args)) if two == (a, b))
        if len(args) > 2 and (place := next(places, None)) is not None:
            args[place : place + 2] = [pair]
    elif a in args and b in args:
        args.remove(a)
        args.remove(b)
        args = [*args, pair] if args else [a, b]
    return tuple(args)
