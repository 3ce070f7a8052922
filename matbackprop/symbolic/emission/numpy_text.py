"""`to_numpy`: the text of NumPy functions."""

from __future__ import annotations

import builtins
import json
import keyword
from collections.abc import Iterable, Mapping

from matbackprop.symbolic.emission.function_parts import (
    ORIGIN,
    Language,
    Signature,
    returns,
    shape_words,
    summary,
)
from matbackprop.symbolic.emission.numpy_functions import NUMPY_HELPERS
from matbackprop.symbolic.emission.numpy_rules import NUMPY
from matbackprop.symbolic.emission.printer import ATOM, GLUE, Printer, statement
from matbackprop.symbolic.emission.program import Output, Program
from matbackprop.symbolic.emission.sizes import Place
from matbackprop.symbolic.expressions.dimension import Dim
from matbackprop.symbolic.expressions.expression import Broadcast, Expr, Transpose, Variable
from matbackprop.symbolic.expressions.graph import ONE
from matbackprop.symbolic.expressions.nodes import DiagVec, Named, Reshape, Vec

_RESERVED = frozenset({*keyword.kwlist, *keyword.softkwlist, *dir(builtins), "np", "special"})


def _place(name: str, place: Place) -> str:
    return f"{name}.shape[{place[1]}]"


_PYTHON = Language(NUMPY, NUMPY_HELPERS, _RESERVED, False, "=", 4, _place, "//")


def to_numpy(
    functions: Mapping[str, Output],
    *,
    arguments: Iterable[Variable],
    title: str = "",
) -> str:
    """Return Python source text that computes expressions with NumPy.

    Parameters
    ----------
    functions
        What each function returns, by its name: an expression, or several by name, which come
        back in a dict and share what they have in common.
    arguments
        The variables, in the order in which every function takes them. Sizes that no matrix shows
        follow them.
    title
        The formula, for the docstrings.

    Raises
    ------
    OptionError
        If there is no function, a name cannot be called, or a variable is no argument.
    MissingRuleError
        If NumPy code is unknown for a kind of node.

    Examples
    --------
    >>> from matbackprop.symbolic.expressions.dimension import Dim
    >>> from matbackprop.symbolic.expressions.expression import MatMul, Variable
    >>> X = Variable("X", (Dim.of("n"), Dim.of("p")))
    >>> text = to_numpy({"gram": MatMul(X.T, X)}, arguments=[X], title="X'X")
    >>> print(text.splitlines()[-1])
        return X.T @ X
    """
    given = tuple(arguments)
    signature = Signature(_PYTHON, "to_numpy", functions, given)
    blocks: list[list[str]] = []
    writers: list[Printer] = []
    for name, output in functions.items():
        write, statements = signature.printer(name)
        returned = _returned(output, signature.programs[name], write)
        blocks.append(
            [
                f"def {name}({', '.join(signature.parameters)}):",
                *_docstring(name, output, signature, title),
                *_arguments(signature, write),
                *statements,
                *returned,
            ]
        )
        writers.append(write)
    helpers = signature.helpers(writers)
    imports = ["import numpy as np"]
    if any(helper.scipy for helper in helpers):
        imports.append("from scipy import special")
    texts = ["\n".join(imports), *(helper.text.strip() for helper in helpers)]
    return "\n\n\n".join([*texts, *("\n".join(block) for block in blocks)]) + "\n"


def _arguments(signature: Signature, write: Printer) -> list[str]:
    """Return the lines that check each matrix and read the sizes that are used off the first."""
    matrices = [variable for variable in signature.variables if variable.shape]
    # A size such as k*p is checked when k and p are known.
    matrices.sort(key=lambda M: any(not signature.sizes.shows(d) for d in M.shape if d.symbols))
    known: set[Place] = set()
    checks = {}
    for variable in matrices:
        name = signature.arguments[variable.name]
        shape = ", ".join(_wanted(dim, known, signature, write) for dim in variable.shape)
        known |= {(variable, axis) for axis in (0, 1)}
        quoted = json.dumps(name, ensure_ascii=False)
        text = f"{write.helper('as_matrix')}({quoted}, {name}, {shape})"
        checks[variable] = statement(f"{name} = ", text, 4, 4)
    sizes = dict(signature.preface(write))
    lines = []
    for variable in matrices:
        lines += checks[variable]
        names = sizes.get(variable, {})
        shape = f"{signature.arguments[variable.name]}.shape"
        if len(names) == 2:
            lines.append(f"    {names[0]}, {names[1]} = {shape}")
        else:
            lines += [f"    {name} = {shape}[{axis}]" for axis, name in names.items()]
    return lines


def _wanted(dim: Dim, known: set[Place], signature: Signature, write: Printer) -> str:
    """Return a size in the names of those known so far; a letter where it is not known."""
    sizes = signature.sizes
    places = {sizes.shown.get(symbol) for symbol in dim.symbols - set(sizes.given)}
    if places <= known or sizes.whole[dim] in known:
        return write.size(dim)[0].replace(GLUE, " ")
    return json.dumps(str(dim), ensure_ascii=False)


def is_column(variable: Variable, /) -> bool:
    """Whether a matrix has one column by definition."""
    return variable.columns == ONE != variable.rows


def _returned(output: Output, program: Program, write: Printer) -> list[str]:
    if isinstance(output, Expr):
        return statement("return ", _owned(output, program, write), 4, 4)
    return ["    return {", *_entries(output, program, write, 8), "    }"]


def _entries(
    outputs: Mapping[str, Output], program: Program, write: Printer, indent: int
) -> list[str]:
    lines = []
    margin = " " * indent
    for name, output in outputs.items():
        key = f"{json.dumps(name, ensure_ascii=False)}: "
        if isinstance(output, Expr):
            text = _owned(output, program, write)
            lines += statement(key, text, indent, 4, end=",")
        else:
            lines += [f"{margin}{key}{{", *_entries(output, program, write, indent + 4)]
            lines.append(f"{margin}}},")
    return lines


def _owned(output: Expr, program: Program, write: Printer) -> str:
    """Return the text of a result, as an array of its own where it would be one of the caller's."""
    root = program.roots[output]
    return f"{write(root, ATOM)}.copy()" if _is_view(root) else write(root)


def _is_view(root: Expr) -> bool:
    if isinstance(root, Broadcast):
        return not root.args[0].is_scalar
    while isinstance(root, Transpose | Vec | Reshape | DiagVec | Named):
        (root,) = root.args
    return isinstance(root, Variable) and not root.is_scalar


def _docstring(name: str, output: Output, signature: Signature, title: str) -> list[str]:
    lines = [summary(name, title), "", "Parameters", "----------"]
    for variable in signature.variables:
        also = " (or a vector)" if is_column(variable) else ""
        words = shape_words(variable, "float array")
        lines.append(f"{signature.arguments[variable.name]} : {words}{also}")
    lines += [f"{signature.size_names[s]} : number, a size" for s in signature.sizes.given]
    lines += ["", "Returns", "-------", *returns(output, "dict", "float array")]
    lines += ["", "Notes", "-----", ORIGIN]
    text = "\n".join(lines).replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    first, *rest = text.split("\n")
    return [f'    """{first}', *(f"    {line}".rstrip() for line in rest), '    """']
