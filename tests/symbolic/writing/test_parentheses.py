"""Parentheses are right, and none is idle: what is written is read back by a small reader.

The reader knows the precedence that a statistician assumes: juxtaposition binds more than ⊙ and
⊗, these more than + and −; ⊙ and ⊗ are not mixed without parentheses.
"""

import re

import numpy as np
import pytest

from matbackprop.symbolic.expressions.dimension import Dim
from matbackprop.symbolic.expressions.expression import Variable
from matbackprop.symbolic.expressions.nodes import Inverse, Kron, MatrixPower
from matbackprop.symbolic.writing import to_unicode

ONE_BY_ONE = (Dim.of("n"), Dim.of("n"))
NAMES = "ABCDE"
LEAVES = {name: Variable(name, ONE_BY_ONE) for name in NAMES}


class Reader:
    """Evaluates text over square matrices; of ⊗ it takes the first n rows and columns."""

    def __init__(self, text, values):
        self.tokens = re.findall(r"[A-E]|⁻¹|⁻ᵀ|⁻[²³]|[ᵀ²³()⊙⊗+−]", text)
        assert "".join(self.tokens) == text.replace(" ", "")
        self.values, self.place = values, 0

    def peek(self):
        return self.tokens[self.place] if self.place < len(self.tokens) else ""

    def take(self):
        self.place += 1
        return self.tokens[self.place - 1]

    def read(self):
        value = self.sum()
        if self.peek():
            raise SyntaxError(self.peek())
        return value

    def sum(self):
        negative = self.peek() == "−" and self.take()
        total = self.entrywise() * (-1 if negative else 1)
        while self.peek() in {"+", "−"} - {""}:
            sign = self.take()
            total = total + self.entrywise() * (1 if sign == "+" else -1)
        return total

    def entrywise(self):
        value, seen = self.product(), set()
        while self.peek() in {"⊙", "⊗"}:
            sign = self.take()
            seen.add(sign)
            if len(seen) > 1:
                raise SyntaxError("⊙ and ⊗ mixed")
            other = self.product()
            value = value * other if sign == "⊙" else corner(value, other)
        return value

    def product(self):
        value = self.scripted()
        while re.match(r"[A-E(]", self.peek()):
            value = value @ self.scripted()
        return value

    def scripted(self):
        if self.peek() == "(":
            self.take()
            value = self.sum()
            if self.take() != ")":
                raise SyntaxError(")")
        else:
            name = self.take()
            if name not in LEAVES:
                raise SyntaxError(name)
            value = self.values(name)
        script = self.take() if self.peek() in set("ᵀ²³") | {"⁻¹", "⁻ᵀ", "⁻²", "⁻³"} else ""
        if script in {"⁻¹", "⁻ᵀ", "⁻²", "⁻³"}:
            value = np.linalg.inv(value)
        if script.endswith("ᵀ"):
            value = value.T
        power = {"²": 2, "³": 3}.get(script[-1:], 1)
        return np.linalg.matrix_power(value, power)


def corner(a, b):
    return np.kron(a, b)[: len(a), : len(a)]


def drawn(rng, depth, *, minus=True):
    """Return a random expression."""
    if depth == 0 or rng.integers(6) == 0:
        return LEAVES[NAMES[rng.integers(len(NAMES))]]
    a, b = (drawn(rng, depth - 1, minus=minus) for _ in range(2))
    return [
        lambda: a + b,
        lambda: a - b,
        lambda: -a if minus else a,
        lambda: a @ b,
        lambda: a @ b,
        lambda: a * b,
        lambda: a.T,
        lambda: Inverse(a),
        lambda: MatrixPower(a, 2 + rng.integers(2)),
    ][rng.integers(9)]()


@pytest.fixture(scope="module")
def values():
    rng = np.random.default_rng(3)
    return {name: rng.uniform(-1, 1, (3, 3)) + 1.5 * np.eye(3) for name in NAMES}


@pytest.mark.parametrize("seed", range(150))
def test_what_is_written_is_meant(seed, values):
    expr = drawn(np.random.default_rng(seed), 4)
    expected = expr.evaluate(values)
    read = Reader(to_unicode(expr), values.__getitem__).read()
    scale = max(1.0, np.abs(expected).max())
    np.testing.assert_allclose(read / scale, expected / scale, atol=1e-6)


@pytest.mark.parametrize("seed", range(150))
def test_no_parenthesis_is_idle(seed):
    """Without any one pair, the text has another value or none.

    (−A)⁻¹ and −A⁻¹ have one value, but are not one text: a minus is left out here.
    """
    text = to_unicode(drawn(np.random.default_rng(seed), 3, minus=False))
    value = Reader(text, one_after_another()).read()
    for start, end in pairs(text):
        shorter = text[:start] + text[start + 1 : end] + text[end + 1 :]
        try:
            other = Reader(shorter, one_after_another()).read()
        except (SyntaxError, IndexError):
            continue
        assert not np.allclose(other, value, rtol=1e-7), f"{text} is {shorter}"


def one_after_another():
    """Return a value for each letter in turn, so that nothing cancels by chance."""
    rng = np.random.default_rng(4)
    return lambda _: rng.uniform(-1, 1, (3, 3)) + 1.5 * np.eye(3)


def pairs(text):
    """Yield the places of each pair of parentheses."""
    opened = []
    for place, letter in enumerate(text):
        if letter == "(":
            opened.append(place)
        elif letter == ")":
            yield opened.pop(), place


@pytest.mark.parametrize(
    ("expr", "text"),
    [
        (Kron(LEAVES["A"] * LEAVES["B"], LEAVES["C"]), "(A ⊙ B) ⊗ C"),
        (Kron(LEAVES["A"], LEAVES["B"]) @ Kron(LEAVES["C"], LEAVES["D"]), "(A ⊗ B)(C ⊗ D)"),
        (LEAVES["A"] * Inverse(LEAVES["B"] * LEAVES["C"]), "A ⊙ (B ⊙ C)⁻¹"),
        (LEAVES["A"] / (LEAVES["B"] * LEAVES["C"]), "A ⊘ (B ⊙ C)"),
    ],
)
def test_mixed(expr, text):
    assert to_unicode(expr) == text
