"""The lines of a derivation, as on a board: each names its rule, and is checked when written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count

from matbackprop.errors import MatBackpropError
from matbackprop.symbolic.certification.certificate import linear_form_error
from matbackprop.symbolic.expressions.expression import Expr, Variable
from matbackprop.symbolic.expressions.graph import ONE
from matbackprop.symbolic.expressions.nodes import Named
from matbackprop.symbolic.writing.definitions import by_name
from matbackprop.symbolic.writing.forms import Call, Form, Symbol
from matbackprop.symbolic.writing.layout import form_of, symbols_of
from matbackprop.symbolic.writing.names import Symbols, symbol
from matbackprop.symbolic.writing.unicode import to_unicode
from matbackprop.symbolic.writing.wording import Wording, listed

TOLERANCE = 1e-9
"""The largest error of a line, as a linear form in dX, against what it is derived from."""


class StepError(MatBackpropError, ArithmeticError):
    """A step of a derivation that its numerical check refutes."""


@dataclass(frozen=True, slots=True)
class Step:
    """A line on the board.

    Attributes
    ----------
    rule
        Why it is so: the rules or moves that lead here from the line before. It may be a
        `Wording`, whose formulas are still forms.
    left, form
        What is written: left = form.
    stage
        The named part whose gradient this line gives, if it gives one.
    error
        The largest relative error of the line as a linear form in dX; 0 of what is given.
    symbols
        How the names of the derivation are written, no two alike.
    """

    rule: str
    left: Form
    form: Expr
    stage: Form | None = None
    error: float = 0.0
    symbols: Symbols = field(default_factory=Symbols, repr=False, compare=False)

    @property
    def right(self) -> Form:
        """What `form` looks like, with the symbols of the derivation."""
        return form_of(self.form, self.symbols)

    def __str__(self) -> str:
        return f"{to_unicode(self.left)} = {to_unicode(self.right)}"


class Board:
    """The lines so far, about one source and one variable.

    `pending` holds the names of rules too small for a line of their own, until the next line.
    `symbols` says how names are written; a board that goes on from another shares its.
    """

    def __init__(
        self,
        source: Expr,
        X: Variable,
        name: Form,
        given: str = "what is given",
        symbols: Symbols | None = None,
    ) -> None:
        self.source, self.X, self.name = source, X, name
        self.symbols = symbols_of(source, X) if symbols is None else symbols
        self.steps: list[Step] = [Step(given, name, source, symbols=self.symbols)]
        self.pending: list[str] = []
        self._taken = {*source.variables(), to_unicode(name)}
        self._taken |= {node.name for node in source.nodes() if isinstance(node, Named)}

    def new_name(self, letters: str) -> str:
        """Return a name that nothing has: the first letter not yet in use, numbered."""
        letter = next((one for one in letters if one not in self._taken), letters[0])
        name = next(f"{letter}{i}" for i in count(1) if f"{letter}{i}" not in self._taken)
        self._taken.add(name)
        return name

    def write(
        self,
        rules: Sequence[str],
        left: Form,
        form: Expr,
        checked: Expr,
        *,
        source: Expr | None = None,
        stage: Form | None = None,
    ) -> None:
        """Write a line if it reads otherwise than the last, after checking it.

        Parameters
        ----------
        rules
            The names of what leads here.
        left, form
            The line.
        checked, source
            The linear form in dX that it says d(source) is; the source is that of the board.
        stage
            The named part whose gradient this is.

        Raises
        ------
        StepError
            If it is not.
        """
        form = by_name(form, self.source)
        last = self.steps[-1]
        if (last.left, last.right) == (left, form_of(form, self.symbols)):
            return
        rule = listed(dict.fromkeys([*self.pending, *rules])) or "in these names"
        self.pending.clear()
        error = linear_form_error(self.source if source is None else source, checked, self.X)
        step = Step(rule, left, form, stage, error, self.symbols)
        if not error <= TOLERANCE:  # so that NaN is refused
            raise StepError(
                f"The step `{step}` ({rule}) is wrong: as a linear form in d{self.X.name} it is "
                f"off by {error:.1e} (allowed {TOLERANCE:.0e}) from d{to_unicode(self.name)}. "
                "One of these rules is wrong, or the function has a kink where it was drawn; "
                "another domain for its variables tells which."
            )
        self.steps.append(step)


def same_letters(a: Expr, b: Expr, /) -> bool:
    """Whether two expressions are written with the same signs, perhaps in another order."""
    return sorted(to_unicode(a)) == sorted(to_unicode(b))


def free_name(expr: Expr, letters: str, /) -> Form:
    """Return what to call an expression: its own name, or a letter that nothing in it has."""
    if isinstance(expr, Named):
        return symbol(expr.name)
    taken = {*expr.variables(), *(node.name for node in expr.nodes() if isinstance(node, Named))}
    return Symbol(next((letter for letter in letters if letter not in taken), letters[0]))


def vec_of(form: Form, expr: Expr, /) -> Form:
    """Return vec of what an expression is called; a column or a scalar is its own."""
    matrix = not expr.is_scalar and expr.columns != ONE
    return Call(r"\operatorname{vec}", form) if matrix else form


def tidied(X: Variable, x: Form, /) -> str:
    """Return the name of the step to the final form of a gradient in X, written x."""
    for flag, part in _PARTS.items():
        if flag in X.flags:
            return Wording(f"simplified; {part}, since ", x, f" is {flag}")
    return "simplified"


_PARTS = {
    "diagonal": "the diagonal",
    "symmetric": "the symmetric part",
    "orthogonal": "the part in the tangent space",
}
