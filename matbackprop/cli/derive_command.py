"""`matbackprop derive`: a derivative in matrix form, its derivation, its proof, its code."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from math import inf
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from matbackprop import symbolic
from matbackprop._validation import check_count, check_option
from matbackprop.cli.derive_guide import GUIDE
from matbackprop.cli.derive_text import brief_text
from matbackprop.cli.variables import Declarations
from matbackprop.cli.wording import said_in_options
from matbackprop.errors import DataError, OptionError
from matbackprop.reporting import Terminal, as_json, check_targets, write_text
from matbackprop.symbolic import Derivations
from matbackprop.symbolic.notations.reading import VOCABULARIES

DERIVATIVES: Mapping[str, Callable[..., Derivations]] = MappingProxyType(
    {
        "gradient": symbolic.derive,
        "jacobian": symbolic.jacobian,
        "hessian": symbolic.hessian,
    }
)
"""What --kind chooses from."""

EMIT: Mapping[str, Callable[[Derivations, int], str]] = MappingProxyType(
    {
        "text": brief_text,
        "steps": lambda found, width: _alone(found).to_text(width),
        "latex": lambda found, width: _alone(found).to_latex(),
        "numpy": lambda found, width: _alone(found).to_numpy(),
        "r": lambda found, width: _alone(found).to_r(),
        "myst": lambda found, width: _alone(found).to_myst(),
        "html": lambda found, width: _alone(found).to_html(),
        "json": lambda found, width: as_json(_alone(found).to_dict()),
    }
)
"""What --emit chooses from: texts of derivatives, for so many columns."""

_BY_ENDING = {
    **{".py": "numpy", ".r": "r", ".tex": "latex", ".md": "myst"},
    **{".html": "html", ".htm": "html", ".json": "json"},
}
_FILE_WIDTH = 88
_KINDS, _EMITS = ", ".join(DERIVATIVES), ", ".join(EMIT)


class MinusFirst(TyperCommand):
    """A command whose first argument may begin with a minus, as an expression may."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the command line; of short options there is only -o."""
        if args and re.match("-[^-o]", args[0]):
            args = [*args[1:], "--", args[0]]
        return super().parse_args(ctx, args)


def derive(
    expression: Annotated[
        str | None,
        typer.Argument(
            metavar="EXPR",
            help='What to differentiate; "-" reads it from standard input.',
            show_default=False,
        ),
    ] = None,
    wrt: Annotated[
        list[str] | None,
        typer.Option(metavar="X", help="With respect to what; several share their work: X,b."),
    ] = None,
    shape: Annotated[
        list[str] | None,
        typer.Option(
            metavar="X:n,p",
            help="The shape of each variable: X:n,p a matrix, b:p a column, lam a scalar.",
        ),
    ] = None,
    assume: Annotated[
        list[str] | None,
        typer.Option(
            metavar="S:spd", help="What is known: symmetric, diagonal, orthogonal, spd, or several."
        ),
    ] = None,
    domain: Annotated[
        list[str] | None,
        typer.Option(
            metavar="x:positive",
            help="Where check points are drawn: positive, unit, well, spd, binary, …; "
            "by default they are normal.",
        ),
    ] = None,
    notation: Annotated[
        str, typer.Option(help="matlab, that of matrixcalculus.org, or r, base R.")
    ] = "matlab",
    kind: Annotated[str, typer.Option(help=f"{_KINDS}.")] = "gradient",
    vech: Annotated[
        bool, typer.Option("--vech", help="Of a symmetric S, the gradient in vech(S).")
    ] = False,
    emit: Annotated[
        str | None,
        typer.Option(
            help=f"{_EMITS}. By default what the ending of FILE says, or text.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write there instead."),
    ] = None,
    points: Annotated[
        int, typer.Option(metavar="K", help="At how many random points it is checked.")
    ] = 3,
    tolerance: Annotated[
        float | None,
        typer.Option(
            help="The error allowed, relative to the largest entry; by default 1e-8, of a "
            "Hessian 1e-6.",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[int, typer.Option(metavar="S", help="Seed of the random points.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> int:
    """Derive a gradient in matrix form, show how, and check it numerically.

    Without arguments it shows the notation, and examples to copy.

    Exit status: 0 it is derived and checked, 2 it could not be.
    """
    if expression is None and not (wrt or shape):
        print(GUIDE, end="")
        return 0
    asked = _asked(emit, json=json, output=output)
    check_option(notation, VOCABULARIES, call="derive", name="notation")
    check_option(kind, DERIVATIVES, call="derive", name="kind")
    if vech and kind != "gradient":
        raise OptionError(f"`derive --vech` is of gradients; got --kind {kind}. Leave one out.")
    options: dict[str, Any] = {"vech": True} if vech else {}
    options["points"] = check_count(points, call="derive", name="points")
    options["seed"] = check_count(seed, call="derive", name="seed", at_least=0)
    if tolerance is not None:
        if not 0 < tolerance < inf:
            raise OptionError(
                f"`derive` needs a finite --tolerance > 0; got {tolerance}. "
                "Leave it out for the default."
            )
        options["tolerance"] = tolerance
    text = _text(expression)
    with said_in_options():
        source = _source(text, notation, Declarations.of(shape or (), assume or (), domain or ()))
        found = DERIVATIVES[kind](source, _names(wrt, source), notation=notation, **options)
        width = Terminal().width if output is None else _FILE_WIDTH
        said = EMIT[asked](found, width).rstrip("\n")
    if output is None:
        print(said)
        if sys.stdout.isatty() and emit is None and not json:
            Terminal().say("\nHow: --emit steps. Code: --emit numpy, --emit r.", style="dim")
    else:
        write_text(said + "\n", output)
        Terminal().say(f"wrote {output} ({asked})")
    return 0


def _asked(emit: str | None, *, json: bool, output: Path | None) -> str:
    """Return what is to be printed or written."""
    check_targets(output, call="derive --output FILE")
    if emit is None:
        ending = "" if output is None else output.suffix.lower()
        return "json" if json else _BY_ENDING.get(ending, "text")
    check_option(emit, EMIT, call="derive", name="emit")
    if json and emit != "json":
        raise OptionError(f"`derive` emits one thing; got --json and --emit {emit}. Leave one out.")
    return emit


def _text(expression: str | None) -> str:
    """Return the text to differentiate."""
    if expression is None or not expression.strip():
        raise OptionError('`derive` needs an expression: derive "norm2(X*b-y)^2" --wrt b …')
    if expression != "-":
        return expression
    try:
        return sys.stdin.buffer.read().decode("utf-8").strip()
    except UnicodeDecodeError as error:
        raise DataError(f"`derive -` reads UTF-8; standard input is not ({error}).") from error


def _source(text: str, notation: str, said: Declarations) -> symbolic.Expr:
    said.check_complete(text, notation)
    return symbolic.parse(
        text, notation=notation, shapes=said.shapes, assume=said.assume, domains=said.domains
    )


def _names(wrt: list[str] | None, source: symbolic.Expr) -> tuple[str, ...]:
    """Return the variables to derive with respect to."""
    names = re.split(r"[,;\s]+", ",".join(wrt or ()).strip(",; "))
    if names == [""]:
        known = ", ".join(source.variables()) or "none"
        raise OptionError(
            f"`derive` needs --wrt, a variable of the expression, which has {known}: "
            f"add --wrt {next(iter(source.variables()), 'X')}."
        )
    return tuple(names)


def _alone(found: Derivations) -> Any:
    """Return the derivation, if there is but one."""
    return next(iter(found.values())) if len(found) == 1 else found
