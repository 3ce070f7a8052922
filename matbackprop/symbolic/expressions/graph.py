"""The graph beneath the expressions: each node exists once, knows its shape, is swept once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeAlias, cast
from weakref import WeakValueDictionary

from matbackprop.symbolic.expressions.bindings import bind
from matbackprop.symbolic.expressions.dimension import Dim
from matbackprop.symbolic.expressions.tables import VALUE

if TYPE_CHECKING:
    from matbackprop.symbolic.expressions.expression import Expr, Variable

Shape: TypeAlias = tuple[Dim, Dim] | tuple[()]
"""Rows and columns of a matrix; a scalar, which is a kind of its own, has none."""

ONE = Dim.of(1)


class Node:
    """A node: its operands `args`, what else tells it apart `data`, and its `shape`.

    Equal nodes are the same object (hash-consing): equality is identity, a common subexpression
    exists once, and a sweep over the graph visits it once.
    """

    __slots__ = ("__weakref__", "args", "data", "digest", "height", "shape")

    args: tuple[Expr, ...]
    data: tuple[Any, ...]
    shape: Shape
    digest: bytes
    height: int

    is_variable: ClassVar[bool] = False
    _known: ClassVar[WeakValueDictionary[Any, Any]] = WeakValueDictionary()

    @classmethod
    def make(cls, args: tuple[Expr, ...], data: tuple[Any, ...] = ()) -> Self:
        """Return the one node of this kind with these operands, after checking their shapes."""
        key = (cls, data, args)
        found = Node._known.get(key)
        if found is None:
            found = object.__new__(cls)
            found.shape = cls.shape_of(args, data)
            found.args, found.data = args, data
            found.height = 1 + max((arg.height for arg in args), default=-1)
            # Independent of the order in which nodes were made, so that sorting by it repeats.
            text = f"{cls.__name__}{data}".encode() + b"".join(arg.digest for arg in args)
            found.digest = blake2b(text, digest_size=12).digest()
            Node._known[key] = found
        return found

    @staticmethod
    def shape_of(args: tuple[Expr, ...], data: tuple[Any, ...]) -> Shape:
        """Return the shape of such a node, or raise ShapeError."""
        raise NotImplementedError

    def with_args(self, args: tuple[Expr, ...]) -> Expr:
        """Return this node over other operands."""
        node = self if args == self.args else type(self).make(args, self.data)
        return cast("Expr", node)

    @property
    def is_scalar(self) -> bool:
        """Whether it is a number, not a matrix."""
        return not self.shape

    @property
    def rows(self) -> Dim:
        """How many rows; 1 for a scalar."""
        return self.shape[0] if self.shape else ONE

    @property
    def columns(self) -> Dim:
        """How many columns; 1 for a scalar."""
        return self.shape[1] if self.shape else ONE

    def nodes(self) -> Iterator[Expr]:
        """Yield every node below and this one, each once, operands before what uses them."""
        seen: set[Node] = set()
        stack: list[tuple[Expr, bool]] = [(cast("Expr", self), False)]
        while stack:
            node, entered = stack.pop()
            if entered:
                yield node
            elif node not in seen:
                seen.add(node)
                stack.append((node, True))
                stack.extend((arg, False) for arg in reversed(node.args))

    def evaluate(self, values: Mapping[str, Any], /) -> Any:
        """Return the value in NumPy, computing each common subexpression once.

        Parameters
        ----------
        values
            A matrix for each variable, with column vectors of shape (n, 1), a number for each
            scalar. Sizes such as n are read off the matrices; give those that none shows.

        Raises
        ------
        OptionError
            If a variable or a size has no value.
        ShapeError
            If a matrix has not the shape its variable was given.

        Examples
        --------
        >>> from matbackprop.symbolic import parse
        >>> L = parse("x'*x", shapes={"x": ("n", 1)})
        >>> float(L.evaluate({"x": [[3.0], [4.0]]}))
        25.0
        """
        given = bind(self.variables(), values)
        done: dict[Node, Any] = {}
        for node in self.nodes():
            done[node] = VALUE[type(node)](node, [done[arg] for arg in node.args], given)
        return done[self]

    def variables(self) -> dict[str, Variable]:
        """Return the variables in it, by name, in order of first appearance."""
        found = cast("list[Variable]", [node for node in self.nodes() if node.is_variable])
        return {variable.name: variable for variable in found}
