"""Which constant a measured factor is: −1, 2, 1/N, N/(N − 1), a known number, a fraction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isfinite, sqrt

_CLOSE = 1e-6
_COUNTS = ("p", "q", "k", "m", "p1", "p2", "K", "d", "D")
_TINY, _HUGE = 1e-100, 1e100  # beyond, squares and reciprocals overflow
_PLAIN = (
    (-1.0, "−1"),
    (2.0, "2"),
    (0.5, "½"),
    (-2.0, "−2"),
    (-0.5, "−½"),
    (0.0, "0"),
)
_LESS_PLAIN = (
    (4.0, "4"),
    (0.25, "¼"),
    (3.0, "3"),
    (1 / 3, "⅓"),
    (-4.0, "−4"),
    (-0.25, "−¼"),
    (sqrt(2.0), "√2"),
    (1 / sqrt(2.0), "1/√2"),
)


@dataclass(frozen=True, slots=True)
class Constant:
    """A factor with a name.

    Attributes
    ----------
    value
        What was measured.
    name
        What it is, "" if nothing known.
    also
        What else it is, as 1/N is ½ for two rows.
    """

    value: float
    name: str
    also: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """Its name, or its digits."""
        digits = f"{self.value:.6g}"
        return self.name or (f"{self.value:.9g}" if digits == "1" else digits)

    @property
    def amount(self) -> str:
        """Its name if that is one of N or what else is known, else its digits: 0.1, not 1/10."""
        guessed = self.name.strip("−").replace("/", "").isdecimal()
        return f"{self.value:.6g}" if guessed or not self.name else self.name

    @property
    def is_ddof(self) -> bool:
        """Whether N and N − 1 are mixed up."""
        return "(N − 1)" in self.name


def constant(value: float, sizes: Mapping[str, float], /) -> Constant:
    """Name a factor by the numbers that are known: N, and others by their names.

    Examples
    --------
    >>> constant(10 / 9, {"N": 10}).name, constant(0.5, {"N": 2}).also
    ('N/(N − 1)', ('1/N', '(N − 1)/N'))
    >>> constant(1.7321, {}).text
    '1.7321'
    """
    if not (isfinite(value) and (value == 0 or _TINY < abs(value) < _HUGE)):
        return Constant(value, "")
    names = list(dict.fromkeys(_names(value, sizes)))
    return Constant(value, names[0] if names else "", tuple(names[1:3]))


def close(one: float, other: float, /) -> bool:
    """Tell whether two factors are the same but for the error of a numerical derivative."""
    return abs(one - other) <= _CLOSE * max(abs(one), abs(other))


def _names(value: float, sizes: Mapping[str, float]) -> Iterator[str]:
    plain = [name for number, name in _PLAIN if close(value, number) or value == number == 0.0]
    yield from plain
    less_plain = [name for number, name in _LESS_PLAIN if close(value, number)]
    for name, number in sizes.items():
        yield from (text for known, text in _of_a_size(name, number) if close(value, known))
    N, p = sizes.get("N"), sizes.get("p")
    if N is not None and p is not None and p < N:
        known = {"N − p": N - p, "1/(N − p)": 1 / (N - p), "N/(N − p)": N / (N - p)}
        yield from (name for name, number in known.items() if close(value, number))
    yield from less_plain
    if not plain and not less_plain and isfinite(value) and "N" not in sizes:
        yield from _fractions(value)


def _of_a_size(name: str, N: float) -> Iterator[tuple[float, str]]:
    if not _TINY < abs(N) < _HUGE or abs(N) == 1.0:
        return
    yield from ((N, name), (1 / N, f"1/{name}"), (-N, f"−{name}"), (-1 / N, f"−1/{name}"))
    yield from ((2 * N, f"2{name}"), (2 / N, f"2/{name}"), (N / 2, f"{name}/2"))
    yield from ((1 / (2 * N), f"1/(2{name})"), (-2 / N, f"−2/{name}"), (-N / 2, f"−{name}/2"))
    yield from ((-2 * N, f"−2{name}"), (-1 / (2 * N), f"−1/(2{name})"))
    if name == "N" and N > 1:
        yield from ((N / (N - 1), "N/(N − 1)"), ((N - 1) / N, "(N − 1)/N"))
        yield from ((-N / (N - 1), "−N/(N − 1)"), (-(N - 1) / N, "−(N − 1)/N"))
        yield from ((N - 1, "N − 1"), (1 / (N - 1), "1/(N − 1)"))
        yield from ((2 / (N - 1), "2/(N − 1)"), ((N - 1) / 2, "½(N − 1)"))
        yield sqrt(N / (N - 1)), "√(N/(N − 1))"
        yield sqrt((N - 1) / N), "√((N − 1)/N)"
        yield from ((N * N, "N²"), (1 / (N * N), "1/N²"))
    else:
        if name in _COUNTS:
            return  # of counts, squares and roots would be coincidences
        yield from ((N * N, f"{name}²"), (1 / (N * N), f"1/{name}²"))
        if N > 0:
            yield from ((sqrt(N), f"√{name}"), (1 / sqrt(N), f"1/√{name}"))
            yield from ((N / 4, f"{name}/4"), (4 / N, f"4/{name}"))


def _fractions(value: float) -> Iterator[str]:
    """Name k, 1/k, k/(k − 1) and (k − 1)/k for a whole k, which may be the number of rows."""
    sign, size = ("−" if value < 0 else ""), abs(value)
    if size == 0.0:
        return
    for ratio, text in ((size, "{}"), (1 / size, "1/{}")):
        k = round(ratio)
        if 2 <= k <= 10**7 and close(ratio, k):
            yield sign + text.format(k)
            return
    for part in (size, 1 / size):
        if part > 1 + 1e-4:
            k = round(part / (part - 1))
            if 3 <= k <= 200 and close(part, k / (k - 1)):
                yield f"{sign}{k}/{k - 1}" if part == size else f"{sign}{k - 1}/{k}"
                return
