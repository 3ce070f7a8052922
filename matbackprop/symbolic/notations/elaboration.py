"""A syntax tree to the expression it stands for, exactly as written: no simplification."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Any

from matbackprop.errors import OptionError
from matbackprop.symbolic.expressions.dimension import Dim
from matbackprop.symbolic.expressions.expression import Expr, Number, Size, Variable
from matbackprop.symbolic.expressions.nodes import Named
from matbackprop.symbolic.notations.arithmetic import dimension_of, exact, pi
from matbackprop.symbolic.notations.mistakes import ParseError, pointing
from matbackprop.symbolic.notations.tree import ASSIGN, SEQUENCE, Tree
from matbackprop.symbolic.notations.vocabulary import Parameter, Vocabulary, Word


class Elaboration:
    """One text being read: its variables, sizes and definitions, and what its parts stand for."""

    def __init__(
        self, text: str, vocabulary: Vocabulary, variables: Mapping[str, Variable]
    ) -> None:
        self.text = text
        self.vocabulary = vocabulary
        self.variables = variables
        self.sizes = {name for v in variables.values() for dim in v.shape for name in dim.symbols}
        self.definitions: dict[str, tuple[Expr, Tree]] = {}
        self._being_defined: str | None = None
        self._known: dict[int, Expr] = {}

    def whole(self, tree: Tree, /) -> Expr:
        """Return the expression of a text, after entering its definitions."""
        statements = tree.args if tree.kind == "operator" and tree.text == SEQUENCE else (tree,)
        for statement in statements:
            if statement.is_operator(2) and statement.text == ASSIGN:
                result = self._define(*statement.args)
            else:
                result = self.vocabulary.finish(self.value(statement))
        return result

    def value(self, tree: Tree, /) -> Expr:
        """Return what a tree stands for."""
        found = self._known.get(id(tree))
        if found is None:
            found = self._known[id(tree)] = self._value(tree)
        return found

    def definition(self, name: str, /) -> Tree | None:
        """Return what a name was defined as."""
        return self.definitions[name][1] if name in self.definitions else None

    def _define(self, target: Tree, body: Tree) -> Expr:
        name = target.text
        if name in self.sizes and name not in self.variables and self.value(body) is Size(name):
            return self.value(body)  # n <- nrow(X) says what shapes says
        if name in self.variables or name in self.sizes or name in self.definitions:
            what = "a variable" if name in self.variables else "a size"
            raise self._error(
                f"`{name}` is defined here, but is {what} of shapes already"
                if name not in self.definitions
                else f"`{name}` is defined twice",
                " Choose another name.",
                target,
            )
        self._being_defined = name
        value = Named(name, self.value(body))
        self._being_defined = None
        self.definitions[name] = (value, body)
        return value

    def _value(self, tree: Tree) -> Expr:
        match tree.kind:
            case "number":
                try:
                    return Number(exact(tree.text.rstrip("L")))
                except OptionError as error:
                    raise self._error(str(error), "", tree) from None
            case "name":
                return self._named(tree)
            case "call":
                return self._called(tree)
            case "operator":
                return self._operated(tree)
        raise self._error(f'"{tree.text}" is a string where a value was wanted', "", tree)

    def _named(self, tree: Tree) -> Expr:
        name = tree.text
        if name in self.definitions:
            return self.definitions[name][0]
        if name in self.variables:
            return self.variables[name]
        if name in self.sizes:
            return Size(name)
        if name == "pi":
            return pi()
        if name in self.vocabulary.words:
            usage = self.vocabulary.words[name].usage
            raise self._error(f"`{name}` is a function", f" Write `{usage}`.", tree)
        if name == self._being_defined:
            raise self._error(
                f"`{name}` is used in its own definition", " Choose another name for one.", tree
            )
        near = _nearest(name, [*self.variables, *self.definitions, *self.sizes])
        raise self._error(
            f"`{name}` is neither a variable nor a size of shapes",
            (f" Is `{near}` meant?" if near else "")
            + f' Give its shape: shapes={{…, "{name}": ("n", "p")}}; ("n", 1) is a column, '
            "() a scalar.",
            tree,
        )

    def _operated(self, tree: Tree) -> Expr:
        # Down the left side in a loop, for sums may be long.
        waiting: list[Tree] = []
        while tree.kind == "operator" and id(tree) not in self._known:
            waiting.append(tree)
            tree = tree.args[0]
        value = self.value(tree)
        for node in reversed(waiting):
            args = (value, *(self.value(arg) for arg in node.args[1:]))
            value = self._known[id(node)] = self._combined(node, args)
        return value

    def _combined(self, tree: Tree, args: tuple[Expr, ...]) -> Expr:
        build = self.vocabulary.operators.get((tree.text, len(args)))
        if build is None:
            raise self._error(f"`{tree.text}` cannot stand here", "", tree)
        with pointing(self.text, tree.at):
            return self.vocabulary.entry(build(*self.vocabulary.prepare(self, tree, args)))

    def _called(self, tree: Tree) -> Expr:
        word = self.vocabulary.words.get(tree.text)
        if word is None:
            raise self._unknown_function(tree)
        given = self._arguments(tree, word)
        values = [
            None if p.name not in given else self._argument(given[p.name], p, word)
            for p in word.parameters
        ]
        with pointing(self.text, tree.at):
            return self.vocabulary.entry(word.build(*values))

    def _arguments(self, tree: Tree, word: Word) -> dict[str, Tree]:
        """Match arguments to parameters as R does: those with names first, then in order."""
        given: dict[str, Tree] = {}
        unnamed: list[Tree] = []
        for arg in tree.args:
            if not (arg.is_operator(2) and arg.text == ASSIGN):
                unnamed.append(arg)
                continue
            name, value = arg.args
            if name.text in given or name.text not in {p.name for p in word.parameters}:
                raise self._error(
                    f"`{tree.text}` has no argument `{name.text}`, or has it twice",
                    f" Write `{word.usage}`.",
                    name,
                )
            given[name.text] = value
        free = [p for p in word.parameters if p.name not in given]
        if len(unnamed) > len(free):
            raise self._error(
                f"`{tree.text}` got {len(tree.args)} arguments", f" Write `{word.usage}`.", tree
            )
        given.update((p.name, arg) for p, arg in zip(free, unnamed, strict=False))
        missing = [p.name for p in word.parameters if not p.optional and p.name not in given]
        if missing:
            raise self._error(
                f"`{tree.text}` lacks {' and '.join(missing)}", f" Write `{word.usage}`.", tree
            )
        return given

    def _argument(self, tree: Tree, parameter: Parameter, word: Word) -> Any:
        """Return an argument as the parameter wants it."""
        kind = parameter.kind
        flag = _FLAGS.get(tree.text) if tree.kind == "name" else None
        if kind in ("flag", "any") and flag is not None and tree.text not in self.variables:
            return flag
        if kind == "string" and tree.kind == "string":
            return tree.text
        if kind in ("value", "any"):
            return self.vocabulary.entry(self.value(tree))
        if kind == "size":
            dim = dimension_of(self.value(tree))
            if dim is not None:
                return self._checked_size(dim, tree)
        wanted = {"size": "a size, such as n, 6 or k*p", "flag": "TRUE or FALSE"}
        raise self._error(
            f"`{parameter.name}` of `{word.usage}` is {wanted.get(kind, 'a quoted string')}",
            "",
            tree,
        )

    def _checked_size(self, dim: Dim, tree: Tree) -> Dim:
        if dim.value is not None and (dim.value < 1 or dim != dim.value):
            raise self._error(f"a size is a whole number of at least 1; this is {dim}", "", tree)
        return dim

    def _unknown_function(self, tree: Tree) -> ParseError:
        name = tree.text
        if name in self.variables or name in self.definitions or name in self.sizes:
            sign = "%*%" if "%*%" in self.vocabulary.grammar.binary else "*"
            return self._error(
                f"`{name}` is no function", f" A product needs its sign: `{name} {sign} (…)`.", tree
            )
        instead, words = self.vocabulary.instead, self.vocabulary.words
        small = name.lower()
        remedy = instead.get(name) or (None if small in words else instead.get(small))
        near = _nearest(name, words)
        said = remedy or (words[near].usage if near else None)
        listed = f" There are {', '.join(sorted(words))}."
        return self._error(
            f"there is no function `{name}`", f" Write `{said}`." if said else listed, tree
        )

    def _error(self, what: str, remedy: str, tree: Tree) -> ParseError:
        notation = self.vocabulary.grammar.notation
        return ParseError(
            f'`parse(text, notation="{notation}")`: {what}.{remedy}', self.text, tree.at
        )


def _nearest(name: str, known: Collection[str]) -> str | None:
    """Return the name that was meant, if any: first one that differs in capitals alone."""
    alike = [other for other in known if other.lower() == name.lower()]
    return next(iter(alike or get_close_matches(name, known, 1)), None)


_FLAGS = {"TRUE": True, "FALSE": False, "T": True, "F": False}
