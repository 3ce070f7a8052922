"""The parts of one function of the text: its statements, and what it returns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from matbackprop.errors import OptionError
from matbackprop.symbolic.emission.identifiers import Identifiers
from matbackprop.symbolic.emission.printer import Helper, Printer, Rules, statement
from matbackprop.symbolic.emission.program import Output, Program, leaves
from matbackprop.symbolic.emission.sizes import Place, Sizes
from matbackprop.symbolic.expressions.expression import Expr, Variable, shape_text
from matbackprop.symbolic.expressions.nodes import Named


@dataclass(frozen=True, slots=True)
class Language:
    """What tells the languages apart in the making of a function."""

    rules: Rules
    helpers: Mapping[str, Helper]
    reserved: frozenset[str]
    ascii_only: bool
    assign: str
    indent: int
    place: Callable[[str, Place], str]
    divides: str


class Signature:
    """What the functions of one text share: arguments, sizes, and the names of these."""

    def __init__(
        self,
        language: Language,
        call: str,
        functions: Mapping[str, Output],
        arguments: Sequence[Variable],
    ) -> None:
        _check(call, language, functions, arguments)
        self.language = language
        self.programs = {name: Program(leaves(output)) for name, output in functions.items()}
        self.sizes = Sizes(arguments, self.programs.values())
        self.variables = arguments
        self._identifiers = Identifiers(
            language.reserved | language.helpers.keys(), ascii_only=language.ascii_only
        )
        names = [variable.name for variable in arguments]
        symbols = [*self.sizes.given, *(s for s in self.sizes.shown if s not in self.sizes.given)]
        self.arguments = self._identifiers.take_all(names)
        self.size_names = {symbol: self._identifiers.take(symbol) for symbol in symbols}

    @property
    def parameters(self) -> list[str]:
        """The names of the parameters, in order."""
        given = (self.size_names[symbol] for symbol in self.sizes.given)
        return [*self.arguments.values(), *given]

    def printer(self, name: str, /) -> tuple[Printer, list[str]]:
        """Return the printer for one function, and the lines of its statements."""
        language, program = self.language, self.programs[name]
        write = Printer(
            language.rules,
            self.arguments,
            self.sizes,
            self.size_names,
            language.place,
            language.divides,
        )
        identifiers = self._identifiers.copy()
        named = {n: n.name for n in program.statements if isinstance(n, Named)}
        # What bears a name and is used without it too is computed under that name.
        preferred = {n.args[0]: called for n, called in named.items()} | named
        lines: list[str] = []
        for node in program.statements:
            if isinstance(node, Named) and node.args[0] in write.names:
                write.names[node] = write.names[node.args[0]]
                continue
            text, _ = write.spelled(node)
            wish = preferred.get(node)
            write.names[node] = identifiers.take(wish) if wish else identifiers.fresh()
            start = f"{write.names[node]} {language.assign} "
            lines += statement(start, text, language.indent, language.indent)
        return write, lines

    def preface(self, write: Printer, /) -> Iterator[tuple[Variable, dict[int, str]]]:
        """Yield the arguments that show sizes a function uses: the names of rows and columns."""
        found: dict[Variable, dict[int, str]] = {}
        for symbol in write.used_sizes:
            if symbol in self.sizes.shown and symbol not in self.sizes.given:
                variable, axis = self.sizes.shown[symbol]
                found.setdefault(variable, {})[axis] = self.size_names[symbol]
        yield from sorted(found.items(), key=lambda item: self.variables.index(item[0]))

    def helpers(self, writers: Iterable[Printer], /) -> list[Helper]:
        """Return the helpers that are called, those that others need before them."""
        table = self.language.helpers
        called = {name for write in writers for name in write.used_helpers}
        needed = called | {need for name in called for need in table[name].needs}
        return [helper for name, helper in table.items() if name in needed]


ORIGIN = "Written by matbackprop: each common subexpression is computed once."

_SUMMARIES = {
    "value": "Return the value{}.",
    "gradient": "Return the gradient{}.",
    "jacobian": "Return the Jacobian{}, with columns stacked.",
    "hessian": "Return the Hessian{}, with columns stacked.",
}


def summary(name: str, title: str, /) -> str:
    """Return the first line of a function's documentation."""
    line = _SUMMARIES.get(name, f"Return {name.replace('_', ' ')}{{}}.")
    return line.replace("{}", f" of {' '.join(title.split())}" if title.strip() else "")


def returns(output: Output, container: str, matrix: str, /) -> list[str]:
    """Describe what a function returns."""
    if isinstance(output, Expr):
        return [shape_words(output, matrix)]
    return [f"{container} of", *(f"    {line}" for line in _named_shapes(output, matrix))]


def _named_shapes(outputs: Mapping[str, Output], matrix: str) -> Iterator[str]:
    for name, output in outputs.items():
        if isinstance(output, Expr):
            yield f"{name} : {shape_words(output, matrix)}"
        else:
            yield f"{name} :"
            yield from (f"    {line}" for line in _named_shapes(output, matrix))


def shape_words(node: Expr, matrix: str, /) -> str:
    """Describe a value for a docstring."""
    if node.is_scalar:
        return "number"
    return f"{matrix}, {shape_text(node.shape)}".replace("·", "*").replace("×", " x ")


def _check(
    call: str,
    language: Language,
    functions: Mapping[str, Output],
    arguments: Sequence[Variable],
) -> None:
    if not functions or not all(leaves(output) for output in functions.values()):
        raise OptionError(
            f"`{call}(functions, arguments=...)` needs at least one function, with an output each; "
            f'got {dict(functions)!r}. Pass {{"value": L}}.'
        )
    for name in functions:
        taken = name in language.reserved or name in language.helpers
        if taken or not name.isascii() or not name.isidentifier() or name.startswith("_"):
            raise OptionError(
                f"`{call}(functions, arguments=...)` needs names for new functions; got {name!r}. "
                "Use letters, digits and underscores, and no name that the code itself uses."
            )
    given = {variable.name for variable in arguments}
    used = {
        n: v for out in functions.values() for e in leaves(out) for n, v in e.variables().items()
    }
    missing = [name for name in used if name not in given]
    if missing or len(given) < len(arguments):
        raise OptionError(
            f"`{call}(functions, arguments=...)` needs each variable once among the arguments; got "
            f"{', '.join(variable.name for variable in arguments) or 'none'}"
            + (f", without {', '.join(missing)}" if missing else "")
            + ". Pass `arguments=list(L.variables().values())` of the expression L."
        )
