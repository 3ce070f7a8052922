"""Matrix derivatives with known answers: what to differentiate, its value in NumPy, the ideal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from matbackprop.symbolic import Expr, parse
from matbackprop.symbolic.certification.certificate import Kind
from matbackprop.symbolic.expressions.expression import Variable

CASE_FILE = Path(__file__).with_name("matrix_calculus.json")
"""The sixty cases; the file explains its own notation."""


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A derivative to find.

    Attributes
    ----------
    id, category
        Its name, and what it is an example of.
    kind
        "gradient", "jacobian" or "hessian".
    expression, wrt
        What to differentiate, in the matlab notation, and with respect to what.
    shapes, assume, domains
        Of the variables, as `matbackprop.symbolic.parse` takes them.
    sizes
        The numbers to check with, by the name of the size.
    numpy
        The text of a Python function of the variables in order: the value of the expression.
    ideal
        The derivative as a careful author writes it, where there is such a form.
    note
        Anything else.
    """

    id: str
    category: str
    kind: Kind
    expression: str
    wrt: str
    shapes: Mapping[str, tuple[str | int, ...]]
    assume: Mapping[str, tuple[str, ...]]
    domains: Mapping[str, str]
    sizes: Mapping[str, int]
    numpy: str
    ideal: str | None
    note: str

    def source(self) -> Expr:
        """Return the expression, as it is written."""
        return parse(self.expression, shapes=self.shapes, assume=self.assume, domains=self.domains)

    def variable(self) -> Variable:
        """Return the variable to differentiate with respect to."""
        return self.source().variables()[self.wrt]


def read_cases(path: Path = CASE_FILE, /) -> tuple[Case, ...]:
    """Return the cases of a file, by default the sixty that come with the package.

    Examples
    --------
    >>> cases = read_cases()
    >>> len(cases), cases[0].expression, cases[0].ideal
    (60, "tr(X'*A*X)", "(A+A')*X")
    """
    file = json.loads(path.read_text(encoding="utf-8"))
    sizes = MappingProxyType(file["dims"])
    return tuple(_case(entry, sizes) for entry in file["cases"])


def _case(entry: Mapping[str, Any], sizes: Mapping[str, int]) -> Case:
    # "gradient_symmetric" is the gradient with respect to a symmetric variable.
    kind, _, flag = entry["kind"].partition("_")
    assume = {name: tuple(flags) for name, flags in entry.get("assume", {}).items()}
    if flag:
        assume.setdefault(entry["wrt"], (flag,))
    return Case(
        **{key: entry[key] for key in ("id", "category", "expression", "wrt", "numpy")},
        **{key: entry[key] for key in ("ideal", "note")},
        kind=kind,
        shapes=MappingProxyType({name: tuple(shape) for name, shape in entry["vars"].items()}),
        assume=MappingProxyType(assume),
        domains=MappingProxyType(dict(entry["domains"])),
        sizes=sizes,
    )
