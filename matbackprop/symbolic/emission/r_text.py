"""`to_r`: the text of base-R functions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping

from matbackprop.symbolic.emission.function_parts import (
    ORIGIN,
    Language,
    Signature,
    shape_words,
    summary,
)
from matbackprop.symbolic.emission.numpy_text import is_column
from matbackprop.symbolic.emission.printer import GLUE, WIDTH, Printer, statement
from matbackprop.symbolic.emission.program import Output, Program
from matbackprop.symbolic.emission.r_functions import R_HELPERS
from matbackprop.symbolic.emission.r_rules import R, multiplies_sizes
from matbackprop.symbolic.emission.sizes import Place
from matbackprop.symbolic.expressions.expression import Expr, Variable
from matbackprop.symbolic.expressions.graph import ONE

_WORDS = (
    *("if", "else", "repeat", "while", "function", "for", "next", "break", "in"),
    *("TRUE", "FALSE", "T", "F", "NULL", "Inf", "NaN", "pi"),
    *("NA", "NA_integer_", "NA_real_", "NA_complex_", "NA_character_"),
)
_CALLED = (
    *("abs", "acos", "aperm", "apply", "array", "asin", "atan", "c", "colMeans", "colSums"),
    *("cos", "cosh", "crossprod", "det", "determinant", "diag", "digamma", "dnorm", "drop"),
    *("exp", "kronecker", "lgamma", "list", "log", "log1p", "matrix", "max", "mean", "ncol"),
    *(
        "is.matrix",
        "nrow",
        "outer",
        "pmax",
        "plogis",
        "pnorm",
        "rbind",
        "rep",
        "rowMeans",
        "rowSums",
    ),
    *("seq_len", "sign", "sin", "sinh", "solve", "sqrt", "stopifnot", "sum", "t", "tan", "tanh"),
    *("as.matrix", "as.numeric", "dim", "lower.tri", "tcrossprod", "trigamma"),
)
_RESERVED = frozenset({*_WORDS, *_CALLED})


def _place(name: str, place: Place) -> str:
    return f"{('nrow', 'ncol')[place[1]]}({name})"


_R = Language(R, R_HELPERS, _RESERVED, True, "<-", 2, _place, "/")


def to_r(functions: Mapping[str, Output], *, arguments: Iterable[Variable], title: str = "") -> str:
    """Return R source text that computes expressions with base R.

    Parameters
    ----------
    functions
        What each function returns, by its name: an expression, or several by name, which come
        back in a named list and share what they have in common.
    arguments
        The variables, in the order in which every function takes them. Sizes that no matrix shows
        follow them.
    title
        The formula, for the roxygen comments.

    Raises
    ------
    OptionError
        If there is no function, a name cannot be called, or a variable is no argument.
    MissingRuleError
        If R code is unknown for a kind of node.

    Examples
    --------
    >>> from matbackprop.symbolic.expressions.dimension import Dim
    >>> from matbackprop.symbolic.expressions.expression import MatMul, Variable
    >>> X = Variable("X", (Dim.of("n"), Dim.of("p")))
    >>> print(to_r({"gram": MatMul(X.T, X)}, arguments=[X], title="t(X) %*% X"))
    #' Return gram of `t(X) %*% X`.
    #'
    #' Written by matbackprop: each common subexpression is computed once.
    #'
    #' @md
    #' @param X matrix, n x p
    #' @return matrix, p x p
    gram <- function(X) {
      stopifnot(is.matrix(X))
      crossprod(X)
    }
    """
    signature = Signature(_R, "to_r", functions, tuple(arguments))
    blocks: list[list[str]] = []
    writers: list[Printer] = []
    for name, output in functions.items():
        write, statements = signature.printer(name)
        program = signature.programs[name]
        returned = _returned(output, program, write)
        blocks.append(
            [
                *_comment(name, output, signature, title),
                f"{name} <- function({', '.join(signature.parameters)}) {{",
                *_coercions(signature),
                *_sizes(signature, write, program),
                *statements,
                *returned,
                "}",
            ]
        )
        writers.append(write)
    texts = [helper.text.strip() for helper in signature.helpers(writers)]
    return "\n\n".join([*texts, *("\n".join(block) for block in blocks)]) + "\n"


def _coercions(signature: Signature) -> list[str]:
    lines = []
    for variable in signature.variables:
        name = signature.arguments[variable.name]
        if is_column(variable):
            lines.append(f"  {name} <- as.matrix({name})")
        elif variable.shape and variable.rows == ONE:
            lines.append(f"  {name} <- rbind({name}, deparse.level = 0)")
    return lines


def _sizes(signature: Signature, write: Printer, program: Program) -> list[str]:
    """Return the lines that read the sizes that are used, and check the shapes."""
    tests = [test for matrix in signature.variables for test in _tests(matrix, signature, write)]
    wide = any(map(multiplies_sizes, program.nodes))
    lines = []
    for variable, names in signature.preface(write):
        for axis, name in sorted(names.items()):
            text = _place(signature.arguments[variable.name], (variable, axis))
            lines.append(f"  {name} <- {f'as.numeric({text})' if wide else text}")
    if tests:
        lines += _calls("stopifnot", [test.replace(GLUE, " ") for test in tests])
    return lines


def _calls(name: str, operands: list[str]) -> list[str]:
    line = f"  {name}({', '.join(operands)})"
    if len(line) <= WIDTH:
        return [line]
    return [f"  {name}(", *(f"    {text}," for text in operands[:-1]), f"    {operands[-1]}", "  )"]


def _tests(variable: Variable, signature: Signature, write: Printer) -> list[str]:
    """Return what must be true of an argument: a matrix, and of the sizes others show."""
    if not variable.shape:
        return []
    name = signature.arguments[variable.name]
    tests = [] if ONE in variable.shape else [f"is.matrix({name})"]
    sizes = signature.sizes
    wanted = {}
    for axis, dim in enumerate(variable.shape):
        first = sizes.whole[dim] == (variable, axis) and (sizes.shows(dim) or not sizes.has(dim))
        if not (first and dim.symbols) and sizes.knows(dim):
            wanted[axis] = write.size(dim)[0]
    if len(wanted) == 2:
        return [*tests, f"dim({name}) == c({wanted[0]}, {wanted[1]})"]
    alone = (f"{_place(name, (variable, axis))} == {text}" for axis, text in wanted.items())
    return [*tests, *alone]


def _returned(output: Output, program: Program, write: Printer) -> list[str]:
    if isinstance(output, Expr):
        return statement("", write(program.roots[output]), 2, 2)
    return ["  list(", *_entries(output, program, write, 4), "  )"]


def _entries(
    outputs: Mapping[str, Output], program: Program, write: Printer, indent: int
) -> list[str]:
    lines = []
    for i, (name, output) in enumerate(outputs.items(), start=1):
        end = "," if i < len(outputs) else ""
        key = f"{_key(name)} = "
        if isinstance(output, Expr):
            lines += statement(key, write(program.roots[output]), indent, 2, end=end)
        else:
            margin = " " * indent
            lines += [f"{margin}{key}list(", *_entries(output, program, write, indent + 2)]
            lines.append(f"{margin}){end}")
    return lines


def _key(name: str) -> str:
    """Return the name of an entry of a list, in ASCII, which R reads in any locale."""
    if not name.isascii():
        return json.dumps(name)
    plain = re.fullmatch(r"[A-Za-z][A-Za-z0-9._]*", name) and name not in _WORDS
    escaped = name.replace("\\", "\\\\").replace("`", "\\`")
    return name if plain else f"`{escaped}`"


def _comment(name: str, output: Output, signature: Signature, title: str) -> list[str]:
    quoted = f"`{title.replace('`', '')}`" if title.strip() else ""
    lines = [summary(name, quoted), "", ORIGIN, "", "@md"]
    for variable in signature.variables:
        also = " (or a vector)" if is_column(variable) else ""
        lines.append(
            f"@param {signature.arguments[variable.name]} {shape_words(variable, 'matrix')}{also}"
        )
    lines += [f"@param {signature.size_names[s]} number, a size" for s in signature.sizes.given]
    if isinstance(output, Expr):
        lines.append(f"@return {shape_words(output, 'matrix')}")
    else:
        lines += ["@return A list:", *_items(output, "")]
    return [f"#' {line}".rstrip() for line in lines]


def _items(outputs: Mapping[str, Output], margin: str) -> Iterator[str]:
    """Yield the lines of a list in Markdown."""
    for name, output in outputs.items():
        start = f"{margin}* `{name.replace('`', '')}`"
        if isinstance(output, Expr):
            yield f"{start}: {shape_words(output, 'matrix')}"
        else:
            yield f"{start}:"
            yield from _items(output, f"{margin}  ")
