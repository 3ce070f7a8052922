"""How numbers read: short for people, exact for machines."""

import json
import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

TONES: Mapping[str, str] = MappingProxyType(
    {
        "match": "good",
        "MISMATCH": "bad",
        "holds": "good",
        "holds only if": "mixed",
        "fails": "bad",
        "UNDECIDED": "bad",
    }
)
"""What a verdict means to the eye."""


def readable(value: object, /) -> str:
    """Return a cell as text; floats to three digits.

    Examples
    --------
    >>> readable(1.23456e-16), readable(0.0), readable("tanh"), readable(12)
    ('1.23e-16', '0', 'tanh', '12')
    """
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def as_json(payload: Any, /) -> str:
    """Return JSON that any parser reads back bit for bit; what is not finite becomes a text.

    Examples
    --------
    >>> print(as_json({"max_abs": float("inf")}))
    {
      "max_abs": "inf"
    }
    """
    return json.dumps(_finite(payload), indent=2, allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
