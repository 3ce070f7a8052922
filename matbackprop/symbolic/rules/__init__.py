"""The rules of differentiation: for each kind of node three, side by side.

The differential is what a derivation writes, d(AB) = dA·B + A·dB; the pullback carries the
gradient ∂L/∂(node) = G back to an operand; the Jacobian is ∂vec(node)/∂vec(operand)ᵀ, where a
scalar counts as 1×1. vec stacks columns. Importing this package enters them in the tables.
"""

from matbackprop.symbolic.rules import (  # noqa: F401 - importing enters the rules
    arithmetic,
    elementwise,
    kronecker,
    leaves,
    rowwise,
    square,
    structure,
    sums,
)
from matbackprop.symbolic.rules.names import MOVE_NAMES, RULE_NAMES, move_name, rule_name

__all__ = ["MOVE_NAMES", "RULE_NAMES", "move_name", "rule_name"]
