"""Tokens to a tree, by the precedence of the operators (Pratt, 1973)."""

from __future__ import annotations

from matbackprop.symbolic.notations.grammar import POWER, SIGN, Grammar
from matbackprop.symbolic.notations.lexer import Token, tokens
from matbackprop.symbolic.notations.mistakes import ParseError
from matbackprop.symbolic.notations.tree import ASSIGN, SEQUENCE, Tree

DEEPEST = 150
"""Parentheses within parentheses; beyond it Python's own stack would end."""


def parsed(text: str, grammar: Grammar, /) -> Tree:
    """Return the tree of a text: of its expression, or of a sequence of definitions and one.

    Raises
    ------
    ParseError
        Where the text is not of the notation; it points at the character.
    """
    return _Parser(text, grammar).sequence()


class _Parser:
    def __init__(self, text: str, grammar: Grammar) -> None:
        self.text = text
        self.grammar = grammar
        self.tokens = tokens(text, grammar)
        self.call_text = f'parse(text, notation="{grammar.notation}")'
        self.next = 0
        self.depth = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.next]

    def advance(self) -> Token:
        token = self.token
        self.next += token.kind != "stop"
        return token

    def error(self, wanted: str, remedy: str = "") -> ParseError:
        message = f"`{self.call_text}` came to {self.token}; {wanted}.{remedy}"
        return ParseError(message, self.text, self.token.at)

    def sequence(self) -> Tree:
        statements: list[Tree] = []
        while True:
            while self.token.kind == "end":
                self.advance()
            if self.token.kind == "stop":
                break
            statements.append(self.statement(self.grammar.assign))
            if self.token.kind not in ("end", "stop"):
                raise self.error("an operator was wanted", self._remedy())
        if not statements:
            raise self.error("an expression was wanted", ' Write one, such as "x\'*A*x".')
        if len(statements) == 1 and not _is_definition(statements[0]):
            return statements[0]
        for statement in statements[:-1]:
            if not _is_definition(statement):
                raise ParseError(
                    f"`{self.call_text}`: only the last statement may be without a name; another "
                    f"follows this one. Write `S {self.grammar.assign[0]} …` for a definition.",
                    self.text,
                    statement.at,
                )
        return Tree("operator", SEQUENCE, tuple(statements), statements[0].at)

    def statement(self, signs: tuple[str, ...]) -> Tree:
        first = self.token
        if first.kind == "name" and self.tokens[self.next + 1].text in signs:
            self.advance()
            self.advance()
            target = Tree("name", first.text, (), first.at)
            return Tree("operator", ASSIGN, (target, self.expression(0)), first.at)
        return self.expression(0)

    def expression(self, level: int) -> Tree:
        """Read operators of this level and above, the first operand included."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.error(
                f"it stands in more than {DEEPEST} others",
                " Name a part of it first: `S = …; …`.",
            )
        left = self.operand(level)
        while self.token.kind == "operator":
            text, at = self.token.text, self.token.at
            if text in self.grammar.postfix and level <= POWER:
                self.advance()
                left = Tree("operator", text, (left,), at)
                continue
            found = self.grammar.binary.get(text)
            if found is None or found < level:
                break
            self.advance()
            right = self.expression(found + (found not in self.grammar.right))
            left = Tree("operator", text, (left, right), at)
        self.depth -= 1
        return left

    def operand(self, level: int) -> Tree:
        while self.token.text == "\n":  # an operator at the end of a line goes on in the next
            self.advance()
        token = self.token
        if token.text in ("-", "+"):
            self.advance()
            arg = self.expression(max(SIGN, level))  # a^-b*c is (a^-b)*c
            return arg if token.text == "+" else Tree("operator", "-", (arg,), token.at)
        if token.kind == "open":
            self.advance()
            inner = self.expression(0)
            self.close(token)
            return inner
        if token.kind == "name" and self.tokens[self.next + 1].kind == "open":
            return self.call()
        if token.kind not in ("name", "number", "string"):
            raise self.error("a value was wanted")
        self.advance()
        text = token.text[1:-1] if token.kind == "string" else token.text
        return Tree(token.kind, text, (), token.at)  # type: ignore[arg-type]

    def call(self) -> Tree:
        function, opening = self.advance(), self.advance()
        args: list[Tree] = []
        while self.token.kind != "close":
            if args:
                if self.token.kind != "comma":
                    break
                self.advance()
            args.append(self.statement(("=",)))  # name = value gives an argument by its name
        self.close(opening)
        return Tree("call", function.text, tuple(args), function.at)

    def close(self, opening: Token) -> None:
        if self.token.kind != "close":
            column = opening.at - self.text.rfind("\n", 0, opening.at)
            raise self.error(
                f"`)` was wanted, for the `(` in column {column}",
                self._remedy() if self.token.kind in ("name", "number", "open") else "",
            )
        self.advance()

    def _remedy(self) -> str:
        if self.token.kind == "close":
            return " There is one `)` too many."
        if self.token.kind in ("name", "number", "open"):
            product = "%*%" if "%*%" in self.grammar.binary else "*"
            return f" A product needs its sign: `A {product} B`."
        if self.token.kind == "string":
            return " A transpose is `t(X)`."
        return ""


def _is_definition(tree: Tree) -> bool:
    return tree.is_operator(2) and tree.text == ASSIGN
