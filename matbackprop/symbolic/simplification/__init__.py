"""Simplification: a normal form, and then the smallest of a few ways to write it.

The normal forms (one a kind of node, in the table `NORMAL_FORM`) flatten, sort, collect and cancel;
they never multiply out. Then sums are made smaller by common factors, and products by turning a
transpose, each step only where the text becomes shorter. `simplify` repeats this until nothing
changes, and is therefore idempotent; sorted operands make it indifferent to their order.
"""

from matbackprop.symbolic.simplification import (  # noqa: F401 - importing enters the rules
    elementwise,
    kronecker,
    products,
    reductions,
    square,
    sums,
)
from matbackprop.symbolic.simplification.compact import simplify

__all__ = ["simplify"]
