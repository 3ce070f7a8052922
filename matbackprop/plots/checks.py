"""A gradient against its numerical derivative, as `matbackprop.checking` compares them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from matbackprop._typing import Array
from matbackprop.checking import BlockCheck, Diagnosis
from matbackprop.plots.canvas import BLUE, GREY, ORANGE, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# After Okabe and Ito (2008), told apart by the colour-blind too; the shapes serve who prints grey.
_STYLES = (
    (BLUE, "o"),
    (ORANGE, "s"),
    ("#009e73", "^"),
    ("#cc79a7", "D"),
    ("#56b4e9", "v"),
    ("#e69f00", "P"),
    ("#7a5195", "X"),
)
_WIDE = 1e3
_ROUNDING = 1e-9


def plot_check(diagnosis: Diagnosis, /, *, ax: Axes | None = None) -> Axes:
    """Draw the derivative that is claimed against the numerical one; what is right is diagonal.

    A dot for each entry, or for each random direction, coloured by parameter. Wrong entries are
    large, those that could not be judged hollow and grey. A constant factor shows as a line of
    another slope, an exchange as pairs mirrored in the diagonal. Where the sizes of the entries
    span more than three orders of magnitude, both scales are symmetric and logarithmic. Of more
    than seven parameters those with the fewest errors share a colour.

    Parameters
    ----------
    diagnosis
        What `check_gradient`, `check_jacobian` or `check_hessian` returns.
    ax
        Where to draw.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.

    Examples
    --------
    >>> from matbackprop.checking import check_gradient
    >>> at = {"a": np.array([1.0, 2.0]), "b": np.array([3.0])}
    >>> loss = lambda p: (p["a"] ** 2).sum() + (p["b"] ** 3).sum()
    >>> ax = plot_check(check_gradient(loss, lambda p: {"a": p["a"], "b": 3 * p["b"] ** 2}, at))
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['a, 2 of 2 wrong', 'b, 1 right']
    """
    ax = ax or new_axes()
    along = diagnosis.method == "random directions"
    unjudged = [block for block in diagnosis.blocks if not block.judged.all()]
    for (name, blocks), (colour, marker) in zip(_groups(diagnosis), _STYLES, strict=False):
        numeric, analytic, wrong, judged = _entries(blocks)
        right = judged & ~wrong
        label = f"{name}, {_count(wrong, judged, along)}"
        for chosen, size, edge, order in ((right, 16, "none", 3), (wrong, 52, "black", 4)):
            ax.scatter(
                numeric[chosen], analytic[chosen], s=size, color=colour, marker=marker,
                edgecolors=edge, linewidths=0.8, zorder=order,
                label=label if chosen is (wrong if wrong.any() else right) else None,
            )  # fmt: skip
    if unjudged:
        numeric, analytic, _, judged = _entries(unjudged)
        ax.scatter(
            numeric[~judged], analytic[~judged], s=24, facecolors="none", edgecolors=GREY,
            zorder=2, label="not judged",
        )  # fmt: skip
    _scale(ax, diagnosis.blocks)
    ax.axline((0, 0), (1, 1), color=GREY, linewidth=0.8, zorder=1)
    kind = "along a direction" if along else "of an entry"
    ax.set(xlabel=f"numerical derivative {kind}", ylabel=f"what the {diagnosis.title} says")
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, fontsize="small", loc="upper left", bbox_to_anchor=(1, 1))
    ax.set_title(_verdict(diagnosis), fontsize="medium")
    return ax


def _groups(diagnosis: Diagnosis) -> list[tuple[str, Sequence[BlockCheck]]]:
    """Return the blocks by name, in order; where they are too many, the best of them together."""
    blocks = diagnosis.blocks
    kept = list(blocks)
    if len(blocks) > len(_STYLES):
        ranked = sorted(blocks, key=lambda block: -int((block.judged & ~block.agrees).sum()))
        chosen = ranked[: len(_STYLES) - 1]
        kept = [block for block in blocks if block in chosen]
    whole = "all parameters" if len(blocks) > 1 else f"the {diagnosis.title}"
    groups: list[tuple[str, Sequence[BlockCheck]]] = [(b.name or whole, [b]) for b in kept]
    if others := [block for block in blocks if block not in kept]:
        groups.append((f"{len(others)} others", others))
    return groups


def _entries(blocks: Sequence[BlockCheck]) -> tuple[Array, Array, Array, Array]:
    """Return numeric, analytic, which are wrong, and which could be judged, flat."""
    return (
        np.concatenate([block.numeric.ravel() for block in blocks]),
        np.concatenate([block.analytic.ravel() for block in blocks]),
        np.concatenate([(block.judged & ~block.agrees).ravel() for block in blocks]),
        np.concatenate([block.judged.ravel() for block in blocks]),
    )


def _count(wrong: Array, judged: Array, along: bool) -> str:
    unit = f" direction{'s' * (wrong.size != 1)}" if along else ""
    unknown = int((~judged).sum())
    if wrong.any():
        text = f"{int(wrong.sum()):,} of {wrong.size:,}{unit} wrong"
    else:
        text = f"{int(judged.sum()):,}{unit} right"
    return f"{text}, {unknown:,} not judged" if unknown else text


def _scale(ax: Axes, blocks: Sequence[BlockCheck]) -> None:
    """Give both axes the same limits, so that the diagonal is one; and the same kind of scale."""
    numeric, analytic, _, _ = _entries(blocks)
    values = np.concatenate([numeric, analytic])
    sizes = np.abs(values)
    largest = float(sizes.max()) or 1.0
    # What stands for zero would stretch the scale to where there is nothing but rounding.
    smallest = float(sizes[sizes > _ROUNDING * largest].min(initial=largest))
    low, high = float(values.min()), float(values.max())
    if largest / smallest > _WIDE:
        decades = _decades(smallest, largest, most=2 if low < 0 < high else 4)
        ticks = [-size for size in decades[::-1]] + [0.0] + decades
        low = 3 * low if low <= -smallest else -smallest
        high = 3 * high if high >= smallest else smallest
        for axis, set_scale in ((ax.xaxis, ax.set_xscale), (ax.yaxis, ax.set_yscale)):
            set_scale("symlog", linthresh=smallest)
            axis.set_ticks([tick for tick in ticks if low <= tick <= high])
            axis.set_ticks([], minor=True)
    else:
        margin = 0.06 * (high - low or largest)
        low, high = low - margin, high + margin
    ax.set(xlim=(low, high), ylim=(low, high))


def _decades(smallest: float, largest: float, *, most: int) -> list[float]:
    """Return some powers of ten, none beside zero, where its label would cover that of 0."""
    first, last = int(np.ceil(np.log10(smallest))) + 1, int(np.floor(np.log10(largest)))
    stride = -(-(last - first + 1) // most)
    return [10.0**power for power in range(last, first - 1, -stride)][::-1]


def _verdict(diagnosis: Diagnosis) -> str:
    verdict = str(diagnosis).partition("\n")[0]
    if not diagnosis.findings:
        return verdict
    first = diagnosis.findings[0]
    return f"{verdict}\n{first.kind}" + (f" in {first.block}" if first.block else "")
