"""What the library says in Python, said in the options of the command line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from matbackprop.errors import MatBackpropError

_SPELLINGS = (
    (r'`parse\(text, notation="(\w+)"\)`', r"`derive --notation \1`"),
    (r"`parse\(text, shapes=…\)`", "`derive --shape … --assume … --domain …`"),
    (r"is `jacobian\(F, wrt\)`", "is `--kind jacobian`"),
    (r"`derive\(L, wrt(, vech=True)?\)`", lambda found: f"`derive{' --vech' * bool(found[1])}`"),
    (r"`(jacobian|hessian)\([LF], wrt\)`", r"`derive --kind \1`"),
    (r"`total\(F\)`", "`sum(…)`"),
    (r'`assume=\{"(\w+)": "(\w+)"\}` where it is made', r"`--assume \1:\2`"),
    (r"domains=\{[^}]*\} or (?=--domain)", ""),
    (r"got (assume|domain)s? for", r"got --\1 for"),
    (r"\bshapes has\b", "--shape has"),
    (
        r'Write \("n", "p"\) for a matrix, \("n", 1\) for a column, \(\) for a scalar',
        "Write --shape X:n,p for a matrix, --shape b:p for a column, --shape lam for a scalar",
    ),
)
"""Patterns in messages, and what to write instead."""


@contextmanager
def said_in_options() -> Iterator[None]:
    """Let the remedy in an error be one that can be typed here."""
    try:
        yield
    except MatBackpropError as error:
        message = str(error)
        for pattern, instead in _SPELLINGS:
            message = re.sub(pattern, instead, message)
        raise MatBackpropError(message) from error
