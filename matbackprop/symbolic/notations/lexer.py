"""Text to tokens."""

from __future__ import annotations

from dataclasses import dataclass
from unicodedata import normalize

from matbackprop.symbolic.notations.grammar import Grammar
from matbackprop.symbolic.notations.mistakes import ParseError


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the text: its kind, its characters, and where it starts."""

    kind: str
    text: str
    at: int

    def __str__(self) -> str:
        if self.kind == "stop":
            return "the end of the text"
        return "the end of the line" if self.text == "\n" else f"`{self.text}`"


def tokens(text: str, grammar: Grammar, /) -> list[Token]:
    """Return the tokens of a text, and a last one of kind "stop".

    The end of a line inside parentheses is no more than a space.

    Raises
    ------
    ParseError
        At a character that the notation has not.
    """
    found: list[Token] = []
    at = depth = 0
    while at < len(text):
        match = grammar.token.match(text, at)
        if match is None or (match.lastgroup == "symbol" and match[0] not in grammar.operators):
            raise ParseError(_unknown(match[0] if match else text[at], grammar), text, at)
        kind = "operator" if match.lastgroup == "symbol" else str(match.lastgroup)
        if kind in ("name", "number"):
            _check_characters(match[0], grammar, text, at)
        depth += (kind == "open") - (kind == "close" and depth > 0)
        if kind != "space" and not (match[0] == "\n" and depth > 0):
            found.append(Token(kind, match[0], at))
        at = match.end()
    return [*found, Token("stop", "", at)]


def _check_characters(word: str, grammar: Grammar, text: str, at: int) -> None:
    """Raise at a word of another language, and at a letter or digit that stands for another."""
    if word in grammar.foreign:
        raise ParseError(_unknown(word, grammar), text, at)
    for place, character in enumerate(word):
        if normalize("NFKC", character) != character:
            raise ParseError(_unknown(character, grammar), text, at + place)


def _unknown(characters: str, grammar: Grammar) -> str:
    plain = normalize("NFKC", characters)
    remedy = grammar.foreign.get(characters, plain if plain != characters else None)
    return (
        f'`parse(text, notation="{grammar.notation}")` came to `{characters}`, which is not of '
        "this notation." + (f" Write {remedy}." if remedy else "")
    )
