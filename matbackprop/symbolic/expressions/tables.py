"""Nodes are closed, operations open: one table an operation, one rule a kind of node.

A kind without a rule raises; nothing ever defaults to zero, or to a placeholder.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from matbackprop.errors import MatBackpropError

if TYPE_CHECKING:
    from matbackprop.symbolic.expressions.expression import Expr

R = TypeVar("R", bound=Callable[..., Any])


class MissingRuleError(MatBackpropError, NotImplementedError):
    """An operation has no rule for a kind of node."""


class RuleTable(Generic[R]):
    """The rules of one operation, by kind of node.

    Examples
    --------
    >>> from matbackprop.symbolic.expressions.expression import Number
    >>> table = RuleTable("sign")
    >>> @table.rule(Number)
    ... def _(node):
    ...     return node.value > 0
    >>> table[Number](Number(2))
    True
    """

    def __init__(self, operation: str, /) -> None:
        self.operation = operation
        self._rules: dict[type[Expr], R] = {}

    def rule(self, *kinds: type[Expr]) -> Callable[[R], R]:
        """Enter the decorated function as the rule of these kinds."""

        def enter(function: R) -> R:
            for kind in kinds:
                self._rules[kind] = function
            return function

        return enter

    def __getitem__(self, kind: type[Expr]) -> R:
        try:
            return self._rules[kind]
        except KeyError:
            raise MissingRuleError(
                f"There is no {self.operation} of a `{kind.__name__}` node. "
                f"Enter one with `@table.rule({kind.__name__})`."
            ) from None

    def __contains__(self, kind: object) -> bool:
        return kind in self._rules

    def __iter__(self) -> Iterator[type[Expr]]:
        return iter(self._rules)


VALUE: RuleTable[Callable[..., Any]] = RuleTable("numerical value")
"""value(node, operands, size): the NumPy array, or number; `size` turns a dimension to one."""

NORMAL_FORM: RuleTable[Callable[..., Any]] = RuleTable("normal form")
"""normal_form(args, data): the simplified node of this kind over simplified operands."""

DIFFERENTIAL: RuleTable[Callable[..., Any]] = RuleTable("differential")
"""differential(node, *dargs): d(node), linear in the differentials of its operands (or None)."""

PULLBACK: RuleTable[Callable[..., Any]] = RuleTable("pullback")
"""pullback(node, G, i): what ∂L/∂(node) = G adds to the gradient of operand i."""

JACOBIAN: RuleTable[Callable[..., Any]] = RuleTable("Jacobian")
"""jacobian(node, i): ∂vec(node)/∂vec(operand i)ᵀ."""

TEXT: dict[str, Callable[[Expr], str]] = {}
"""text(expr), by notation. `notations` enters them, so that `str` of an expression is its text."""
