"""Nodes as R source text, in ASCII, without losing a bit of any number.

Doubles are written as C99 hexadecimal literals, which R's parser reads exactly, subnormal
numbers included. A NaN is written as `NaN` or `NA_real_`: source text has no other payloads.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from matbackprop.rbridge.missing import NA_INTEGER, is_na
from matbackprop.rbridge.nodes import Node


def source_text(node: Node, /) -> str:
    r"""Write R source that evaluates to the value of `node`.

    Examples
    --------
    >>> import numpy as np
    >>> from matbackprop.rbridge.nodes import Node, character
    >>> source_text(Node("double", np.array([0.1, -0.0]), {"names": character(["a", "b"])}))
    'structure(c(0x1.999999999999ap-4,\n-0x0.0p+0), names = c("a",\n"b"))'
    """
    text = _payload(node)
    if not node.attributes:
        return text
    attributes = [f"{name} = {source_text(value)}" for name, value in node.attributes.items()]
    return f"structure({', '.join([text, *attributes])})"


def string_literal(text: str | None, /) -> str:
    """Write an R string in ASCII, whatever the locale of the R that will read it."""
    if text is None:
        return "NA_character_"
    return f'"{"".join(_character(c) for c in text)}"'


def _payload(node: Node) -> str:
    entries: Iterable[str]
    match node.kind:
        case "NULL":
            return "NULL"
        case "list":
            return f"list({_joined(source_text(item) for item in node.payload)})"
        case kind if not len(node.payload):
            return f"{kind}(0)"
        case "character":
            entries = map(string_literal, node.payload)
        case "double":
            entries = _doubles(node.payload)
        case "integer":
            entries = map(_integer, node.payload.tolist())
        case _:
            entries = map(_logical, node.payload.tolist())
    return f"c({_joined(entries)})"


def _integer(number: int) -> str:
    return "NA_integer_" if number == NA_INTEGER else f"{number}L"


def _logical(number: int) -> str:
    return "NA" if number == NA_INTEGER else "TRUE" if number else "FALSE"


def _doubles(values: NDArray[np.float64]) -> list[str]:
    texts = [value.hex() for value in values.tolist()]
    for i in np.flatnonzero(~np.isfinite(values)):
        if np.isnan(values[i]):
            texts[i] = "NA_real_" if is_na(values[i]) else "NaN"
        else:
            texts[i] = "Inf" if values[i] > 0 else "-Inf"
    return texts


def _joined(texts: Iterable[str]) -> str:
    # One entry a line: a line of text has no length that R's reader would have to allow for.
    return ",\n".join(texts)


def _character(c: str) -> str:
    if c in '"\\':
        return "\\" + c
    if " " <= c <= "~":
        return c
    # Control characters too: R refuses octal and Unicode escapes in one string.
    return f"\\u{ord(c):04x}" if ord(c) <= 0xFFFF else f"\\U{ord(c):08x}"
