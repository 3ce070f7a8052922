"""Random points at which expressions are defined, and the values of their nodes there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from matbackprop._typing import Array
from matbackprop.errors import DataError, MatBackpropError, OptionError
from matbackprop.symbolic.certification.domains import draw
from matbackprop.symbolic.certification.plain_text import plain
from matbackprop.symbolic.certification.sizes import size_choices
from matbackprop.symbolic.expressions.bindings import Bindings
from matbackprop.symbolic.expressions.expression import Expr, Variable
from matbackprop.symbolic.expressions.nodes import Inverse
from matbackprop.symbolic.expressions.tables import VALUE
from matbackprop.symbolic.expressions.values import sizes as sizes_of

T = TypeVar("T")

TRIES = 50
WORST_CONDITION = 1e6
NOT_FINITE = "is not a number"
SINGULAR = "does not exist or is all but singular"
NOT_SMOOTH = "has no finite derivative"
ADVISED = ("positive", "unit", "well", "spd")


class DomainError(MatBackpropError, ValueError):
    """An expression, or its derivative, is undefined wherever its variables are drawn."""


class UndefinedError(MatBackpropError, ArithmeticError):
    """A node has no usable value at a point; `fault` says what is wrong with it."""

    def __init__(self, node: Expr, fault: str, /) -> None:
        super().__init__(f"{plain(node)} {fault} at this point: draw another.")
        self.node, self.fault = node, fault


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """Numbers for the variables and the sizes, and what each node is there.

    With `bits`, random numbers, each evaluation changes the last bits of all that depends on a
    variable, as another order of the same operations might.
    """

    given: Bindings
    values: Mapping[Expr, Any]
    bits: np.random.Generator | None = None

    def array(self, X: Variable, /) -> Array:
        """Return the value of a variable."""
        value: Array = self.given.arrays[X.name]
        return value

    def size(self, node: Expr, /) -> int:
        """Return the number of entries of a node."""
        return int(np.prod(sizes_of(node, self.given), dtype=int))

    def after(self, moving: Iterable[Expr], X: Variable, value: Array, /) -> dict[Expr, Any]:
        """Return the values with X changed; `moving` are the nodes that depend on it."""
        given = Bindings({**self.given.arrays, X.name: value}, self.given.sizes)
        values = dict(self.values)
        with np.errstate(all="ignore"):
            for node in moving:
                value = VALUE[type(node)](node, [values[a] for a in node.args], given)
                values[node] = value if self.bits is None else _rounded(value, self.bits)
        return values


class Sample:
    """Points to examine expressions at.

    A point will do if every node of `sources` is finite there, and nothing inverted, in `sources`
    or in `results`, is nearly singular. A result may be NaN: that is for its examiner to see.

    Parameters
    ----------
    sources
        Expressions that must be defined.
    results
        Others to evaluate.
    variables
        Variables to draw even if none of these has them.
    seed
        Of the random numbers.
    """

    def __init__(
        self,
        sources: Iterable[Expr],
        results: Iterable[Expr] = (),
        variables: Iterable[Variable] = (),
        *,
        seed: int = 0,
    ) -> None:
        self.sources = tuple(sources)
        self.nodes = tuple(dict.fromkeys(node for root in self.sources for node in root.nodes()))
        known = {*self.nodes}
        others = dict.fromkeys(node for root in results for node in root.nodes())
        self.others = tuple(node for node in others if node not in known)
        leaves = dict.fromkeys((*self.nodes, *self.others, *variables))
        self.variables = tuple(node for node in leaves if isinstance(node, Variable))
        self.seed = seed

    def points(self, count: int, measure: Callable[[Point], T], /) -> list[tuple[Point, T]]:
        """Return that many points, of the same sizes, each with what `measure` finds there.

        Where it raises DataError, LinAlgError or UndefinedError the point is drawn again.

        Raises
        ------
        DomainError
            If for neither choice of the sizes 50 draws, a point wanted, yield enough. It names
            the first node at fault and, if one helps, a domain for a variable in it.
        """
        refusals = []
        for sizes in size_choices((*self.nodes, *self.others, *self.variables)):
            rng = np.random.default_rng(self.seed)
            culprits: Counter[tuple[Expr, str]] = Counter()
            found: list[tuple[Point, T]] = []
            while len(found) < count and culprits.total() < TRIES * (1 + len(found)):
                try:
                    point = self._drawn(rng, sizes, {})
                    found.append((point, measure(point)))
                except UndefinedError as error:
                    culprits[error.node, error.fault] += 1
                except (DataError, np.linalg.LinAlgError):
                    culprits[self.sources[0], NOT_SMOOTH] += 1
            if len(found) == count:
                return found
            ((culprit, fault), _), *_ = culprits.most_common(1)
            share = f"{'nearly all' if found else 'any'} of {culprits.total()}"
            refusals.append((culprit, f"{fault} at {share} points drawn", sizes))
        raise self._refusal(*refusals[0], measure)

    def _drawn(
        self, rng: np.random.Generator, sizes: Mapping[str, int], domains: Mapping[str, str]
    ) -> Point:
        empty = Bindings({}, sizes)
        arrays = {}
        for variable in self.variables:
            name, shape, flags, domain = variable.data
            drawn_as = Variable(name, shape, flags, domains.get(name, domain))
            arrays[name] = draw(drawn_as, sizes_of(variable, empty), rng)
        return self._at(arrays, sizes)

    def nearby(self, point: Point, count: int, /) -> Iterator[Point]:
        """Yield this point with other last bits in all its numbers: what rounding may do."""
        bits = np.random.default_rng((self.seed, 2))
        for _ in range(count):
            arrays = {X.name: _rounded(point.array(X), bits) for X in self.variables}
            yield self._at(arrays, point.given.sizes, bits)

    def scaled(self, point: Point, X: Variable, factors: Iterable[float], /) -> Iterator[Point]:
        """Yield points with X closer to 0, where they are defined; an orthogonal X stays."""
        if "orthogonal" in X.flags:
            return
        for factor in factors:
            with suppress(UndefinedError):
                arrays = {**point.given.arrays, X.name: factor * point.array(X)}
                yield self._at(arrays, point.given.sizes)

    def _at(
        self,
        arrays: Mapping[str, Array],
        sizes: Mapping[str, int],
        bits: np.random.Generator | None = None,
    ) -> Point:
        given = Bindings(arrays, sizes)
        values: dict[Expr, Any] = {leaf: arrays[leaf.name] for leaf in self.variables}
        moving = {*values}
        with np.errstate(all="ignore"):
            for node in self.nodes:
                values[node] = checked_value(node, values, given)
                # Each, because a NaN may vanish on the way, as in relu(log(x)).
                if not np.isfinite(values[node]).all():
                    raise UndefinedError(node, NOT_FINITE)
                if any(arg in moving for arg in node.args):
                    moving.add(node)
                    if bits is not None:
                        values[node] = _rounded(values[node], bits)
            for node in self.others:
                values[node] = checked_value(node, values, given)
                # Only what varies, lest a whole exponent be whole no more.
                if bits is not None and any(arg in moving for arg in node.args):
                    moving.add(node)
                    values[node] = _rounded(values[node], bits)
        return Point(given, values, bits)

    def _refusal(
        self,
        culprit: Expr,
        fault: str,
        sizes: Mapping[str, int],
        measure: Callable[[Point], object],
    ) -> DomainError:
        where = ", ".join(f"{name}={size}" for name, size in sizes.items())
        message = f"{plain(culprit)} {fault}"
        message += f" (with {where})" if where else ""
        variables = list(culprit.variables().values())
        for chosen in [*([v] for v in variables), *([variables] if variables[1:] else [])]:
            for domain in ADVISED:
                domains = {variable.name: domain for variable in chosen}
                if self._works(domains, sizes, measure):
                    names = " and ".join(domains)
                    options = " ".join(f"--domain {name}:{domain}" for name in domains)
                    needs = "needs a domain" if len(chosen) == 1 else "need domains"
                    return DomainError(
                        f"{message}: {names} {needs}, e.g. domains={domains} or {options}."
                    )
        if isinstance(culprit, Inverse) and culprit not in self.nodes:
            advice = (
                "The source itself is defined, but the formula of its derivative inverts "
                f"{plain(culprit.args[0])}, which must be invertible for it."
            )
        else:
            advice = "Check that it is defined at all."
        return DomainError(
            f"{message}, and none of the domains {', '.join(ADVISED)} for "
            f"{', '.join(v.name for v in variables) or 'its variables'} mends that. {advice}"
        )

    def _works(
        self,
        domains: Mapping[str, str],
        sizes: Mapping[str, int],
        measure: Callable[[Point], object],
    ) -> bool:
        rng = np.random.default_rng(self.seed)
        for _ in range(3):
            try:
                measure(self._drawn(rng, sizes, domains))
            except UndefinedError as error:
                # Another variable may need a domain too; that is for the next message.
                if domains.keys() & error.node.variables().keys():
                    return False
            except (DataError, OptionError, np.linalg.LinAlgError):
                return False
            except MatBackpropError:
                continue  # the point is good; what was examined there is not
        return True


def _rounded(value: Any, bits: np.random.Generator) -> Any:
    return value * (1 + np.finfo(float).eps * bits.integers(-1, 2, np.shape(value)))


def checked_value(node: Expr, values: Mapping[Expr, Any], given: Bindings, /) -> Any:
    """Return the value of a node over those of its operands.

    Raises
    ------
    UndefinedError
        If it inverts a matrix whose condition number exceeds 1e6.
    """
    try:
        if isinstance(node, Inverse) and np.linalg.cond(values[node.args[0]]) > WORST_CONDITION:
            raise UndefinedError(node, SINGULAR)
        return VALUE[type(node)](node, [values[arg] for arg in node.args], given)
    except np.linalg.LinAlgError:
        raise UndefinedError(node, SINGULAR) from None
