"""Names that a language accepts and that hide nothing which the program calls."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable


class Identifiers:
    """The names in use in a function; each name asked for becomes one that is free.

    Examples
    --------
    >>> names = Identifiers({"lambda"}, ascii_only=False)
    >>> names.take("lambda"), names.take("lambda"), names.fresh()
    ('lambda_', 'lambda__', 't1')
    """

    def __init__(self, reserved: Collection[str], /, *, ascii_only: bool) -> None:
        self._taken = set(reserved)
        self._ascii_only = ascii_only

    def copy(self) -> Identifiers:
        """Return the names in use so far, to go on from in a function of its own."""
        return Identifiers(self._taken, ascii_only=self._ascii_only)

    def take(self, name: str, /) -> str:
        """Return a name like this one, and take it."""
        found = self._plain(name)
        while found in self._taken:
            found += "_"
        self._taken.add(found)
        return found

    def take_all(self, names: Iterable[str], /) -> dict[str, str]:
        """Return a name for each; those that may stay as they are come first."""
        wanted = list(dict.fromkeys(names))
        ordered = sorted(wanted, key=lambda name: name in self._taken or self._plain(name) != name)
        found = {name: self.take(name) for name in ordered}
        return {name: found[name] for name in wanted}

    def fresh(self) -> str:
        """Return the next free name of t1, t2, …."""
        i = 1
        while f"t{i}" in self._taken:
            i += 1
        return self.take(f"t{i}")

    def _plain(self, name: str) -> str:
        # Python reads names in this normal form; R, outside UTF-8, only ASCII.
        text = unicodedata.normalize("NFKC", name)
        if self._ascii_only:
            text = "".join(map(_in_ascii, text))
        # A dot is a letter in R.
        text = re.sub(r"[^\w.]" if self._ascii_only else r"\W", "_", text)
        return text if text[:1].isalpha() else f"v{text}"


def _in_ascii(letter: str) -> str:
    if letter.isascii():
        return letter
    words = unicodedata.name(letter, "").replace("LAMDA", "LAMBDA").split()
    if words[:1] == ["GREEK"] and len(words) == 4:  # GREEK SMALL LETTER GAMMA
        return words[3].capitalize() if words[1] == "CAPITAL" else words[3].lower()
    return f"u{ord(letter):04X}"
