"""A derivative with its proofs, the printed one and the numerical one, and code to run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any, Protocol, TypeAlias

from matbackprop._validation import check_option
from matbackprop.symbolic.certification.certificate import Certificate
from matbackprop.symbolic.derivations.accounting import account_of, result_lines
from matbackprop.symbolic.derivations.backward import gradient_steps, vech_gradient_steps
from matbackprop.symbolic.derivations.board import Step
from matbackprop.symbolic.derivations.forward import hessian_steps, hvp_steps, jacobian_steps
from matbackprop.symbolic.emission import Output, to_numpy, to_r
from matbackprop.symbolic.expressions.expression import Expr, Variable
from matbackprop.symbolic.notations import write
from matbackprop.symbolic.writing import to_latex, to_unicode
from matbackprop.symbolic.writing.definitions import by_name
from matbackprop.symbolic.writing.layout import form_of
from matbackprop.symbolic.writing.markdown import aligned, markdown_page
from matbackprop.symbolic.writing.page import html_page
from matbackprop.symbolic.writing.terminal import terminal_page
from matbackprop.symbolic.writing.wording import sentence

Steps: TypeAlias = Callable[[Expr, Variable, Expr], tuple[Step, ...]]

STEPS: Mapping[str, Steps] = MappingProxyType(
    {
        "gradient": gradient_steps,
        "vech gradient": vech_gradient_steps,
        "jacobian": jacobian_steps,
        "hessian": hessian_steps,
        "hvp": hvp_steps,
    }
)
"""How each kind of derivative is derived on the board: steps(source, variable, result)."""


@dataclass(frozen=True)
class Derivation:
    """A derivative, and what proves it.

    Attributes
    ----------
    source
        What was differentiated.
    wrt
        With respect to what.
    kind
        "gradient", "vech gradient", "jacobian", "hessian" or "hvp".
    result
        The derivative.
    certificate
        How it was checked against numerical derivatives.
    notation
        The text notation of the source: "matlab" or "r".
    """

    source: Expr
    wrt: Variable
    kind: str
    result: Expr
    certificate: Certificate
    notation: str = "matlab"

    def __post_init__(self) -> None:
        check_option(self.kind, STEPS, call="Derivation", name="kind")

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """The printed proof, from what is given to the result.

        Each line is checked numerically, as a linear form in dX, when the steps are first asked.

        Raises
        ------
        StepError
            If a line is wrong.
        """
        return STEPS[self.kind](self.source, self.wrt, self.result)

    def to_latex(self) -> str:
        r"""Return the result as an equation in LaTeX, with amsmath.

        Large parts that occur twice, and named intermediates, follow "where", in ``aligned``.
        """
        return aligned(result_lines(self.source, self.wrt, self.kind, self.result))

    def to_unicode(self) -> str:
        """Return the result as an equation on one line of Unicode, without definitions."""
        (first, *_) = result_lines(self.source, self.wrt, self.kind, self.result)
        return f"{to_unicode(first.left)} = {to_unicode(first.right)}"

    def to_myst(self) -> str:
        """Return the whole derivation as MyST Markdown, formulas between dollars."""
        return markdown_page(account_of(self))

    def to_text(self, width: int = 88) -> str:
        """Return the whole derivation for a terminal of that width."""
        return terminal_page(account_of(self), width)

    def to_html(self) -> str:
        """Return the whole derivation as a page that needs nothing from elsewhere."""
        return html_page([account_of(self)])

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data, for JSON."""
        result = form_of(by_name(self.result, self.source), self.steps[0].symbols)
        return {
            "kind": self.kind,
            "wrt": self.wrt.name,
            "notation": self.notation,
            "expression": write(self.source, self.notation, definitions=True),
            "result": {
                "matlab": write(self.result, "matlab", definitions=True),
                "r": write(self.result, "r", definitions=True),
                "latex": self.to_latex(),
                "unicode": to_unicode(result),
            },
            "steps": [
                {
                    "rule": step.rule,
                    "stage": None if step.stage is None else to_unicode(step.stage),
                    "text": str(step),
                    "latex": f"{to_latex(step.left)} = {to_latex(step.right)}",
                    "error": step.error,
                }
                for step in self.steps
            ],
            "certificate": self.certificate.to_dict(),
        }

    def to_numpy(self) -> str:
        """Return Python functions, the value and the derivative, that need NumPy alone.

        They take the variables in order of first appearance, then the sizes that none shows.
        """
        return _code(to_numpy, [self], self.result)

    def to_r(self) -> str:
        """Return R functions, the value and the derivative, that need base R alone."""
        return _code(to_r, [self], self.result)

    def __str__(self) -> str:
        return self.to_text()

    def __repr__(self) -> str:
        return f"<{self.kind}: {self.to_unicode()}>"

    def _repr_latex_(self) -> str:
        return f"$$\n{self.to_latex()}\n$$"

    def _repr_markdown_(self) -> str:
        return f"{self._repr_latex_()}\n\n{sentence(str(self.certificate))}."


class Derivations(dict[str, Derivation]):
    """Derivatives of one source with respect to several variables, by name."""

    def to_latex(self) -> str:
        """Return the results as equations in LaTeX, one below the other."""
        return "\n\n".join(one.to_latex() for one in self.values())

    def to_myst(self) -> str:
        """Return the derivations as MyST Markdown, one after the other."""
        return "\n".join(one.to_myst() for one in self.values())

    def to_text(self, width: int = 88) -> str:
        """Return the derivations for a terminal of that width."""
        return "\n".join(one.to_text(width) for one in self.values())

    def to_html(self) -> str:
        """Return the derivations as one page that needs nothing from elsewhere."""
        return html_page(map(account_of, self.values()))

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data, for JSON, by the names of the variables."""
        return {name: one.to_dict() for name, one in self.items()}

    def to_numpy(self) -> str:
        """Return Python functions: the value, and all derivatives in a dict, sharing their work."""
        return _code(to_numpy, self.values(), {name: one.result for name, one in self.items()})

    def to_r(self) -> str:
        """Return R functions: the value, and all derivatives in a list, sharing their work."""
        return _code(to_r, self.values(), {name: one.result for name, one in self.items()})

    def __str__(self) -> str:
        return self.to_text()

    def _repr_markdown_(self) -> str:
        return "\n\n".join(one._repr_markdown_() for one in self.values())


class _Emit(Protocol):
    def __call__(
        self, functions: Mapping[str, Output], *, arguments: Iterable[Variable], title: str = ""
    ) -> str: ...


def _code(emit: _Emit, derivations: Iterable[Derivation], output: Output) -> str:
    """Return the program of the value and the derivatives, which have one source."""
    derivations = list(derivations)
    first = derivations[0]
    # The direction of a Hessian-vector product is in the result alone.
    roots = [first.source, *(one.result for one in derivations)]
    arguments = {name: v for root in roots for name, v in root.variables().items()}
    return emit(
        {"value": first.source, first.kind.split()[-1]: output},
        arguments=list(arguments.values()),
        title=write(first.source, first.notation, definitions=True).replace("\n", "; "),
    )
