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
from matbackprop.symbolic.emission.printer import ATOM, Printer, statement
from matbackprop.symbolic.emission.program import Output, Program
from matbackprop.symbolic.emission.sizes import Place
from matbackprop.symbolic.expression import Broadcast, Expr, Transpose, Variable
from matbackprop.symbolic.graph import ONE
from matbackprop.symbolic.nodes import DiagVec, Named, Reshape, Vec

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
    >>> from matbackprop.symbolic.dimension import Dim
    >>> from matbackprop.symbolic.expression import MatMul, Variable
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
                *_coercions(signature, write),
                *_sizes(signature, write),
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


def _coercions(signature: Signature, write: Printer) -> list[str]:
    lines = []
    for variable in signature.variables:
        if variable.shape:
            name = signature.arguments[variable.name]
            text = f"{write.helper('as_floats')}({name})"
            # A vector of shape (n,) beside a column would be repeated to n x n, in silence.
            lines.append(f"    {name} = {text}{'.reshape(-1, 1)' if is_column(variable) else ''}")
    return lines


def is_column(variable: Variable, /) -> bool:
    """Whether a matrix has one column by definition."""
    return variable.columns == ONE != variable.rows


def _sizes(signature: Signature, write: Printer) -> list[str]:
    lines = []
    for variable, names in signature.preface(write):
        shape = f"{signature.arguments[variable.name]}.shape"
        if len(names) == 2:
            lines.append(f"    {names[0]}, {names[1]} = {shape}")
        else:
            lines += [f"    {name} = {shape}[{axis}]" for axis, name in names.items()]
    return lines


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
