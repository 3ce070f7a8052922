"""What --shape, --assume and --domain say of the variables."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matbackprop.errors import OptionError
from matbackprop.symbolic.notations import declared, tree_of
from matbackprop.symbolic.notations.reading import VOCABULARIES
from matbackprop.symbolic.notations.tree import ASSIGN, Tree

_NAME = re.compile(r"[^\W\d][\w.]*")
# Around commas and colons; but "lam: X:n,p" is two entries, the first of a scalar.
_SPACES = re.compile(r"\s+(?=[,:])|(?<=,)\s+|(?<=:)\s++(?![^\s:;,]+\s*:)")
_CONSTANTS = ("pi", "TRUE", "FALSE", "T", "F")


@dataclass(frozen=True, slots=True)
class Declarations:
    """The variables as `symbolic.parse` takes them: by name, their shapes, flags and domains."""

    shapes: Mapping[str, str]
    assume: Mapping[str, Sequence[str]]
    domains: Mapping[str, str]

    @classmethod
    def of(cls, shape: Sequence[str], assume: Sequence[str], domain: Sequence[str]) -> Declarations:
        """Return what the options say, each of them given any number of times."""
        flags = _entries(assume, "--assume S:spd")
        return cls(
            shapes=_entries(shape, "--shape X:n,p", bare=True),
            assume={name: words.split(",") for name, words in flags.items()},
            domains=_entries(domain, "--domain x:positive"),
        )

    def check_complete(self, text: str, notation: str, /) -> None:
        """Raise `OptionError` if a name in the text has no shape; it tells all of them."""
        variables = declared(self.shapes, self.assume, self.domains)
        sizes = {name for v in variables.values() for dim in v.shape for name in dim.symbols}
        known = {*variables, *sizes, *VOCABULARIES[notation].words, *_CONSTANTS}
        missing = [name for name in _free_names(tree_of(text, notation)) if name not in known]
        if missing:
            X = missing[0]
            has = f"; it has that of {', '.join(variables)}" if variables else ""
            raise OptionError(
                f"`derive` needs the shape of {', '.join(missing)}{has}. Add --shape {X}:n,p if "
                f"{X} is a matrix, --shape {X}:n if it is a column, --shape {X} if it is a scalar."
            )


def _entries(given: Sequence[str], option: str, *, bare: bool = False) -> dict[str, str]:
    """Return what stands behind the colon by what stands before it; `bare`: also without one."""
    found: dict[str, str] = {}
    for text in given:
        for entry in re.split(r"[;\s]+", _SPACES.sub("", text).strip("; \t\n")):
            name, _, words = entry.partition(":")
            flag, _, example = option.partition(" ")
            if not _NAME.fullmatch(name) or ":" in words or not (words or bare):
                raise OptionError(
                    f"`derive` cannot read {flag} {text!r}. Write `{option}`, and of several "
                    f'variables `{flag} "{example} …"` or `{option} {flag} …`.'
                )
            if name in found:
                raise OptionError(
                    f"`derive` got {flag} of {name} twice, {found[name]!r} and {words!r}. "
                    "Leave one out."
                )
            found[name] = words
    return found


def _free_names(tree: Tree) -> list[str]:
    """Return the names in a text that it does not define, in the order of the text."""
    found: list[Tree] = []
    bound = set()
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if node.kind == "name":
            found.append(node)
        if node.kind == "operator" and node.text == ASSIGN:
            bound.add(node.args[0].text)
        waiting += node.args
    ordered = dict.fromkeys(node.text for node in sorted(found, key=lambda node: node.at))
    return [name for name in ordered if name not in bound]
