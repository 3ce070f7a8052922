"""What the names in a text stand for: their shapes, and what is known of them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from numbers import Integral
from typing import Any, TypeAlias

from matbackprop.errors import OptionError, ShapeError
from matbackprop.symbolic.certification.domains import DOMAINS, FLAGS
from matbackprop.symbolic.expressions.dimension import Dim, DimLike, same
from matbackprop.symbolic.expressions.expression import Variable, shape_text
from matbackprop.symbolic.expressions.graph import ONE, Shape
from matbackprop.symbolic.notations.grammar import MATLAB, R

ShapeLike: TypeAlias = "str | int | Sequence[DimLike]"
"""("n", "p"); ("n",), "n" or 6, a column; (), [] or "", a scalar; "n,p" as one writes it."""

IMPLIED = {"spd": ("symmetric",), "diagonal": ("symmetric",)}

_NAME = re.compile(f"(?:{MATLAB.name})|(?:{R.name})")
_EXAMPLE = 'Write ("n", "p") for a matrix, ("n", 1) for a column, () for a scalar.'


def declared(
    shapes: Mapping[str, ShapeLike],
    assume: Mapping[str, str | Sequence[str]],
    domains: Mapping[str, str],
    /,
    *,
    call: str = "parse(text, shapes=…)",
) -> dict[str, Variable]:
    """Return the variables by name.

    Flags are completed (spd and diagonal matrices are symmetric). A variable without a domain
    is drawn as its flags say. `call` is how errors name the caller.

    Raises
    ------
    OptionError
        If a name, a shape, a flag or a domain is none, or is said of a name without a shape; or
        if a variable has the name of a size.
    ShapeError
        If a flag, or a domain of that name, is said of a matrix that is not square.

    Examples
    --------
    >>> declared({"S": ("p", "p")}, {"S": "spd"}, {})["S"].flags
    ('spd', 'symmetric')
    """
    _check_mapping(shapes, call, "shapes", '{"X": ("n", "p"), "b": ("p", 1)}')
    for option, given, example in (
        ("assume", assume, '{"S": "spd"}'),
        ("domains", domains, '{"x": "positive"}'),
    ):
        _check_mapping(given, call, option, example)
        unknown = [name for name in given if name not in shapes]
        if unknown:
            raise OptionError(
                f"`{call}` got {option} for {', '.join(map(str, unknown))}, which has no shape; "
                f"shapes has {', '.join(map(str, shapes)) or 'none'}."
            )
    variables: dict[str, Variable] = {}
    for name, given_shape in shapes.items():
        check_name(name, call)
        shape = shape_of(given_shape, name, call)
        flags = _flags(name, assume.get(name, ()), call)
        domain = domains.get(name, next((f for f in reversed(FLAGS) if f in flags), "normal"))
        _check_word(name, "domain", domain, DOMAINS, call)
        for word in (*flags, domain):
            square = same(*shape) if shape else word == "spd"  # of a scalar it says positive
            if word in FLAGS and not square:
                raise ShapeError(
                    f"`{call}` was told that {name} is {word}, which a square matrix can be; "
                    f"its shape is {shape_text(shape)}."
                )
        variables[name] = Variable(name, shape, flags, domain)
    _check_sizes(variables, call)
    return variables


def check_name(name: object, call: str, /) -> None:
    """Raise `OptionError` unless a text could have this name."""
    fits = isinstance(name, str) and _NAME.fullmatch(name)
    if not fits or unicodedata.normalize("NFKC", str(name)) != name:
        raise OptionError(
            f"`{call}` needs a name that begins with a letter and goes on with letters, digits "
            f'and underscores, such as "X" or "beta_1"; got {name!r}.'
        )


def shape_of(given: ShapeLike, name: str, call: str, /) -> Shape:
    """Return the shape that was meant."""
    parts: list[DimLike]
    if isinstance(given, str):
        parts = list(given.split(",")) if given.strip() else []
    elif isinstance(given, Integral):
        parts = [int(given)]
    elif isinstance(given, Sequence):
        parts = [int(part) if isinstance(part, Integral) else part for part in given]
    else:
        raise OptionError(f"`{call}` needs a shape of {name}; got {given!r}. {_EXAMPLE}")
    if len(parts) > 2:
        raise OptionError(
            f"`{call}` takes matrices; {name} was given {len(parts)} dimensions, {given!r}. "
            f"{_EXAMPLE}"
        )
    try:
        dims = [Dim.of(part.strip() if isinstance(part, str) else part) for part in parts]
    except OptionError as error:
        raise OptionError(f"`{call}` cannot read the shape of {name}, {given!r}. {error}") from None
    if any(dim.value is not None and dim.value < 1 for dim in dims):
        raise OptionError(f"`{call}` needs dimensions of at least 1; {name} has {given!r}.")
    if not dims:
        return ()
    return (dims[0], dims[1] if len(dims) == 2 else ONE)


def _check_mapping(given: object, call: str, option: str, example: str) -> None:
    if not isinstance(given, Mapping):
        raise OptionError(
            f"`{call}` needs {option} as a dict by the names of variables, such as {example}; "
            f"got {given!r}."
        )


def _check_sizes(variables: Mapping[str, Variable], call: str) -> None:
    for owner, variable in variables.items():
        for name in sorted(variables.keys() & {s for dim in variable.shape for s in dim.symbols}):
            raise OptionError(
                f"`{call}` got {name} both as a variable and as a size of {owner}. In a text a "
                "size is a number already, without a shape of its own; otherwise choose another "
                "name for one of them."
            )


def _flags(name: str, given: Any, call: str) -> tuple[str, ...]:
    single = isinstance(given, str) or not isinstance(given, Collection)
    words = (given,) if single else tuple(given)
    for word in words:
        _check_word(name, "assumption", word, FLAGS, call)
    return tuple(sorted(set(words).union(*(IMPLIED.get(word, ()) for word in words))))


def _check_word(name: str, kind: str, word: object, words: Iterable[str], call: str) -> None:
    if word not in tuple(words):
        raise OptionError(
            f"`{call}` knows no {kind} {word!r}, given for {name}; there are {', '.join(words)}."
        )
