"""Every figure the question prints, as R printed it there."""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from matbackprop._typing import Array, ArrayLike

_TEXT = {
    "beta_matrix": """
           [,1]      [,2]    [,3]        [,4]
[1,] -0.4460901 0.3899186 1.26758 -0.09589582""",
    "beta_loop": """
[1] -0.44609015  0.38991862  1.26758024 -0.09589582""",
    # The question shows eight of the forty rows, and its header, shortened by hand with them,
    # lacks a blank that R prints.
    "kronecker_rule": """
     [,1] [,2] [,3] [,4]
 [1,]    1    0    0    0
 [2,]    1    0    0    0
[13,]    0    1    0    0
[14,]    0    1    0    0
[28,]    0    0    1    0
[29,]    0    0    1    0
[39,]    0    0    0    1
[40,]    0    0    0    1""",
    "Gamma1_loop": """
           [,1]       [,2]       [,3]       [,4]
[1,] -61.531877  122.66157  360.08132 -51.666215
[2,]   7.047767  -14.04947  -41.24316   5.917769
[3,] 124.157678 -247.50384 -726.56422 104.250961
[4,]  44.151682  -88.01478 -258.37333  37.072659
[5,]  22.478082  -44.80924 -131.54056  18.874078
[6,]  22.098857  -44.05327 -129.32135  18.555655
[7,]  79.617345 -158.71430 -465.91653  66.851965""",
    "gamma_matrix": """
           [,1]      [,2]       [,3]       [,4]
[1,]  0.8580574 -1.125017  -4.876398  0.4611406
[2,] -4.5463304  5.960787  25.837103 -2.4433071
[3,]  2.0706860 -2.714919 -11.767849  1.1128364
[4,] -8.5641868 11.228681  48.670853 -4.6025996""",
    "gamma_loop": """
[1]   0.8580574   5.9607870 -11.7678486  -4.6025996""",
}
# The question prints the two Γ₁ matrices one after the other, digit for digit the same.
_TEXT["Gamma1_matrix"] = _TEXT["Gamma1_loop"]

_INDEX = re.compile(r"^\s*\[(\d+),?\]")


@dataclass(frozen=True, slots=True, eq=False)
class PostedFigure:
    """A figure as printed: its lines, its numbers, and how many decimals each shows.

    Parameters
    ----------
    header
        The first line of a matrix, which names its columns; None for a vector.
    lines
        The lines with figures.
    numbers
        The numbers read back, a vector or a matrix.
    decimals
        How many digits follow each number's point.
    rows
        For a matrix, which of its rows are shown, counted from 0; None where all are.
    """

    header: str | None
    lines: tuple[str, ...]
    numbers: Array
    decimals: Array
    rows: tuple[int, ...] | None

    def rounded(self, value: ArrayLike, /) -> Array:
        """Return the shown part of a computed value, each entry to as many decimals as printed.

        Correctly rounded as text is, so equality with `numbers` means the very digits printed.
        What has not the posted shape becomes NaN, which equals nothing.
        """
        try:
            whole = np.asarray(value, dtype=np.float64)
            shown = whole if self.rows is None else whole[list(self.rows)]
        except (TypeError, ValueError, IndexError):
            return np.asarray(np.nan)
        if shown.shape != self.numbers.shape:
            return np.asarray(np.nan)
        texts = np.vectorize(lambda v, d: f"{v:.{d}f}")(shown, self.decimals)
        return texts.astype(np.float64)

    def differing_lines(self, printed: Sequence[str], /) -> int:
        """Count the lines in which a printout differs from the posted one."""
        if self.rows is None:
            posted = list(self.lines) if self.header is None else [self.header, *self.lines]
            pairs = itertools.zip_longest(posted, printed)
            return sum(one != two for one, two in pairs)
        rest = iter(printed)  # only some lines are shown, but in their order
        return sum(line not in rest for line in self.lines)


def _parse(text: str) -> PostedFigure:
    lines = text.strip("\n").splitlines()
    is_matrix = lines[0].lstrip().startswith("[,")
    header = lines.pop(0) if is_matrix else None
    indices = [match for match in map(_INDEX.match, lines) if match]
    tokens = np.array([match.string[match.end() :].split() for match in indices])
    shown = tuple(int(match[1]) - 1 for match in indices)
    if not is_matrix:
        tokens = tokens.ravel()  # a vector, whose only index counts entries
    return PostedFigure(
        header=header,
        lines=tuple(lines),
        numbers=tokens.astype(np.float64),
        decimals=np.vectorize(lambda token: len(token.partition(".")[2]))(tokens),
        rows=None if shown == tuple(range(len(shown))) else shown,
    )


POSTED = MappingProxyType({name: _parse(text) for name, text in _TEXT.items()})
"""The seven figures by name; `posted_figures` of R and of Python compute them again."""
