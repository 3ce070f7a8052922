"""A tree to text, with the fewest parentheses that let it be read back, and be read."""

from __future__ import annotations

from matbackprop.symbolic.notations.grammar import POWER, SIGN, SUM, Grammar
from matbackprop.symbolic.notations.tree import ASSIGN, SEQUENCE, Tree

ATOM = 100
POSTFIX = POWER + 1


def printed(tree: Tree, grammar: Grammar, /) -> str:
    """Return the text of a tree; `parsed` gives the tree back.

    Beyond what the grammar asks for, parentheses stand where a reader would stumble: around
    ``(A*B).*C``, ``(X^2)'``, ``a*(-b)``.
    """
    return _Printer(grammar).text(tree, outside=True)


class _Printer:
    def __init__(self, grammar: Grammar) -> None:
        self.grammar = grammar

    def text(self, tree: Tree, *, outside: bool = False) -> str:
        """Return the text; sums outside all parentheses are spaced."""
        match tree.kind, tree.args:
            case "string", _:
                return f'"{tree.text}"'
            case "call", args:
                return f"{tree.text}({', '.join(self.text(arg) for arg in args)})"
            case "operator", (arg,):
                return self.single(tree, arg, outside)
            case "operator", args:
                if tree.text == SEQUENCE:
                    return self.grammar.between.join(self.text(arg, outside=True) for arg in args)
                if tree.text == ASSIGN:
                    return self.assignment(tree, outside)
                return self.chain(tree, outside)
        return tree.text

    def single(self, tree: Tree, arg: Tree, outside: bool) -> str:
        if tree.text in self.grammar.postfix:
            return self.wrapped(arg, self.level(arg) < POSTFIX) + tree.text
        return "-" + self.wrapped(arg, self.level(arg) <= SIGN, outside)

    def assignment(self, tree: Tree, outside: bool) -> str:
        target, value = tree.args
        # Inside a call it gives an argument by its name, in both notations with "=".
        sign = self.grammar.assign[0] if outside else "="
        return f"{target.text} {sign} {self.text(value, outside=outside)}"

    def chain(self, tree: Tree, outside: bool) -> str:
        """Write a op b op c …: down the left side in a loop, for sums may be long."""
        level = self.level(tree)
        parts: list[str] = []
        while True:
            left, right = tree.args
            parts += [self.right(tree, right, outside), self.sign(tree, outside)]
            same_level = self.level(left) == level
            if level == POWER or not (same_level and left.text in self.grammar.family(tree.text)):
                break
            tree = left
        loose = self.level(left) < (POSTFIX if level == POWER else level)
        return "".join([self.wrapped(left, loose or same_level, outside), *reversed(parts)])

    def right(self, tree: Tree, right: Tree, outside: bool) -> str:
        level = self.level(tree)
        least = level + (level not in self.grammar.right)
        if tree.text in self.grammar.guarded:
            least = POWER
        elif least > POWER:
            least = ATOM  # a^b' is (a^b)'
        signed = right.is_operator(1) and right.text == "-"
        return self.wrapped(right, self.level(right) < least or signed, outside)

    def sign(self, tree: Tree, outside: bool) -> str:
        close = self.grammar.close_sums and self.level(tree) == SUM and not outside
        return tree.text if close or tree.text in self.grammar.tight else f" {tree.text} "

    def wrapped(self, tree: Tree, needed: bool, outside: bool = False) -> str:
        return f"({self.text(tree)})" if needed else self.text(tree, outside=outside)

    def level(self, tree: Tree) -> int:
        if tree.kind != "operator":
            return ATOM
        if len(tree.args) == 1:
            return POSTFIX if tree.text in self.grammar.postfix else SIGN
        return self.grammar.binary.get(tree.text, 0)
