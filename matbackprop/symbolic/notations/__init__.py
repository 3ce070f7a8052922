"""Two text notations: that of matrixcalculus.org, called matlab, and base R, called r.

Text and expression meet in one small syntax tree: `parser` and `printer` know the signs of a
notation, by one table of precedence; `elaboration` and `spelling` know what they mean.
"""

from matbackprop.symbolic.notations.declarations import ShapeLike, declared
from matbackprop.symbolic.notations.mistakes import ParseError
from matbackprop.symbolic.notations.r_spelling import HELPERS
from matbackprop.symbolic.notations.reading import read, tree_of
from matbackprop.symbolic.notations.tree import Tree, count_nodes
from matbackprop.symbolic.notations.writer import spelled, write

__all__ = [
    "HELPERS",
    "ParseError",
    "ShapeLike",
    "Tree",
    "count_nodes",
    "declared",
    "read",
    "spelled",
    "tree_of",
    "write",
]
