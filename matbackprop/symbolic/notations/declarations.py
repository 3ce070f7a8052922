"""What the names in a text stand for: their shapes, and what is known of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from matbackprop.errors import OptionError, ShapeError
from matbackprop.symbolic.dimension import Dim, DimLike, same
from matbackprop.symbolic.domains import DOMAINS, FLAGS
from matbackprop.symbolic.expression import Variable, shape_text
from matbackprop.symbolic.graph import ONE, Shape

ShapeLike: TypeAlias = "str | int | Sequence[DimLike]"
"""("n", "p"); ("n",), "n" or 6, a column; (), [] or "", a scalar; "n,p" as one writes it."""

IMPLIED = {"spd": ("symmetric",), "diagonal": ("symmetric",)}

_CALL = "parse(text, shapes=…)"


def declared(
    shapes: Mapping[str, ShapeLike],
    assume: Mapping[str, str | Sequence[str]],
    domains: Mapping[str, str],
    /,
) -> dict[str, Variable]:
    """Return the variables by name.

    Flags are completed (spd and diagonal matrices are symmetric). A variable without a domain
    is drawn as its flags say.

    Raises
    ------
    OptionError
        If a shape, a flag or a domain is none, or is said of a name without a shape.
    ShapeError
        If a flag, or a domain of that name, is said of a matrix that is not square.

    Examples
    --------
    >>> declared({"S": ("p", "p")}, {"S": "spd"}, {})["S"].flags
    ('spd', 'symmetric')
    """
    for option, given in (("assume", assume), ("domains", domains)):
        unknown = [name for name in given if name not in shapes]
        if unknown:
            raise OptionError(
                f"`{_CALL}` got {option} for {', '.join(unknown)}, which has no shape; "
                f"shapes has {', '.join(shapes) or 'none'}."
            )
    variables: dict[str, Variable] = {}
    for name, given_shape in shapes.items():
        shape = shape_of(given_shape, name)
        flags = _flags(name, assume.get(name, ()))
        domain = domains.get(name, next((f for f in reversed(FLAGS) if f in flags), "normal"))
        _check_option(name, "domain", domain, DOMAINS)
        for word in (*flags, domain):
            square = same(*shape) if shape else word == "spd"  # of a scalar it says positive
            if word in FLAGS and not square:
                raise ShapeError(
                    f"`{_CALL}` was told that {name} is {word}, which a square matrix can be; "
                    f"its shape is {shape_text(shape)}."
                )
        variables[name] = Variable(name, shape, flags, domain)
    return variables


def shape_of(given: ShapeLike, name: str, /) -> Shape:
    """Return the shape that was meant."""
    parts: list[DimLike]
    if isinstance(given, str):
        parts = list(given.split(",")) if given.strip() else []
    else:
        parts = [given] if isinstance(given, int) else list(given)
    if len(parts) > 2:
        raise OptionError(
            f"`{_CALL}` takes matrices; {name} was given {len(parts)} dimensions, {given!r}. "
            'Write ("n", "p"), ("n", 1) for a column, () for a scalar.'
        )
    dims = [Dim.of(part.strip() if isinstance(part, str) else part) for part in parts]
    if any(dim.value is not None and dim.value < 1 for dim in dims):
        raise OptionError(f"`{_CALL}` needs dimensions of at least 1; {name} has {given!r}.")
    if not dims:
        return ()
    return (dims[0], dims[1] if len(dims) == 2 else ONE)


def _flags(name: str, given: str | Sequence[str]) -> tuple[str, ...]:
    flags = {given} if isinstance(given, str) else set(given)
    for flag in flags:
        _check_option(name, "assumption", flag, FLAGS)
    return tuple(sorted(flags.union(*(IMPLIED.get(flag, ()) for flag in flags))))


def _check_option(name: str, kind: str, word: str, words: Iterable[str]) -> None:
    if word not in words:
        raise OptionError(
            f"`{_CALL}` knows no {kind} {word!r}, given for {name}; there are {', '.join(words)}."
        )
