"""What a notation looks like: its tokens, and the precedence of its operators.

One table serves the parser and the printer, so that what is printed is read back as it was.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

SUM, SIGN, PRODUCT, SPECIAL, POWER = 10, 15, 20, 30, 40
"""Levels of precedence. The sign binds looser than a product: −AB is −(AB), which is (−A)B."""


@dataclass(frozen=True)
class Grammar:
    """The tokens and operators of a notation.

    Attributes
    ----------
    binary
        The level of each operator between two operands.
    right
        The levels whose operators group from the right.
    postfix
        Operators behind their operand; they bind as a power does.
    assign
        What stands between the name and the body of a definition; the first is written.
    silent, string
        Patterns of comments and of quoted strings, where there are any.
    tight
        Operators written without spaces around them wherever they stand.
    close_sums
        Whether a sum inside parentheses is written without spaces.
    families
        Operators of one level that mix without parentheses only among themselves, when written.
    guarded
        Operators whose right operand is written in parentheses unless it is a single thing.
    foreign
        Characters and words that are not of this notation, and what to write instead.
    """

    notation: str
    name: str
    number: str
    binary: Mapping[str, int]
    right: frozenset[int] = frozenset()
    postfix: frozenset[str] = frozenset()
    assign: tuple[str, ...] = ("=",)
    between: str = "; "
    silent: str = ""
    string: str = ""
    tight: frozenset[str] = frozenset()
    close_sums: bool = False
    families: tuple[frozenset[str], ...] = ()
    guarded: frozenset[str] = frozenset()
    foreign: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def token(self) -> re.Pattern[str]:
        """The pattern of the next token."""
        longest_first = sorted({*self.operators, *self.foreign}, key=len, reverse=True)
        symbols = "|".join(map(re.escape, longest_first))
        return re.compile(
            rf"(?P<space>[^\S\n]+{self.silent})|(?P<number>{self.number})|(?P<name>{self.name})"
            rf"{self.string}|(?P<end>[;\n])|(?P<open>\()|(?P<close>\))|(?P<comma>,)"
            rf"|(?P<symbol>{symbols})"
        )

    @cached_property
    def operators(self) -> frozenset[str]:
        """Everything that stands between, before or behind operands."""
        return frozenset({*self.binary, *self.postfix, *self.assign, "-", "+"})

    def family(self, text: str, /) -> frozenset[str]:
        """Return the operators that mix with this one without parentheses."""
        return next((family for family in self.families if text in family), frozenset({text}))


MATLAB = Grammar(
    notation="matlab",
    name=r"[^\W\d]\w*",
    # "2.*X" is 2 .* X, and "2.'" is 2 .'
    number=r"(?:\d+(?:\.(?![*/^'])\d*)?|\.\d+)(?:[eE][+-]?\d+)?",
    binary={
        **{"+": SUM, "-": SUM},
        **{"*": PRODUCT, "/": PRODUCT, ".*": PRODUCT, "./": PRODUCT},
        **{"^": POWER, ".^": POWER},
    },
    postfix=frozenset({"'", ".'"}),
    tight=frozenset({"*", "/", ".*", "./", "^", ".^"}),
    close_sums=True,
    families=(frozenset("*/"), frozenset({".*", "./"}), frozenset("+-")),
    foreign={
        "%*%": "*",
        "%x%": "kron(A, B)",
        "%o%": "x*y'",
        "%": "* for a product; there are no comments",
        "#": "nothing: there are no comments",
        "==": "= once, for a definition",
        ":": "sums, such as ones(n)'*x; there are no ranges",
        "@": "*",
        "**": "^",
        "\\": "inv(A)*b",
        "<-": "=",
        '"': "nothing: there are no strings",
        "[": "parentheses",
        "]": "parentheses",
        "{": "parentheses",
        "}": "parentheses",
        "²": "^2, or .^2 entry by entry",
        "³": "^3, or .^3 entry by entry",
        "⁻": "inv(A), or 1/s for a scalar",
        "∑": "sum(X)",
        "√": "sqrt(x)",
        "‖": "norm2(x)",
        "|": "norm2(x), abs(x) or det(A)",
        **dict.fromkeys("ᵀ’′´`", "'"),
        **dict.fromkeys("·×⋅∙∗", "*"),
        **dict.fromkeys("−–", "-"),
        "⊗": "kron(A, B)",
        **dict.fromkeys("⊙∘", ".*"),
    },
)

R = Grammar(
    notation="r",
    name=r"(?:[^\W\d_]|\.(?=[^\W\d]))[\w.]*",
    number=r"(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?L?",
    binary={
        **{">": 5, "<": 5},
        **{"+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT},
        **{"%*%": SPECIAL, "%x%": SPECIAL, "%o%": SPECIAL, "^": POWER},
    },
    right=frozenset({POWER}),
    postfix=frozenset({"$modulus"}),
    assign=("<-", "="),
    between="\n",
    silent=r"|#[^\n]*",
    string="|(?P<string>\"[^\"\\n]*\"|'[^'\\n]*')",
    tight=frozenset({"^"}),
    guarded=frozenset({"/"}),  # A / B %*% C is A / (B %*% C), but who remembers
    families=(frozenset("*/"), frozenset("+-")),
    foreign={
        ".*": "*",
        "./": "/",
        ".^": "^",
        "'": "t(X) for a transpose",
        '"': "the closing quote",
        "@": "%*%",
        "**": "^",
        "%": "one of %*%, %x%, %o%",
        "[": "nrow(X), ncol(X), diag(X) or drop(X); there are no indices",
        "]": "nothing",
        "{": "parentheses",
        "}": "parentheses",
        "$": "$modulus; there are no other components",
        "->": "name <- value",
        "==": "= once, for a definition, or > and < for an indicator",
        "|>": "the call itself, f(x)",
        "::": "the function without its package",
        ":": "sums, such as sum(X) or rowSums(X); there are no ranges",
        "`": "plain names",
        "|": 'abs(x), norm(X, "F") or det(A)',
        "if": "pmax(x, 0), or x * (x > 0); there are no conditions",
        "function": "its body alone; there are no functions of one's own",
        "for": "sums and products of matrices; there are no loops",
        "while": "sums and products of matrices; there are no loops",
        "²": "^2",
        "³": "^3",
        "⁻": "solve(A), or 1 / x",
        "∑": "sum(X)",
        "√": "sqrt(x)",
        "‖": 'norm(X, "F")',
        **dict.fromkeys("ᵀ’′´", "t(X)"),
        **dict.fromkeys("×·⋅∙∗", "%*% for matrices, * entry by entry"),
        **dict.fromkeys("−–", "-"),
        "⊗": "%x%",
        **dict.fromkeys("⊙∘", "*"),
    },
)
