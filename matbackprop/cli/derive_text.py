"""A derivative in few lines: what was given, what came out, how it was checked."""

from __future__ import annotations

import textwrap

from matbackprop.symbolic import Derivations
from matbackprop.symbolic.derivations.accounting import derivative
from matbackprop.symbolic.expressions.expression import Expr
from matbackprop.symbolic.expressions.nodes import Named
from matbackprop.symbolic.notations import write
from matbackprop.symbolic.notations.reading import VOCABULARIES
from matbackprop.symbolic.writing import to_unicode
from matbackprop.symbolic.writing.layout import symbols_of

_MARGIN = "  "


def brief_text(derivations: Derivations, width: int, /) -> str:
    """Return source and results in the notation of the source, and the certificates.

    Formulas are never broken, for they may be copied; sentences end at `width`.
    """
    first, *_ = derivations.values()
    source = _named(first.source, "FYH" if first.kind == "jacobian" else "LRf")
    sign = VOCABULARIES[first.notation].grammar.assign[0]
    given = [
        f"{node.name} {sign} {write(node.args[0], first.notation)}"
        for node in source.nodes()
        if isinstance(node, Named)
    ]
    symbols = symbols_of(source, *(one.wrt for one in derivations.values()))
    results = []
    for one in derivations.values():
        left = derivative(source, one.wrt, one.kind, symbols[one.wrt.name])
        results.append(f"{to_unicode(left)} = {write(one.result, one.notation)}")
    lines = [_MARGIN + line for line in given]
    for result in results:
        lines += ["", _MARGIN + result]
    lines.append("")
    for one in derivations.values():
        proof = str(one.certificate)
        proof = (
            proof[:1].upper() + proof[1:] if len(derivations) == 1 else f"{one.wrt.name}: {proof}"
        )
        lines += textwrap.wrap(proof, width)
    return "\n".join(lines)


def _named(source: Expr, letters: str) -> Expr:
    """Return the source under its own name, or under a letter that nothing in it has."""
    if isinstance(source, Named):
        return source
    taken = {node.name for node in source.nodes() if isinstance(node, Named)}
    for variable in source.variables().values():
        taken.update({variable.name}, *(dim.symbols for dim in variable.shape))
    return Named(next((x for x in letters if x not in taken), letters[0]), source)
