"""What `answer` of driver.R tells, turned into a value, a Python error, or warnings."""

import warnings
from collections.abc import Mapping
from typing import Any

from matbackprop.errors import RCallError
from matbackprop.rbridge.conversion import from_node
from matbackprop.rbridge.engine import RWarning
from matbackprop.rbridge.nodes import Node


def read_answer(told: Node, call: str, /) -> Any:
    """Return the value in an answer, after passing on R's warnings.

    Raises
    ------
    RCallError
        If R stopped, or the value has no lossless form in Python.
    KeyboardInterrupt
        If Ctrl-C reached R.
    """
    parts = dict(zip(told.strings("names") or (), told.payload, strict=True))
    if parts["interrupted"].payload[0]:
        raise KeyboardInterrupt
    for message in parts["warnings"].payload:
        # Level 3: the line that called `Backend.call`.
        warnings.warn(RWarning(f"R warned in `{call}`: {message}"), stacklevel=3)
    if parts["error"].payload:
        message, *where = parts["error"].payload
        place = f" (R's call: {where[0]})" if where else ""
        raise RCallError(f"`{call}` stopped in R: {message}{place}")
    try:
        return from_node(parts["value"].payload[0])
    except RCallError as error:
        raise RCallError(f"`{call}` ran, but: {error}") from None


def call_text(function: str, arguments: Mapping[str, Any], /) -> str:
    """Write a call for messages, with shapes in place of numbers.

    Examples
    --------
    >>> import numpy as np
    >>> call_text("f", {"X": np.ones((2, 3)), "loss": "sse"})
    "f(X=<ndarray (2, 3)>, loss='sse')"
    """
    return f"{function}({', '.join(f'{k}={_short(v)}' for k, v in arguments.items())})"


def _short(value: Any) -> str:
    if hasattr(value, "shape"):
        return f"<{type(value).__name__} {value.shape}>"
    shown = repr(value)
    return shown if len(shown) <= 40 else f"<{type(value).__name__}>"
